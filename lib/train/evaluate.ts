// SPDX-License-Identifier: Apache-2.0
// How good a model is on images with known labels.
import { noGrad } from '../autograd/grad-mode.js';
import { checkDataset, type Dataset } from '../data/dataset.js';
import { DataLoader } from '../data/loader.js';
import { checkBooleans, checkListeners, checkOptions, fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { crossEntropy } from '../ops/cross-entropy.js';
import { gatherImages, gatherLabels } from '../ops/gather.js';
import { tensorScope } from '../tensor/scope.js';
import { CapturedPass } from './captured-inference.js';
import { checkModelFits } from './fits.js';
import { checkManners, type MannersOptions } from './manners.js';
import { accuracyOf, addToConfusion, type ConfusionMatrix, emptyConfusion } from './metrics.js';
import { type FoldOptions, foldingOf } from './planning.js';
import { RunningMean, Stopwatch } from './progress.js';
import { inSlices } from './slices.js';

/** How to evaluate. */
export interface EvaluateOptions extends MannersOptions, FoldOptions {
  /** Images at a time; the result does not depend on it but for rounding of the loss. Default 256. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Record the forward pass once and replay it natively, so that the event loop stays free. Default true; a model that looks
   * at values of tensors is evaluated eagerly. The result is the same either way.
   */
  readonly capture?: boolean | undefined;
}

/** What an evaluation found. */
export interface Evaluation {
  /** Mean cross-entropy over all images, in nats. */
  readonly loss: number;
  /** Share of images whose largest logit is that of their label, 0 to 1. */
  readonly accuracy: number;
  /** `[classes][classes]`: row by true class, column by predicted class. */
  readonly confusion: ConfusionMatrix;
  readonly images: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Whether the pass was captured and replayed natively. */
  readonly captured: boolean;
  /** Why it was not, where the model did not allow it. */
  readonly notCaptured: string | undefined;
}

export const DEFAULT_BATCH = 256;
const KNOWN_OPTIONS = ['batchSize', 'signal', 'capture', 'fold', 'threads', 'priority', 'cpuShare'];

/**
 * Runs a model in evaluation mode over a data set. The model is left as it was. The pass is captured where the model allows
 * it, and the event loop is free; else it turns every 25 ms or so.
 *
 * Throws ERR_SHAPE where the data set does not fit the model, ERR_ABORTED when the signal said so, ERR_CAPTURE where `fold`
 * is asked for without capture, what a `DataLoader` refuses.
 */
export async function evaluate(
  model: Module,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkOptions('evaluate', options, KNOWN_OPTIONS);
  checkListeners('evaluate', options.signal);
  checkBooleans('evaluate', { capture: options.capture });
  const manners = checkManners('evaluate', options);
  const { signal, capture, fold } = options;
  foldingOf('evaluate', options, capture === false ? 'capture: false' : undefined);
  checkModel('evaluate', model);
  checkDataset('evaluate', dataset);
  using loader = new DataLoader(dataset, { batchSize: options.batchSize ?? DEFAULT_BATCH });
  const classes = checkModelFits('evaluate', model, loader.dataset);
  const evaluation = await evaluateBatches(model, loader, classes, { signal, capture, fold }, manners);
  if (evaluation !== undefined) return evaluation;
  throw fail('ERR_ABORTED', {
    op: 'evaluate',
    expected: 'to run to the end',
    received: 'an abort signal',
    cause: signal?.reason,
  });
}

/** One pass over a loader; nothing if the signal ended it. */
export async function evaluateBatches(
  model: Module,
  loader: DataLoader,
  classes: number,
  options: Pick<EvaluateOptions, 'signal' | 'capture' | 'fold'>,
  manners: MannersOptions = {},
): Promise<Evaluation | undefined> {
  const { signal, capture = true } = options;
  const confusion = emptyConfusion(classes);
  const mean = new RunningMean();
  const watch = new Stopwatch().start();
  const captured = capture && (await evaluateCaptured(model, loader, confusion, mean, options, manners));
  if (captured !== true) await evaluateEagerly(model, loader, confusion, mean, signal);
  if (mean.images < loader.dataset.length) return undefined;
  const { seconds } = watch;
  const { images } = mean;
  return {
    loss: mean.loss,
    accuracy: accuracyOf(confusion),
    confusion,
    images,
    seconds,
    imagesPerSecond: images / seconds,
    captured: captured === true,
    notCaptured: typeof captured === 'string' ? captured : undefined,
  };
}

/** The pass as recorded steps: true, or why the model cannot be captured. */
async function evaluateCaptured(
  model: Module,
  loader: DataLoader,
  confusion: number[][],
  mean: RunningMean,
  options: Pick<EvaluateOptions, 'signal' | 'fold'>,
  manners: MannersOptions,
): Promise<true | string> {
  const { dataset, batchSize, native } = loader;
  const position = loader.state;
  const rows = loader.takeEpoch();
  const planning = foldingOf('evaluate', options, undefined);
  using pass = new CapturedPass(model, rows, batchSize, planning, (rows) => {
    const logits = model.call(gatherImages(native.images, rows, dataset.normalization));
    const loss = crossEntropy(logits, gatherLabels(native.labels, rows));
    return { loss, predicted: argmax(logits) };
  });
  if (pass.notCaptured !== undefined) {
    loader.state = position;
    foldingOf('evaluate', options, pass.notCaptured);
    return pass.notCaptured;
  }
  await pass.run(
    options.signal,
    (first, batch, { loss, predicted }) => {
      for (const value of loss) mean.add(value, 0, batch);
      const labels = Int32Array.from(
        { length: loss.length * batch },
        (_, i) => dataset.labels[rows[first + i]],
      );
      addToConfusion(confusion, labels, predicted);
    },
    manners,
  );
  return true;
}

async function evaluateEagerly(
  model: Module,
  loader: DataLoader,
  confusion: number[][],
  mean: RunningMean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const batches = loader[Symbol.iterator]();
  const body = (): boolean => {
    const { value: batch, done } = batches.next();
    if (done === true) return false;
    const logits = model.call(batch.images);
    const loss = crossEntropy(logits, batch.labels).item();
    addToConfusion(confusion, batch.labels.data(), argmax(logits).data());
    mean.add(loss, 0, batch.indices.length);
    return true;
  };
  try {
    const step = () => noGrad(() => tensorScope(body));
    await inSlices(model, false, step, signal);
  } finally {
    batches.return?.();
  }
}
