// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent, with momentum as PyTorch defines it.
import { describe, fail } from '../errors.js';
import { emit, NO_TENSOR } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  type BaseOptions,
  checkNotNegative,
  type FullGroup,
  type Moment,
  Optimizer,
  type ParameterGroup,
} from './optimizer.js';

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

const DEFAULTS: SGDGroupOptions = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

/**
 * g = grad + weightDecay · w;  v = momentum · v + (1 - dampening) · g, at first v = g;
 * w -= lr · v, or with Nesterov's look-ahead w -= lr · (g + momentum · v).
 */
export class SGD extends Optimizer<SGDGroupOptions> {
  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(
    params: readonly Tensor[] | readonly ParameterGroup<SGDGroupOptions>[],
    options: SGDOptions = {},
  ) {
    super('SGD', params, DEFAULTS, options, checkOptions);
  }

  protected override slotNames(group: FullGroup<SGDGroupOptions>): readonly string[] {
    return group.momentum === 0 ? [] : ['momentum'];
  }

  protected override update(
    parameter: Tensor,
    grad: Tensor,
    slots: readonly Tensor[],
    { lr, isFirst }: Moment,
    group: FullGroup<SGDGroupOptions>,
  ): void {
    const { momentum, dampening, weightDecay, nesterov } = group;
    const buffer = slots[0]?.handle ?? NO_TENSOR;
    const numbers = [lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, isFirst];
    emit('sgd_update', [parameter.handle, grad.handle, buffer], numbers);
  }
}

function checkOptions({ lr, momentum, dampening, weightDecay, nesterov }: SGDGroupOptions): void {
  for (const [name, value] of Object.entries({ lr, momentum, weightDecay })) {
    checkNotNegative('SGD', name, value);
  }
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
    });
  }
}
