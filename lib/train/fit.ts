// SPDX-License-Identifier: Apache-2.0
// `fit`: what it takes, what it gives back, and the checks that come before the first step.
import type { Augmentation } from '../data/augment.js';
import { DataLoader } from '../data/loader.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { isStream, type StreamDataset, type StreamSource } from '../data/stream.js';
import type { StreamLoader } from '../data/stream-loader.js';
import { checkBooleans, checkListeners, checkOptions, checkWhole, fail } from '../errors.js';
import { type MetricName, metricsNamed } from '../metrics/names.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { type ClipOptions, checkClip } from '../optim/clip.js';
import { type AverageOptions, makeAverage } from './averages.js';
import { Budget, type BudgetOptions, checkBudget } from './budget.js';
import { CapturedTraining } from './captured-epoch.js';
import { checkKeeping, type Keeping, type KeepingOptions } from './checkpoint-options.js';
import { fingerprint } from './checkpoint-state.js';
import { Checkpoints } from './checkpoints.js';
import { checkStopping, EarlyStopping, type EarlyStoppingOptions } from './early-stopping.js';
import { DEFAULT_BATCH } from './evaluate.js';
import { featurePass } from './feature-pass.js';
import { checkModelFits } from './fits.js';
import { type FreezeOptions, makeFreezing } from './freezing.js';
import { type CachedFeatures, cacheFeatures, type FeatureOptions, featureBytes } from './frozen-features.js';
import { type LookaheadFitOptions, makeLookahead } from './lookaheads.js';
import { type LabelSmoothingOptions, type Loss, trainingLoss } from './losses.js';
import { checkManners, type MannersOptions } from './manners.js';
import { checkMicroBatches, type MicroBatchOptions } from './micro-batches.js';
import { makeOptimizer, type OptimizerOptions } from './optimizers.js';
import { checkPlanning } from './planning.js';
import type { BatchReport, CurvePoint, HistoryRow, ProgressReport } from './progress.js';
import { checkLog, type LogOptions } from './run-log.js';
import { checkRise, makeRates, type ScheduleOptions } from './schedules.js';
import { plainSettings, settingsOf } from './settings.js';
import { StreamTraining } from './stream-training.js';
import { checkStreamOptions, NOTHING_DONE, openStream } from './streams.js';
import { TrainingRun } from './training-run.js';
import { asTried, type TrialOptions } from './trials.js';

/** How to train. */
export interface FitOptions
  extends OptimizerOptions,
    ScheduleOptions,
    ClipOptions,
    AverageOptions,
    LookaheadFitOptions,
    LabelSmoothingOptions,
    FreezeOptions,
    FeatureOptions,
    MannersOptions,
    MicroBatchOptions,
    KeepingOptions,
    BudgetOptions,
    TrialOptions {
  /** Passes over the data set. Default 1. */
  readonly epochs?: number | undefined;
  /** Images a step; the last step of an epoch may have fewer. Default 32. */
  readonly batchSize?: number | undefined;
  /** A new order for every epoch. Default true. */
  readonly shuffle?: boolean | undefined;
  /** Names the orders of the epochs. Default 0. Initialisation and dropout follow `manualSeed`. */
  readonly seed?: number | undefined;
  /**
   * Random changes of the training images, in this order; native, and drawn by `seed`, epoch and image alone. Default: none.
   */
  readonly augment?: readonly Augmentation[] | undefined;
  /**
   * What the training makes small: a name, a function of logits and labels, or a module. It should be a mean over samples.
   * Default 'crossEntropy'.
   */
  readonly loss?: Loss | undefined;
  /** Is evaluated after each epoch, for `valLoss` and `valAccuracy`. */
  readonly validation?: AnyDataset | undefined;
  /** Metrics of the validation set by name, for `valMetrics`: see `evaluate`. */
  readonly metrics?: readonly MetricName[] | undefined;
  /** Ends the training when it no longer gets better, with the weights of the best epoch. Default: never. */
  readonly earlyStopping?: EarlyStoppingOptions | undefined;
  /**
   * Writes to a folder while the training goes on: config.json (these options, versions), history.jsonl (a line for each epoch,
   * as in `history` of the result) and curve.jsonl (a line for each point of `curve`, 20 an epoch). Lines are appended, to be
   * followed; a training that is gone on with by `resume` has each line once, whenever it was ended. Lines that cannot be written
   * are a warning of the process, and tried again. Default: none.
   */
  readonly log?: LogOptions | undefined;
  /** Stops the training after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Record the step once and replay it natively, on threads of the library's own, so that the event loop stays free.
   * Default true; a model that looks at values of tensors cannot be captured, and is trained eagerly. The weights are the
   * same either way.
   */
  readonly capture?: boolean | undefined;
  /**
   * Bytes that the buffers of a step may take: above it, activations are computed again in the backward pass instead of kept,
   * with the same weights in the end. Only with capture; ERR_OUT_OF_MEMORY names the smallest budget found. Default: no limit.
   */
  readonly maxMemory?: number | undefined;
  /** After each step; the next one waits for it, so leave it out where steps take microseconds. */
  readonly onBatch?: ((report: BatchReport) => void) | undefined;
  /** After each epoch; the next one waits for a promise. */
  readonly onEpoch?: ((row: HistoryRow) => void | Promise<void>) | undefined;
  /** About ten times a second, and at the end of an epoch. */
  readonly onProgress?: ((report: ProgressReport) => void) | undefined;
}

/** How the epochs of a training went. */
export interface TrainingResult {
  /** One row for each finished epoch. */
  readonly history: readonly HistoryRow[];
  /** Loss and accuracy within the epochs, 20 points for each. */
  readonly curve: readonly CurvePoint[];
  /** Steps done, those before a resumed checkpoint among them. */
  readonly steps: number;
  /** True if the signal ended the training early; the model has the weights of the last step. */
  readonly aborted: boolean;
  /** True if `earlyStopping` ended it. */
  readonly stoppedEarly: boolean;
  /** The epoch that `earlyStopping` found best, the first being 1. */
  readonly bestEpoch: number | undefined;
  /** Time of all training steps, without validation. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** How a training went, and in which way it was done. */
export interface FitResult extends TrainingResult {
  /** Steps that were done before, where the training was gone on with. */
  readonly resumedAt: number | undefined;
  /** Whether the steps were captured and replayed natively. */
  readonly captured: boolean;
  /** Why they were not, where the model did not allow it. */
  readonly notCaptured: string | undefined;
  /** What the buffers of a captured step take. */
  readonly stepBytes: number | undefined;
  /** The features of frozen layers that were computed once, by `cacheFeatures`. */
  readonly cachedFeatures: CachedFeatures | undefined;
  /** Why they were not, where the model begins with frozen layers. */
  readonly notCached: string | undefined;
}

/** A misspelled option would be a default that nobody notices. */
export const FIT_OPTIONS: readonly (keyof FitOptions)[] = [
  ...([
    'epochs',
    'batchSize',
    'shuffle',
    'seed',
    'validation',
    'augment',
    'loss',
    'metrics',
    'signal',
    'capture',
    'maxMemory',
    'microBatches',
  ] as const),
  ...(['optimizer', 'lr', 'momentum', 'weightDecay', 'schedule', 'warmup'] as const),
  ...(['nesterov', 'normLr', 'labelSmoothing', 'freezeAfter'] as const),
  ...(['clipGradNorm', 'clipGradValue', 'ema', 'lookahead'] as const),
  ...(['checkpoint', 'resume', 'onCheckpoint', 'earlyStopping', 'budget', 'log'] as const),
  ...(['overfitBatches', 'fastDevRun', 'cacheFeatures', 'onFeatures'] as const),
  ...(['threads', 'priority', 'cpuShare', 'onBatch', 'onEpoch', 'onProgress'] as const),
];

const training = new WeakSet<Module>();

/**
 * Trains a classifier: makes a loss small, by default the softmax cross-entropy between the model's logits and the labels of
 * the data set.
 *
 * Also takes samples that come one after another: a `StreamDataset`, or the (asynchronous) iterable itself where its first item
 * has a `shape`; a class is then an output of the model. They are not shuffled, and such a training is not kept.
 *
 * With `checkpoint` the training is kept while it goes on, and `resume` goes on with it after the end of the process, to the same
 * weights as in one go.
 *
 * The step is captured where the model allows it, and the event loop is free; else it turns every 25 ms or so. The weights
 * that come out depend on the model's own, the data, the options and the seed, and not on the number of threads. Stopped by
 * the signal, it resolves, with `aborted: true`.
 *
 * Throws, before anything is changed: ERR_ARGUMENT for wrong options or an empty data set, ERR_SHAPE where data set and
 * model do not fit, ERR_BUSY for a model that is being trained already, ERR_DATA for checkpoints that are damaged or of another
 * training, ERR_FILE for a folder that cannot be used. Throws ERR_NUMERICS in the first step whose loss or
 * gradients are not finite: weights, running statistics, optimizer and random numbers are then those before that step. The
 * step is computed once more to find where that began, which the error says: an image, a parameter, or the first layer
 * (`path`) and operation whose output, or else whose gradient, was not finite.
 */
export async function fit(
  model: Module,
  dataset: AnyDataset | StreamDataset | StreamSource,
  options: FitOptions = {},
): Promise<FitResult> {
  checkModel('fit', model);
  const checked = checkFitOptions(options);
  const { time, epochs, manners, planning, clip, loss, keeping, log, stops } = checked;
  if (isStream(dataset)) checkStreamOptions(options);
  const tried = isStream(dataset) ? undefined : asTried(dataset, options);
  if (tried !== undefined) return fit(model, tried.dataset, tried.options);
  if (training.has(model)) {
    throw fail('ERR_BUSY', {
      op: 'fit',
      expected: 'a model that is not being trained',
      received: 'one that another fit is training',
      hint: 'await the other fit first',
    });
  }
  training.add(model);
  let stream: StreamLoader | undefined;
  try {
    if (!isStream(dataset)) checkModelFits('fit', model, dataset);
    const { batchSize, seed, validation, augment, shuffle = true } = options;
    checkMixes(options);
    stream = isStream(dataset) ? await openStream(model, dataset, options) : undefined;
    if (isStream(dataset) && stream === undefined) return NOTHING_DONE;
    using images = isStream(dataset) ? null : new DataLoader(dataset, { batchSize, seed, shuffle, augment });
    const loader = stream ?? (images as DataLoader);
    using validationLoader =
      validation === undefined ? null : new DataLoader(validation, { batchSize: DEFAULT_BATCH });
    const classes = validation === undefined ? 0 : checkModelFits('fit', model, validation);
    checkMetrics(options, classes);
    using freezing = makeFreezing(model, options);
    const { optimizer, release } = makeOptimizer(model, options);
    try {
      const microBatches = checkMicroBatches('fit', options, loader.batchSize, options.maxMemory);
      const budget = time === undefined ? undefined : new Budget(time, loader.length, checkRise(options));
      const rates = makeRates(options, optimizer, epochs * loader.length, budget);
      using average = makeAverage(model, options.ema);
      const progress = (step: number) => budget?.shareOf(step) ?? step / (epochs * loader.length);
      using slow = makeLookahead(model, options.lookahead, progress);
      const followers = { ema: average?.ema, lookahead: slow?.lookahead };
      const measured = typeof options.ema === 'number' ? average?.ema.model : undefined;
      const learner = { model, optimizer, clip, ...followers, loss, countsCorrect: true };
      using stopping = stops && new EarlyStopping(stops, measured ?? model);
      const open = (loader: DataLoader, keeping: Keeping) => {
        const [data, settings] = [fingerprint(loader.dataset), settingsOf(options)];
        return Checkpoints.open(keeping, { stopping, budget, learner, loader, rates, data, settings });
      };
      const kept = images !== null && keeping !== undefined ? await open(images, keeping) : undefined;
      const seconds = [average?.ema, slow?.lookahead].filter((second) => second !== undefined);
      const pass = featurePass(options, loader.batchSize, manners, budget, seconds);
      const loaders = { images, validation: validationLoader };
      const features = await cacheFeatures(model, loaders, checked.maxFeatureBytes, pass);
      const { cachedFeatures, notCached } = features;
      const trained = { ...learner, model: features.of(model) };
      const capturing =
        options.capture === false
          ? undefined
          : stream === undefined
            ? new CapturedTraining(trained, images as DataLoader, manners, planning, microBatches)
            : new StreamTraining(trained, stream, manners, planning, microBatches);
      try {
        const notCaptured = capturing?.prepare();
        const captured = notCaptured === undefined ? capturing : undefined;
        if (captured === undefined && options.maxMemory !== undefined) throw noBudget(notCaptured);
        const run = new TrainingRun(trained, loader, rates, epochs, options, captured, {
          ...kept,
          ...{ stopping, budget, freezing, log, settings: plainSettings(options) },
          judged: features.of(average?.ema.model ?? model),
        });
        const result = await run.toTheEnd(validationLoader, classes);
        average?.finish();
        if (!result.aborted) stopping?.restore(model);
        const about = { resumedAt: kept?.progress?.step, stepBytes: captured?.stepBytes };
        const how = { captured: captured !== undefined, notCaptured, cachedFeatures, notCached };
        return { ...result, ...about, ...how };
      } finally {
        capturing?.dispose();
      }
    } finally {
      optimizer.zeroGrad();
      release();
    }
  } finally {
    training.delete(model);
    await stream?.close();
  }
}

/** What can be told of the options before anything is made. Throws ERR_ARGUMENT. */
export function checkFitOptions(options: FitOptions) {
  checkOptions('fit', options, FIT_OPTIONS);
  checkBooleans('fit', { shuffle: options.shuffle, capture: options.capture });
  const { onBatch, onEpoch, onProgress, onFeatures } = options;
  checkListeners('fit', options.signal, { onBatch, onEpoch, onProgress, onFeatures });
  const time = checkBudget(options);
  // overfitBatches brings a validation set with it
  const hasValidation = options.validation !== undefined || options.overfitBatches !== undefined;
  return {
    time,
    epochs: checkEpochs(options, time),
    manners: checkManners('fit', options),
    planning: checkPlanning('fit', { maxMemory: options.maxMemory }),
    clip: checkClip('fit', options),
    loss: trainingLoss(options.loss, options),
    keeping: checkKeeping(options, hasValidation),
    log: checkLog(options.log),
    stops: checkStopping(options.earlyStopping, hasValidation),
    maxFeatureBytes: featureBytes(options),
  };
}

/** Refuses to mix images of a batch that is computed in parts: the other one may be in another part. */
function checkMixes({ augment, microBatches }: FitOptions): void {
  if (microBatches === undefined || microBatches === 1 || !Array.isArray(augment)) return;
  if (!augment.some((step) => ['mixup', 'cutmix'].includes(Object(step).kind))) return;
  const expected = 'mixup and cutmix without microBatches';
  throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: 'both' });
}

/** Infinitely many where the time says how many. */
function checkEpochs({ epochs }: FitOptions, seconds: number | undefined): number {
  if (seconds === undefined) return checkWhole('fit', 'epochs', epochs ?? 1);
  if (epochs === undefined) return Infinity;
  const expected = 'epochs or a budget of time, not both';
  throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: 'both' });
}

/** Throws ERR_ARGUMENT for metrics of nothing, or that are none. */
export function checkMetrics({ metrics, validation }: FitOptions, classes: number): void {
  if (metrics === undefined) return;
  if (validation === undefined) {
    const expected = 'a validation set for metrics to be of';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: 'none' });
  }
  metricsNamed('fit', metrics, classes);
}

function noBudget(notCaptured: string | undefined) {
  return fail('ERR_CAPTURE', {
    op: 'fit',
    expected: 'a captured step where maxMemory is given',
    received: notCaptured ?? 'capture: false',
    hint: 'an eager step keeps all activations: use a smaller batch instead',
  });
}
