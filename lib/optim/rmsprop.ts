// SPDX-License-Identifier: Apache-2.0
// RMSprop (Hinton 2012, lecture 6 of "Neural networks for machine learning"); centered as Graves (2013) has it.
import { checkBooleans, describe, fail } from '../errors.js';
import type { InstructionNumber } from '../native/varying.js';
import { Optimizer } from './optimizer.js';
import { type BaseOptions, checkNotNegative, type Followed, type FullGroup, type Params } from './options.js';

/** Options of a group. */
export interface RMSpropGroupOptions extends BaseOptions {
  /** Decay of the running mean of the gradient's square. Default 0.99. */
  alpha: number;
  /** Keeps the division finite. Default 1e-8. */
  eps: number;
  /** How much of the last direction stays. Default 0. */
  momentum: number;
  /** Divide by the root of the variance instead of the mean square. Default false. */
  centered: boolean;
}

/** Options of RMSprop; all have defaults, lr 0.01. */
export type RMSpropOptions = Partial<RMSpropGroupOptions>;

const DEFAULTS: RMSpropGroupOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/**
 * g = grad + weightDecay · w;  v = α v + (1 - α) g²;  b = momentum · b + g / (sqrt(v) + eps);  w -= lr · b. Centered: m = α m +
 * (1 - α) g, and v - m² in place of v, at least 0.
 */
export class RMSprop extends Optimizer<RMSpropGroupOptions> {
  protected override readonly instruction = 'rmsprop_update';
  protected override readonly countsSteps = false;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<RMSpropGroupOptions>, options: RMSpropOptions = {}) {
    super('RMSprop', params, DEFAULTS, options, check);
  }

  protected override slotNames(group: FullGroup<RMSpropGroupOptions>): readonly (string | null)[] {
    return [
      'square_avg',
      group.centered ? 'grad_avg' : null,
      group.momentum === 0 ? null : 'momentum_buffer',
    ];
  }

  protected override numbers(options: Followed<RMSpropGroupOptions>): readonly InstructionNumber[] {
    const { lr, alpha, eps, weightDecay, momentum } = options;
    return [lr, alpha, eps, weightDecay, momentum];
  }
}

function check(options: RMSpropGroupOptions): void {
  const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = options;
  checkNotNegative('RMSprop', { lr, eps, weightDecay, momentum });
  checkBooleans('RMSprop', { centered, maximize });
  if (alpha >= 0 && alpha < 1) return;
  throw fail('ERR_ARGUMENT', {
    op: 'RMSprop',
    expected: 'alpha from 0 to below 1',
    received: describe(alpha),
    hint: 'the default is 0.99',
  });
}
