// SPDX-License-Identifier: Apache-2.0
// What a training will cost, from a second of it.
import { checkDataset, take } from '../data/dataset.js';
import { TRAINING_BATCH } from '../data/loader.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkNumber, checkOptions, checkWhole, fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { Optimizer } from '../optim/optimizer.js';
import { memory } from '../tensor/scope.js';
import { Budget } from './budget.js';
import { evaluate } from './evaluate.js';
import { checkFitOptions, checkMetrics, type FitOptions, fit } from './fit.js';
import { checkModelFits } from './fits.js';
import { makeOptimizer } from './optimizers.js';
import { rehearse } from './rehearsal.js';
import { checkRise, makeRates } from './schedules.js';
import { asTried } from './trials.js';

/** What a training costs. */
export interface Estimate {
  readonly stepsPerEpoch: number;
  readonly secondsPerStep: number;
  readonly imagesPerSecond: number;
  /** With validation, where there is a validation set. */
  readonly secondsPerEpoch: number;
  /** Of all epochs, or the budget. */
  readonly seconds: number;
  /** What the buffers of a captured step take; nothing where the step is not captured. */
  readonly stepBytes: number | undefined;
  /** What is held besides: the data set in native memory, the optimizer's state, averages. The model is not counted. */
  readonly otherBytes: number;
}

/** How long to look. */
export interface EstimateOptions {
  /** Seconds of training that the estimate is made from; at least one step is done. Default 1. */
  readonly seconds?: number | undefined;
}

/** Images of the validation set that are evaluated. */
const VALIDATED = 1024;

/**
 * Trains for a second to tell what `fit` with these options will cost; with `overfitBatches` or `fastDevRun`, what the trial will.
 * Frozen layers compute in every step meanwhile: where `fit` computes their features once, it takes less time.
 * The model is afterwards what it was; nothing is written.
 *
 * Throws what `fit` throws for its options and its first steps.
 */
export async function estimate(
  model: Module,
  dataset: AnyDataset,
  options: FitOptions = {},
  { seconds = 1, ...unknown }: EstimateOptions = {},
): Promise<Estimate> {
  checkModel('estimate', model);
  checkDataset('estimate', dataset);
  checkOptions('estimate', unknown, []);
  checkNumber('estimate', 'seconds', seconds, 0.06, 3600);
  const { time } = checkFitOptions(options);
  const tried = asTried(dataset, options);
  if (tried !== undefined) return estimate(model, tried.dataset, tried.options, { seconds });
  if (options.optimizer instanceof Optimizer) {
    const received = 'one of its own, whose state would move';
    throw fail('ERR_ARGUMENT', { op: 'estimate', expected: 'the name of an optimizer', received });
  }
  checkWhatIsLeftOut(model, dataset, options, time);
  const { checkpoint: _, resume: __, log: ___, earlyStopping: ____, onCheckpoint: _____, ...kept } = options;
  const { validation, metrics: ______, onBatch: _______, onEpoch: ________, ...training } = kept;
  const { epochs = 1, budget, schedule: _________, warmup: __________, ...rest } = training;
  const before = memory().bytes;
  let otherBytes = 0;
  const onProgress = () => {
    otherBytes = Math.max(otherBytes, memory().bytes - before);
  };
  const measured = { ...rest, onProgress, budget: { minutes: seconds / 60 }, cacheFeatures: false };
  return rehearse(model, async () => {
    const copies = memory().bytes - before;
    const result = await fit(model, dataset, measured);
    const secondsPerStep = result.seconds / result.steps;
    const stepsPerEpoch = Math.ceil(dataset.length / (options.batchSize ?? TRAINING_BATCH));
    const tested =
      validation && (await evaluate(model, take(validation, VALIDATED), { signal: options.signal }));
    const validating = tested === undefined ? 0 : (validation as AnyDataset).length / tested.imagesPerSecond;
    const secondsPerEpoch = stepsPerEpoch * secondsPerStep + validating;
    return {
      ...{ stepsPerEpoch, secondsPerStep, imagesPerSecond: result.imagesPerSecond, secondsPerEpoch },
      seconds: budget === undefined ? epochs * secondsPerEpoch : 60 * budget.minutes,
      stepBytes: result.stepBytes,
      otherBytes: otherBytes - copies,
    };
  });
}

/** Refuses, as `fit` would, what the training that is looked at goes without. Throws what `fit` throws. */
function checkWhatIsLeftOut(
  model: Module,
  dataset: AnyDataset,
  options: FitOptions,
  time: number | undefined,
): void {
  const { validation, batchSize = TRAINING_BATCH, epochs = 1 } = options;
  checkModelFits('fit', model, dataset);
  checkMetrics(options, validation === undefined ? 0 : checkModelFits('fit', model, validation));
  const steps = Math.ceil(dataset.length / checkWhole('DataLoader', 'batchSize', batchSize));
  const { optimizer, release } = makeOptimizer(model, options);
  try {
    const budget = time === undefined ? undefined : new Budget(time, steps, checkRise(options));
    makeRates(options, optimizer, time === undefined ? epochs * steps : Infinity, budget);
  } finally {
    release();
  }
}
