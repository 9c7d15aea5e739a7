// SPDX-License-Identifier: Apache-2.0
// How good a model is on images with known labels.
import { noGrad } from '../autograd/grad-mode.js';
import { checkDataset } from '../data/dataset.js';
import { DataLoader } from '../data/loader.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkBooleans, checkListeners, checkOptions, fail } from '../errors.js';
import type { ConfusionMatrix } from '../metrics/confusion.js';
import { MetricCounts } from '../metrics/counts.js';
import { type MetricName, type MetricValues, metricsNamed } from '../metrics/names.js';
import type { TypedArray } from '../native/bindings.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { argmax, confidence, labelRank } from '../ops/classify.js';
import { crossEntropy } from '../ops/cross-entropy.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { CapturedPass } from './captured-inference.js';
import { checkModelFits } from './fits.js';
import { checkLoss, type Loss, type LossFunction } from './losses.js';
import { checkManners, type MannersOptions } from './manners.js';
import { type FoldOptions, foldingOf } from './planning.js';
import { RunningMean, Stopwatch } from './progress.js';
import { inSlices } from './slices.js';
import { callOnViews, checkTta, type TtaName, type TtaOptions } from './tta.js';
import { checkWorst, type WorstSample, WorstSamples } from './worst-samples.js';

/** How to evaluate. */
export interface EvaluateOptions extends MannersOptions, FoldOptions, TtaOptions {
  /** Images at a time; the result does not depend on it but for rounding of the loss. Default 256. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Reported as `loss`: a name, a function of logits and labels, or a module. Default 'crossEntropy'. */
  readonly loss?: Loss | undefined;
  /** More metrics, by name: 'top5', 'f1', 'f1PerClass', 'calibrationError', … (`MetricName`). Default none. */
  readonly metrics?: readonly MetricName[] | undefined;
  /** Also find so many images with the largest loss, for `worst`. Default none. */
  readonly worst?: number | undefined;
  /**
   * Record the forward pass once and replay it natively, so that the event loop stays free. Default true; a model that looks
   * at values of tensors is evaluated eagerly. The result is the same either way.
   */
  readonly capture?: boolean | undefined;
}

/** What an evaluation found. */
export interface Evaluation {
  /** Mean cross-entropy over all images, in nats; of another loss the mean over batches, weighted by their images. */
  readonly loss: number;
  /** Share of images whose largest logit is that of their label, 0 to 1. */
  readonly accuracy: number;
  /** `[classes][classes]`: row by true class, column by predicted class. */
  readonly confusion: ConfusionMatrix;
  /** The metrics that were asked for, by name. */
  readonly metrics?: MetricValues;
  /** The images with the largest loss, the largest first, where they were asked for. */
  readonly worst?: readonly WorstSample[];
  readonly images: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Whether the pass was captured and replayed natively. */
  readonly captured: boolean;
  /** Why it was not, where the model did not allow it. */
  readonly notCaptured: string | undefined;
}

export const DEFAULT_BATCH = 256;
const KNOWN_OPTIONS: readonly (keyof EvaluateOptions)[] = [
  ...([
    'batchSize',
    'signal',
    'loss',
    'metrics',
    'worst',
    'capture',
    'fold',
    'tta',
    'threads',
    'priority',
    'cpuShare',
  ] as const),
];

/**
 * Runs a model in evaluation mode over a data set. The model is left as it was. The pass is captured where the model allows
 * it, and the event loop is free; else it turns every 25 ms or so.
 *
 * Throws ERR_SHAPE where the data set does not fit the model, ERR_ABORTED when the signal said so, ERR_CAPTURE where `fold`
 * is asked for without capture, ERR_ARGUMENT for a loss or metrics that are none, what a `DataLoader` refuses.
 */
export async function evaluate(
  model: Module,
  dataset: AnyDataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkOptions('evaluate', options, KNOWN_OPTIONS);
  checkListeners('evaluate', options.signal);
  checkBooleans('evaluate', { capture: options.capture });
  const manners = checkManners('evaluate', options);
  const { signal, capture, fold, metrics } = options;
  const loss = checkLoss('evaluate', options.loss);
  const tta = checkTta('evaluate', options);
  foldingOf('evaluate', options, capture === false ? 'capture: false' : undefined);
  checkModel('evaluate', model);
  checkDataset('evaluate', dataset);
  using loader = new DataLoader(dataset, { batchSize: options.batchSize ?? DEFAULT_BATCH });
  const classes = checkModelFits('evaluate', model, loader.dataset);
  const worst = checkWorst(options.worst);
  const pass = { signal, capture, fold, metrics, worst, loss, tta };
  const evaluation = await evaluateBatches(model, loader, classes, pass, manners);
  if (evaluation !== undefined) return evaluation;
  throw fail('ERR_ABORTED', {
    op: 'evaluate',
    expected: 'to run to the end',
    received: 'an abort signal',
    cause: signal?.reason,
  });
}

/** What one pass is told. */
interface PassOptions extends Pick<EvaluateOptions, 'signal' | 'capture' | 'fold' | 'metrics' | 'worst'> {
  readonly loss: LossFunction;
  readonly tta?: TtaName;
}

/** One pass over a loader; nothing if the signal ended it. */
export async function evaluateBatches(
  model: Module,
  loader: DataLoader,
  classes: number,
  options: PassOptions,
  manners: MannersOptions = {},
): Promise<Evaluation | undefined> {
  const { capture = true } = options;
  const metrics = options.metrics && metricsNamed('evaluate', options.metrics, classes);
  const needs = new Set<string | undefined>(metrics?.map(({ needs }) => needs));
  const worst = options.worst === undefined ? undefined : new WorstSamples(options.worst);
  if (worst !== undefined) needs.add('confidence').add('sampleLoss');
  const results = new Results(classes, needs, worst);
  const watch = new Stopwatch().start();
  const captured = capture && (await evaluateCaptured(model, loader, results, options, manners));
  if (captured !== true) await evaluateEagerly(model, loader, results, options);
  const { mean, counts } = results;
  if (mean.images < loader.dataset.length) return undefined;
  const { seconds } = watch;
  const { images } = mean;
  return {
    loss: mean.loss,
    accuracy: counts.accuracy,
    confusion: counts.confusion,
    ...(metrics && { metrics: Object.fromEntries(metrics.map(({ name, of }) => [name, of(counts)])) }),
    ...(worst && { worst: worst.worst }),
    images,
    seconds,
    imagesPerSecond: images / seconds,
    captured: captured === true,
    notCaptured: typeof captured === 'string' ? captured : undefined,
  };
}

/** What a pass finds, batch by batch. */
class Results {
  readonly mean = new RunningMean();
  readonly counts: MetricCounts;
  readonly #needs: ReadonlySet<string | undefined>;
  readonly #worst: WorstSamples | undefined;

  constructor(classes: number, needs: ReadonlySet<string | undefined>, worst: WorstSamples | undefined) {
    this.counts = new MetricCounts(classes);
    this.#needs = needs;
    this.#worst = worst;
  }

  /** What is to be known of a batch. */
  of(logits: Tensor, labels: Tensor, loss: LossFunction): Record<string, Tensor> {
    return {
      loss: loss(logits, labels),
      predicted: argmax(logits),
      ...(this.#needs.has('ranks') && { ranks: labelRank(logits, labels) }),
      ...(this.#needs.has('confidence') && { confidence: confidence(logits) }),
      ...(this.#needs.has('sampleLoss') && {
        sampleLoss: crossEntropy(logits, labels, { reduction: 'none' }),
      }),
    };
  }

  /** Takes what is known of batches of so many images, one after another; `rows` says which ones they are. */
  add(
    rows: ArrayLike<number>,
    labels: ArrayLike<number>,
    batch: number,
    outputs: Readonly<Record<string, TypedArray>>,
  ): void {
    for (const value of outputs.loss) this.mean.add(value, 0, batch);
    const { predicted, ranks, confidence, sampleLoss } = outputs;
    this.counts.addSamples({ labels, predicted, ranks, confidence });
    for (let i = 0; i < labels.length && this.#worst !== undefined; i++) {
      this.#worst.add({
        ...{ index: rows[i], label: labels[i], predicted: predicted[i], loss: sampleLoss[i] },
        ...{ probability: confidence[i], labelProbability: Math.exp(-sampleLoss[i]) },
      });
    }
  }
}

/** The pass as recorded steps: true, or why the model cannot be captured. */
async function evaluateCaptured(
  model: Module,
  loader: DataLoader,
  results: Results,
  options: PassOptions,
  manners: MannersOptions,
): Promise<true | string> {
  const { dataset, batchSize } = loader;
  const position = loader.state;
  const rows = loader.takeEpoch();
  const planning = foldingOf('evaluate', options, undefined);
  using pass = new CapturedPass(model, rows, batchSize, planning, (rows) => {
    const logits = callOnViews(model, loader.imagesAt(rows), options.tta ?? 'none');
    return results.of(logits, loader.labelsAt(rows), options.loss);
  });
  if (pass.notCaptured !== undefined) {
    loader.state = position;
    foldingOf('evaluate', options, pass.notCaptured);
    return pass.notCaptured;
  }
  await pass.run(
    options.signal,
    (first, batch, outputs) => {
      const taken = rows.subarray(first, first + outputs.loss.length * batch);
      const labels = taken.map((row) => dataset.labels[row]);
      results.add(taken, labels, batch, outputs);
    },
    manners,
  );
  return true;
}

async function evaluateEagerly(
  model: Module,
  loader: DataLoader,
  results: Results,
  { signal, loss, tta = 'none' }: PassOptions,
): Promise<void> {
  const batches = loader[Symbol.iterator]();
  const body = (): boolean => {
    const { value: batch, done } = batches.next();
    if (done === true) return false;
    const outputs = results.of(callOnViews(model, batch.images, tta), batch.labels, loss);
    const values = Object.entries(outputs).map(([name, tensor]) => [name, tensor.data()]);
    results.add(batch.indices, batch.labels.data(), batch.indices.length, Object.fromEntries(values));
    return true;
  };
  try {
    const step = () => noGrad(() => tensorScope(body));
    await inSlices(model, false, step, signal);
  } finally {
    batches.return?.();
  }
}
