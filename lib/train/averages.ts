// SPDX-License-Identifier: Apache-2.0
// The averages of a training: made by `fit` for its own length, or the caller's.
import { describe, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { checkDecay, EMA } from '../optim/ema.js';

/** Averages of weights while a model is trained. */
export interface AverageOptions {
  /**
   * A decay such as 0.999: average the weights, validate with the averages, and leave them in the model when the training ends.
   * Or an `optim.EMA` of the model, which is validated too; the model then keeps its weights. Default: no averages.
   */
  readonly ema?: number | EMA | undefined;
}

/** What a training does with averages. */
export interface Average {
  readonly ema: EMA;
  /** The training has ended well. */
  readonly finish: () => void;
  readonly [Symbol.dispose]: () => void;
}

const nothing = () => {};

/** The averages that `fit` was asked for. Throws ERR_ARGUMENT. */
export function makeAverage(model: Module, option: AverageOptions['ema']): Average | undefined {
  if (option === undefined) return undefined;
  if (option instanceof EMA) {
    if (option.isOf(model)) return { ema: option, finish: nothing, [Symbol.dispose]: nothing };
    const received = 'one of another model';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected: 'ema to be an EMA of the model', received });
  }
  if (typeof option !== 'number') {
    const expected = 'ema to be a decay from 0 to below 1, or an EMA of the model';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: describe(option) });
  }
  const ema = new EMA(model, { decay: checkDecay('fit', option) });
  const finish = () => void model.loadStateDict(ema.model.stateDict());
  return { ema, finish, [Symbol.dispose]: () => ema.dispose() };
}
