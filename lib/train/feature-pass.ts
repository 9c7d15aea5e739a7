// SPDX-License-Identifier: Apache-2.0
// The features that some layers make of all images of a data set, in native memory.
import { noGrad } from '../autograd/grad-mode.js';
import type { DataLoader } from '../data/loader.js';
import type { Module } from '../nn/module.js';
import type { SecondWeights } from '../optim/second-weights.js';
import { tensor } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import type { Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { copyElements } from './batch-rows.js';
import type { Budget } from './budget.js';
import { CapturedPass } from './captured-inference.js';
import { DEFAULT_BATCH } from './evaluate.js';
import type { FitOptions } from './fit.js';
import type { FeatureReport } from './frozen-features.js';
import type { MannersOptions } from './manners.js';
import { inSlices } from './slices.js';

/** How features are computed. */
export interface FeaturePass {
  /** Averages and slow weights of the model, whose frozen layers may be other ones. */
  readonly followers: readonly SecondWeights[];
  readonly batchSize: number;
  readonly capture?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly manners: MannersOptions;
  readonly onFeatures?: ((report: FeatureReport) => void) | undefined;
}

/** How `fit` computes them: not more images at a time than a step, nor than an evaluation. */
export function featurePass(
  options: FitOptions,
  batchSize: number,
  manners: MannersOptions,
  budget: Budget | undefined,
  followers: readonly SecondWeights[],
): FeaturePass {
  const { capture, signal, onFeatures, microBatches } = options;
  const parts = typeof microBatches === 'number' ? microBatches : 1;
  const ends = budget && AbortSignal.timeout(Math.min(LONGEST_TIMER, Math.ceil(500 * budget.secondsLeft)));
  return {
    ...{ capture, onFeatures, manners, followers },
    batchSize: Math.min(DEFAULT_BATCH, Math.ceil(batchSize / parts)),
    signal: ends === undefined || signal === undefined ? (signal ?? ends) : AbortSignal.any([signal, ends]),
  };
}

/** Milliseconds: longer ones would end at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Milliseconds between two reports. */
const REPORTS = 100;

/** Some of the images. */
export interface FeaturePart {
  readonly loader: DataLoader;
  /** Whether the model learns from them, in training mode, or is judged on them. */
  readonly learns: boolean;
  /** Images that were done, of `total`. */
  readonly before: number;
  readonly total: number;
}

/** Shapes: result float32 [length, numbers of `shape`, 1, 1], kept, the caller's to free; or why there is none. */
export async function featuresOf(
  model: Module,
  layers: readonly Module[],
  shape: Shape,
  { loader, learns, before, total }: FeaturePart,
  pass: FeaturePass,
): Promise<Tensor | string> {
  const { length } = loader.dataset;
  const size = shape.reduce((product, side) => product * side, 1);
  const all = Tensor.empty([length, size, 1, 1], 'float32').keep();
  let done = 0;
  let areFinite = true;
  let reported = performance.now();
  const take = (features: Float32Array) => {
    if (features.length === 0) return; // the signal came first
    using rows = tensor(features);
    copyElements({ tensor: all, first: done * size }, { tensor: rows, first: 0 }, features.length);
    areFinite &&= features.every(Number.isFinite);
    done += features.length / size;
    if (done < length && performance.now() - reported < REPORTS) return;
    reported = performance.now();
    pass.onFeatures?.({ images: before + done, of: total });
  };
  const compute = (rows: Tensor) => layers.reduce((y, layer) => layer.call(y), loader.imagesAt(rows));
  try {
    const job = { model, learns, rows: Int32Array.from({ length }, (_, row) => row), compute, take };
    if (!(await computeCaptured(job, pass))) await computeEagerly(job, pass);
    if (done === length && areFinite) return all;
    all.dispose();
    return areFinite
      ? 'a signal, or half of the time, came first'
      : 'the frozen layers make numbers that are not finite';
  } catch (error) {
    all.dispose();
    throw error;
  }
}

interface Job {
  readonly model: Module;
  readonly learns: boolean;
  readonly rows: Int32Array;
  readonly compute: (rows: Tensor) => Tensor;
  readonly take: (features: Float32Array) => void;
}

/** False where the layers cannot be captured. */
async function computeCaptured(
  { model, learns, rows, compute, take }: Job,
  { batchSize, capture, signal, manners }: FeaturePass,
): Promise<boolean> {
  if (capture === false) return false;
  const body = (rows: Tensor) => ({ features: compute(rows) });
  using pass = new CapturedPass(model, rows, batchSize, {}, body, learns);
  if (pass.notCaptured !== undefined) return false;
  await pass.run(signal, (_first, _batch, { features }) => take(new Float32Array(features)), manners, 1);
  return true;
}

async function computeEagerly(
  { model, learns, rows, compute, take }: Job,
  { batchSize, signal }: FeaturePass,
): Promise<void> {
  let first = 0;
  const step = () => {
    const features = compute(tensor(rows.subarray(first, first + batchSize)));
    take(features.data() as Float32Array);
    first += batchSize;
    return first < rows.length;
  };
  await inSlices(model, learns, () => noGrad(() => tensorScope(step)), signal);
}
