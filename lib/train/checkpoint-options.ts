// SPDX-License-Identifier: Apache-2.0
// When a training writes checkpoints, where, and which of them stay.
import {
  checkListeners,
  checkNumber,
  checkOptions,
  checkWhole,
  describe,
  didYouMean,
  fail,
} from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import type { HistoryRow } from './progress.js';

/** What an epoch can be better by than those before it. */
export const MEASUREMENTS = ['loss', 'accuracy', 'valLoss', 'valAccuracy'] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

/** Where checkpoints go, and when they are written. */
export interface CheckpointOptions {
  /** Their folder, of one training alone; it is made where it is missing. */
  readonly dir: string;
  /** After every so many steps of the training. */
  readonly everySteps?: number | undefined;
  /** When so many seconds have passed since the one before. Where neither is given, after each epoch. */
  readonly everySeconds?: number | undefined;
  /** The newest ones that stay, at least 2. Default 2. */
  readonly keep?: number | undefined;
  /**
   * Besides, the one of the best epoch by this measurement, which is then written whenever an epoch is better than all before
   * it. Default: 'valLoss' where there is a validation set, else none. False: none.
   */
  readonly best?: Measurement | false | undefined;
  /**
   * What happens when a checkpoint cannot be written: 'warn' (default), and the training goes on; 'stop', and it ends with the
   * error. Those that are there stay in both cases.
   */
  readonly onFailure?: 'warn' | 'stop' | undefined;
}

/** What `onCheckpoint` is told. */
export interface CheckpointReport {
  /**
   * 'saved'; 'resumed', before the first step; 'failed': it could not be written, `error` says why; 'damaged': it could not be
   * read, and the one before it is tried; 'changed': options differ from those that the training began with.
   */
  readonly event: 'saved' | 'resumed' | 'failed' | 'damaged' | 'changed';
  readonly path: string;
  /** Steps that were done, for the file's name. */
  readonly step: number;
  /** Of all but 'saved' and 'resumed': in words. */
  readonly message?: string;
  /** Of 'failed' and 'damaged'. */
  readonly error?: unknown;
}

/** How a training is kept, and gone on with. */
export interface KeepingOptions {
  /**
   * Writes the whole state of the training while it goes on: weights and buffers, optimizer, schedule, random numbers, position
   * in the data, averages, history. Always after the last step, also when the signal ends the training. One that is due while
   * another is being written is left out, but for the best and the last. Weights that are not finite are never written.
   *
   * A folder with checkpoints of an unfinished training is refused unless `resume` goes on with it; those of a finished one go.
   */
  readonly checkpoint?: CheckpointOptions | undefined;
  /**
   * Goes on from the newest checkpoint in this folder, or, with `true`, in that of `checkpoint`: to the weights that the training
   * would have had in one go, to the bit. Where there is none yet, the training begins. A damaged newest one gives way to the
   * one before it, with a warning. Learning rates go on as they were; `epochs` may be more. Random numbers are those of the
   * shared generator (`manualSeed`); generators of one's own stay as they are.
   */
  readonly resume?: string | boolean | undefined;
  /** Is told of checkpoints that were written, read or refused. Default: warnings of the process for the last. */
  readonly onCheckpoint?: ((report: CheckpointReport) => void) | undefined;
}

/** The options with their defaults. */
export interface Keeping {
  /** Where checkpoints are written, if they are. */
  readonly dir: string | undefined;
  readonly resumeFrom: string | undefined;
  readonly everySteps: number | undefined;
  readonly everySeconds: number | undefined;
  readonly keep: number;
  readonly best: Measurement | undefined;
  readonly stops: boolean;
  readonly tell: (report: CheckpointReport) => void;
}

const OPTIONS: readonly (keyof CheckpointOptions)[] = [
  ...(['dir', 'everySteps', 'everySeconds', 'keep', 'best', 'onFailure'] as const),
];

const warn = ({ message }: CheckpointReport) => {
  if (message !== undefined) process.emitWarning(message, 'CheckpointWarning');
};

/** The options, checked; nothing where a training is neither kept nor gone on with. Throws ERR_ARGUMENT. */
export function checkKeeping(options: KeepingOptions, hasValidation: boolean): Keeping | undefined {
  const { checkpoint, resume = false, onCheckpoint } = options;
  checkListeners('fit', undefined, { onCheckpoint });
  if (typeof resume !== 'boolean') checkPath('fit', resume);
  if (checkpoint === undefined) {
    if (resume === false) return undefined;
    if (resume === true) {
      throw refuse('a folder to resume from', 'true, without checkpoint');
    }
  } else {
    checkOptions('fit', checkpoint, OPTIONS);
    checkPath('fit', checkpoint.dir);
  }
  const { dir, everySteps, everySeconds, keep = 2, onFailure = 'warn' } = checkpoint ?? {};
  if (everySteps !== undefined) checkWhole('fit', 'everySteps', everySteps);
  if (everySeconds !== undefined)
    checkNumber('fit', 'everySeconds', everySeconds, 0.001, (2 ** 31 - 1) / 1000);
  checkWhole('fit', 'keep', keep, 2);
  if (onFailure !== 'warn' && onFailure !== 'stop') {
    throw refuse("onFailure to be 'warn' or 'stop'", describe(onFailure));
  }
  return {
    dir,
    resumeFrom: resume === true ? dir : resume || undefined,
    everySteps,
    everySeconds,
    keep,
    best: checkBest(checkpoint?.best, hasValidation),
    stops: onFailure === 'stop',
    tell: onCheckpoint ?? warn,
  };
}

function checkBest(best: CheckpointOptions['best'], hasValidation: boolean): Measurement | undefined {
  if (best === false) return undefined;
  if (best === undefined) return hasValidation ? 'valLoss' : undefined;
  return checkMeasurement('best', best, hasValidation);
}

/** Refuses what no row of the history will hold. */
export function checkMeasurement(option: string, name: unknown, hasValidation: boolean): Measurement {
  if (!MEASUREMENTS.includes(name as Measurement)) {
    const expected = `${option} to be one of ${MEASUREMENTS.join(', ')}`;
    throw refuse(expected, describe(name), didYouMean(name, MEASUREMENTS));
  }
  if (hasValidation || !String(name).startsWith('val')) return name as Measurement;
  throw refuse(`a validation set, for ${option} '${name}'`, 'none');
}

/** Whether a row is better by a measurement than `best`; NaN is not. Nothing is worse than any number. */
export function isBetter(row: HistoryRow, by: Measurement, best: number | undefined, least = 0): boolean {
  const value = row[by];
  if (value === undefined || Number.isNaN(value)) return false;
  if (best === undefined) return true;
  return by.toLowerCase().endsWith('loss') ? value < best - least : value > best + least;
}

function refuse(expected: string, received: string, hint?: string) {
  return fail('ERR_ARGUMENT', { op: 'fit', expected, received, hint });
}
