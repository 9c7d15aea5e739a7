// SPDX-License-Identifier: Apache-2.0
// Lookahead in a training: made by `fit` for its own length, or the caller's.
import { describe, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { Lookahead, type LookaheadOptions } from '../optim/lookahead.js';

/** Lookahead whose alpha may follow the progress of a training. */
export interface TrainingLookahead extends Omit<LookaheadOptions, 'alpha'> {
  /** A number from 0 to 1, or a function that says so of how much of the training is over, from 0 to 1. Default 0.5. */
  readonly alpha?: number | ((progress: number) => number) | undefined;
}

/** Slow weights while a model is trained. */
export interface LookaheadFitOptions {
  /**
   * Lookahead (Zhang et al. 2019): every so many steps the weights go back towards slow ones that follow them; see `optim.Lookahead`.
   * The model is left with the slow ones, also for the last validation. A number is that of the steps. Or an `optim.Lookahead` of the
   * model, which goes on from its state. Default: none.
   */
  readonly lookahead?: number | TrainingLookahead | Lookahead | undefined;
}

/** What a training does with slow weights. */
export interface TrainedLookahead {
  readonly lookahead: Lookahead;
  readonly [Symbol.dispose]: () => void;
}

/**
 * The slow weights that `fit` was asked for. Throws ERR_ARGUMENT.
 *
 * @param progress how much of the training is over after so many steps, from 0 to 1
 */
export function makeLookahead(
  model: Module,
  option: LookaheadFitOptions['lookahead'],
  progress: (steps: number) => number,
): TrainedLookahead | undefined {
  if (option === undefined) return undefined;
  if (option instanceof Lookahead) {
    if (option.isOf(model)) return { lookahead: option, [Symbol.dispose]: () => {} };
    const received = 'one of another model';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected: 'lookahead to be a Lookahead of the model', received });
  }
  if (typeof option !== 'number' && (typeof option !== 'object' || option === null)) {
    const expected = 'lookahead to be a number of steps, options, or a Lookahead of the model';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: describe(option) });
  }
  const given: TrainingLookahead = typeof option === 'number' ? { every: option } : option;
  const { alpha } = given;
  const followed = typeof alpha === 'function' ? (updates: number) => alpha(progress(updates)) : alpha;
  const lookahead = new Lookahead(model, { ...given, alpha: followed });
  return { lookahead, [Symbol.dispose]: () => lookahead.dispose() };
}
