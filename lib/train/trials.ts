// SPDX-License-Identifier: Apache-2.0
// Trainings that are only to show that everything works: on a few batches, which a sound model learns by heart, or through all
// stations once.
import { take } from '../data/dataset.js';
import { TRAINING_BATCH } from '../data/loader.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkWhole, fail } from '../errors.js';
import { DEFAULT_BATCH } from './evaluate.js';
import type { FitOptions } from './fit.js';

/** How a training is tried. */
export interface TrialOptions {
  /**
   * Trains on the first so many batches alone, in their order, and validates on the same: the loss should go to nothing. Refused
   * with `validation`.
   */
  readonly overfitBatches?: number | undefined;
  /**
   * One epoch of one batch, or of so many, and a validation of as many, to find mistakes before the real training. Nothing is
   * kept: `checkpoint`, `resume`, `log`, `earlyStopping` and `budget` are checked and left out. Default false.
   */
  readonly fastDevRun?: boolean | number | undefined;
}

/** The training that is done to try one; nothing where it is to be done as it is. Throws ERR_ARGUMENT. */
export function asTried(
  dataset: AnyDataset,
  { overfitBatches, fastDevRun = false, ...options }: FitOptions,
): { dataset: AnyDataset; options: FitOptions } | undefined {
  const { batchSize = TRAINING_BATCH } = options;
  const isDevRun = fastDevRun !== false;
  if (typeof fastDevRun !== 'boolean') checkWhole('fit', 'fastDevRun', fastDevRun);
  if (overfitBatches !== undefined) {
    checkWhole('fit', 'overfitBatches', overfitBatches);
    if (isDevRun || options.validation !== undefined) {
      const received = isDevRun ? 'fastDevRun as well' : 'a validation set as well';
      throw fail('ERR_ARGUMENT', { op: 'fit', expected: 'overfitBatches alone', received });
    }
    const few = take(dataset, overfitBatches * batchSize);
    return { dataset: few, options: { ...options, shuffle: false, validation: few } };
  }
  if (!isDevRun) return undefined;
  const batches = Number(fastDevRun);
  const validation = options.validation && take(options.validation, batches * DEFAULT_BATCH);
  const nothing = {
    ...{ checkpoint: undefined, resume: undefined, log: undefined },
    ...{ earlyStopping: undefined, budget: undefined },
  };
  return {
    dataset: take(dataset, batches * batchSize),
    options: { ...options, ...nothing, validation, epochs: 1 },
  };
}
