// SPDX-License-Identifier: Apache-2.0
// The training of one trial: what `fit` is told, and what its end says.
import { checkDataset, type Dataset } from '../data/dataset.js';
import { checkOptions, checkWhole, describe, fail, ReceptiveError } from '../errors.js';
import { weightsSha256 } from '../io/weights.js';
import { CrossEntropyLoss } from '../nn/losses.js';
import type { Module } from '../nn/module.js';
import { withGeneratorAt } from '../tensor/random.js';
import { type FitOptions, type FitResult, fit } from '../train/fit.js';
import type { Candidate } from './candidate.js';
import { buildNetwork } from './network.js';
import type { TrialRecord } from './trial-log.js';

const DEFAULT_BATCH = 64;
/** The numbers of a seed that dropout draws from while a trial trains; its first weights have stream 0. */
const TRAINING_STREAM = 12;

/** Where the draws of a trial's training begin, the same for all. */
export const drawsOf = (seed: number) => ({ seed, stream: TRAINING_STREAM, step: 0 });

/** What `fit` is told for a trial. */
export function fitOptionsOf(
  { training }: Pick<Candidate, 'training'>,
  epochs: number,
  seed: number,
): FitOptions {
  const { labelSmoothing, ...settings } = training;
  return {
    ...{ batchSize: DEFAULT_BATCH, schedule: 'cosine' as const },
    ...(settings as FitOptions),
    ...(labelSmoothing !== undefined && {
      loss: new CrossEntropyLoss({ labelSmoothing: labelSmoothing as number }),
    }),
    epochs,
    seed,
  };
}

/** What is written down of a training that ended; nothing where it was stopped. Throws what is no matter of the trial. */
export function recordOf(
  trial: Pick<TrialRecord, 'trial' | 'epochs' | 'values'>,
  model: Module,
  settled: PromiseSettledResult<FitResult>,
): TrialRecord | undefined {
  if (settled.status === 'rejected') return failureOf(trial, settled.reason);
  const { aborted, history, seconds } = settled.value;
  const { valLoss, valAccuracy } = history.at(-1) ?? {};
  // The signal may also have come between the last step and the end of the validation
  if (aborted || valLoss === undefined || valAccuracy === undefined) return undefined;
  if (!Number.isFinite(valLoss)) {
    return { ...trial, failure: 'loss on the validation set is not finite', seconds };
  }
  return { ...trial, score: valAccuracy, loss: valLoss, weightsSha256: weightsSha256(model), seconds };
}

/** A trial that could not be trained is an answer, too. */
export function failureOf(
  trial: Pick<TrialRecord, 'trial' | 'epochs' | 'values'>,
  error: unknown,
): TrialRecord {
  if (!(error instanceof ReceptiveError) || error.code === 'ERR_ABORTED') throw error;
  return { ...trial, failure: `${error.expected}, received ${error.received} [${error.code}]`, seconds: 0 };
}

/** What to train a trial again with. */
export interface TrainTrialOptions {
  readonly train: Dataset;
  readonly validation?: Dataset | undefined;
  /** Those of the search, for its weights. Default 3. */
  readonly epochs?: number | undefined;
  /** That of the search, for its weights. Default 1. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: FitOptions['onEpoch'];
  readonly onProgress?: FitOptions['onProgress'];
}

/**
 * Trains the network of a trial, such as `result.best`: with the epochs, the seed and the data of the search to the very weights
 * that it had there (`weightsSha256`), else for longer or on more images.
 *
 * Throws what `fit` throws.
 *
 * @returns the model, which is the caller's to dispose of, and how the training went
 */
export async function trainTrial(
  trial: Pick<Candidate, 'layers' | 'training'>,
  options: TrainTrialOptions,
): Promise<{ model: Module; result: FitResult }> {
  const op = 'trainTrial';
  if (!Array.isArray(Object(trial).layers) || typeof trial.training !== 'object') {
    throw fail('ERR_ARGUMENT', { op, expected: 'a trial of a search', received: describe(trial) });
  }
  checkOptions(op, options, ['train', 'validation', 'epochs', 'seed', 'signal', 'onEpoch', 'onProgress']);
  const { train, validation, signal, onEpoch, onProgress } = options;
  checkDataset(op, train);
  const epochs = checkWhole(op, 'epochs', options.epochs ?? 3);
  const seed = checkWhole(op, 'seed', options.seed ?? 1, Number.MIN_SAFE_INTEGER);
  const task = { imageShape: train.imageShape, classes: train.classNames.length };
  const model = buildNetwork(trial.layers, task, seed);
  try {
    const settings = { ...fitOptionsOf(trial, epochs, seed), validation, signal, onEpoch, onProgress };
    const result = await withGeneratorAt(drawsOf(seed), () => fit(model, train, settings));
    return { model, result };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
