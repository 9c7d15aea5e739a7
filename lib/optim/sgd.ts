// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent, with momentum as PyTorch defines it.
import { checkBooleans, describe, fail } from '../errors.js';
import type { InstructionNumber } from '../native/varying.js';
import { type Moment, Optimizer } from './optimizer.js';
import { type BaseOptions, checkNotNegative, type Followed, type FullGroup, type Params } from './options.js';

/** Options of a group. */
export interface SGDGroupOptions extends BaseOptions {
  /** How much of the last direction stays. Default 0. */
  momentum: number;
  /** How much less of the gradient enters the momentum. Default 0. */
  dampening: number;
  /** Look ahead along the momentum. Default false; needs momentum above 0 and dampening 0. */
  nesterov: boolean;
}

/** Options of SGD; all have defaults, lr 1e-3. */
export type SGDOptions = Partial<SGDGroupOptions>;

const DEFAULTS: SGDGroupOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

/**
 * g = grad + weightDecay · w;  v = momentum · v + (1 - dampening) · g, at first v = g;
 * w -= lr · v, or with Nesterov's look-ahead w -= lr · (g + momentum · v).
 */
export class SGD extends Optimizer<SGDGroupOptions> {
  protected override readonly instruction = 'sgd_update';
  protected override readonly countsSteps = false;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<SGDGroupOptions>, options: SGDOptions = {}) {
    super('SGD', params, DEFAULTS, options, check);
  }

  protected override slotNames({ momentum }: FullGroup<SGDGroupOptions>): readonly (string | null)[] {
    return [momentum === 0 ? null : 'momentum_buffer'];
  }

  protected override numbers(
    { lr, momentum, dampening, weightDecay, nesterov }: Followed<SGDGroupOptions>,
    { isFirst }: Moment,
  ): readonly InstructionNumber[] {
    return [lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, isFirst];
  }
}

function check(options: SGDGroupOptions): void {
  const { lr, momentum, dampening, weightDecay, nesterov, maximize } = options;
  checkNotNegative('SGD', { lr, momentum, weightDecay });
  checkBooleans('SGD', { nesterov, maximize });
  if (!Number.isFinite(dampening)) {
    throw fail('ERR_ARGUMENT', {
      op: 'SGD',
      expected: 'dampening to be a number',
      received: describe(dampening),
    });
  }
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw fail('ERR_ARGUMENT', {
      op: 'SGD',
      expected: 'momentum above 0 and dampening 0 where nesterov is set',
      received: `momentum ${momentum}, dampening ${dampening}`,
      hint: 'momentum 0.9 is usual',
    });
  }
}
