// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma and Ba 2015), and AdamW with its decoupled weight decay (Loshchilov and Hutter 2019).
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
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
export interface AdamGroupOptions extends BaseOptions {
  /** Decay of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Keeps the division finite. Default 1e-8. */
  eps: number;
}

/** Options of Adam and AdamW; all have defaults. */
export type AdamOptions = Partial<AdamGroupOptions>;

type Params = readonly Tensor[] | readonly ParameterGroup<AdamGroupOptions>[];

const DEFAULTS: AdamGroupOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

abstract class AdamFamily extends Optimizer<AdamGroupOptions> {
  protected abstract readonly isDecoupled: boolean;

  constructor(name: string, params: Params, defaults: AdamGroupOptions, options: AdamOptions) {
    super(name, params, defaults, options, (group) => checkOptions(name, group));
  }

  protected override slotNames(): readonly string[] {
    return ['mean', 'square'];
  }

  protected override update(
    parameter: Tensor,
    grad: Tensor,
    [mean, square]: readonly Tensor[],
    { lr, step }: Moment,
    { betas, eps, weightDecay }: FullGroup<AdamGroupOptions>,
  ): void {
    const numbers = [lr, betas[0], betas[1], eps, weightDecay, this.isDecoupled ? 1 : 0, step];
    emit('adam_update', [parameter.handle, grad.handle, mean.handle, square.handle], numbers);
  }
}

/**
 * g = grad + weightDecay · w;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
 * w -= lr · m / (1 - β₁ᵗ) / (sqrt(v / (1 - β₂ᵗ)) + eps). Weight decay 0 by default.
 */
export class Adam extends AdamFamily {
  protected override readonly isDecoupled = false;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params, options: AdamOptions = {}) {
    super('Adam', params, DEFAULTS, options);
  }
}

/** Adam whose weight decay, 0.01 by default, shrinks the weights directly, w -= lr · weightDecay · w. */
export class AdamW extends AdamFamily {
  protected override readonly isDecoupled = true;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params, options: AdamOptions = {}) {
    super('AdamW', params, { ...DEFAULTS, weightDecay: 1e-2 }, options);
  }
}

function checkOptions(op: string, { lr, betas, eps, weightDecay }: AdamGroupOptions): void {
  for (const [name, value] of Object.entries({ lr, eps, weightDecay })) checkNotNegative(op, name, value);
  const valid = Array.isArray(betas) && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1);
  if (valid) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'betas to be two numbers from 0 to below 1',
    received: describe(betas),
  });
}
