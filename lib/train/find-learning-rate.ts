// SPDX-License-Identifier: Apache-2.0
// A learning rate by trying: it rises from step to step, and the loss tells where it is too small, right, and too large (Smith
// 2017; smoothing, end and suggestion as in fastai).
import { checkDataset } from '../data/dataset.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkListeners, checkNumber, checkOptions, checkWhole, fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { Optimizer } from '../optim/optimizer.js';
import { type FitOptions, fit } from './fit.js';
import { isNotFinite } from './not-finite.js';
import type { BatchReport } from './progress.js';
import { rehearse } from './rehearsal.js';

const OF_FIT = [
  ...(['batchSize', 'seed', 'shuffle', 'augment', 'loss', 'optimizer', 'momentum', 'weightDecay'] as const),
  ...(['nesterov', 'normLr', 'labelSmoothing'] as const),
  ...(['clipGradNorm', 'clipGradValue', 'microBatches', 'maxMemory', 'capture'] as const),
  ...(['threads', 'priority', 'cpuShare', 'signal'] as const),
] as const;

/** Which rates to try, and how to train; what is not named is as for `fit`. */
export interface FindLearningRateOptions extends Pick<FitOptions, (typeof OF_FIT)[number]> {
  /** The first rate. Default 1e-7. */
  readonly from?: number | undefined;
  /** The last rate, if the loss lets it come so far. Default 10. */
  readonly to?: number | undefined;
  /** Rates to try, one a step, each larger than the one before by the same factor. At least 10, default 100. */
  readonly steps?: number | undefined;
}

/** What the loss made of the rates. */
export interface LearningRateCurve {
  readonly rates: readonly number[];
  /** Of the batch of each step. */
  readonly losses: readonly number[];
  /** The same, smoothed. */
  readonly smoothed: readonly number[];
  /** The rate in the middle of the longest descent of the smoothed loss; nothing where it never fell. */
  readonly suggestion: number | undefined;
}

const SMOOTHING = 0.98;
/** A loss so many times the best is the end. */
const DIVERGED = 4;

/**
 * Tries learning rates on a model, which is afterwards what it was.
 *
 * Throws ERR_ARGUMENT for wrong options, ERR_ABORTED when the signal said so, and what `fit` throws before its first step.
 */
export async function findLearningRate(
  model: Module,
  dataset: AnyDataset,
  options: FindLearningRateOptions = {},
): Promise<LearningRateCurve> {
  const op = 'findLearningRate';
  checkModel(op, model);
  checkDataset(op, dataset);
  checkOptions(op, options, [...OF_FIT, 'from', 'to', 'steps']);
  const { from = 1e-7, to = 10, steps = 100, signal, ...training } = options;
  checkNumber(op, 'from', from, Number.MIN_VALUE);
  checkNumber(op, 'to', to, 2 * from);
  checkWhole(op, 'steps', steps, 10);
  checkListeners(op, signal);
  if (training.optimizer instanceof Optimizer) {
    const received = 'one of its own, whose state would move';
    throw fail('ERR_ARGUMENT', { op, expected: 'the name of an optimizer', received });
  }
  const schedule = (step: number) => from * (to / from) ** (Math.min(step, steps - 1) / (steps - 1));
  const curve = new Curve();
  const ending = new AbortController();
  const onBatch = ({ lr, loss, step }: BatchReport) => {
    if (!curve.add(lr, loss) || step === steps) ending.abort();
  };
  await rehearse(model, async () => {
    const ends = signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]);
    try {
      const tried = { epochs: steps, schedule, onBatch, signal: ends, cacheFeatures: false };
      await fit(model, dataset, { ...training, ...tried });
    } catch (error) {
      if (!isNotFinite(error) || curve.losses.length === 0) throw error; // the rate was too large: that is an answer
    }
  });
  if (signal?.aborted !== true) return curve.result();
  throw fail('ERR_ABORTED', {
    op,
    expected: 'to run to the end',
    received: 'an abort signal',
    cause: signal.reason,
  });
}

/** Losses by rate. */
class Curve {
  readonly losses: number[] = [];
  readonly #rates: number[] = [];
  readonly #smoothed: number[] = [];
  #average = 0;
  #best = Infinity;

  /** Takes a step; false where the loss has run away. */
  add(rate: number, loss: number): boolean {
    this.#rates.push(rate);
    this.losses.push(loss);
    this.#average = SMOOTHING * this.#average + (1 - SMOOTHING) * loss;
    const smoothed = this.#average / (1 - SMOOTHING ** this.losses.length);
    this.#smoothed.push(smoothed);
    if (smoothed > DIVERGED * this.#best) return false;
    this.#best = Math.min(this.#best, smoothed);
    return true;
  }

  result(): LearningRateCurve {
    const rates = this.#rates;
    const middle = middleOfDescent(this.#smoothed);
    return {
      ...{ rates, losses: this.losses, smoothed: this.#smoothed },
      suggestion: middle === undefined ? undefined : rates[middle],
    };
  }
}

/**
 * The middle of the longest descent: of as many values as the longest falling subsequence has, up to its last one. That is what
 * fastai suggests by default; the steepest slope, which was tried first, found the noise before the descent.
 */
function middleOfDescent(values: readonly number[]): number | undefined {
  const lengths: number[] = [];
  let end = 0;
  for (const [i, value] of values.entries()) {
    let length = 1;
    for (let j = 0; j < i; j++) if (value < values[j] && length <= lengths[j]) length = lengths[j] + 1;
    lengths.push(length);
    if (length > lengths[end]) end = i;
  }
  const longest = lengths[end] ?? 0;
  return longest < 2 ? undefined : end - Math.floor(longest / 2);
}
