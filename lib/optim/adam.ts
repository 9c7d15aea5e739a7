// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma and Ba 2015), and AdamW with its decoupled weight decay (Loshchilov and Hutter 2019); AMSGrad by Reddi, Kale
// and Kumar (2018).
import { checkBooleans } from '../errors.js';
import type { InstructionNumber } from '../native/varying.js';
import { type Moment, Optimizer } from './optimizer.js';
import {
  type BaseOptions,
  checkBetas,
  checkNotNegative,
  type Followed,
  type FullGroup,
  type Params,
} from './options.js';

/** Options of a group. */
export interface AdamGroupOptions extends BaseOptions {
  /** Decay of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Keeps the division finite. Default 1e-8. */
  eps: number;
  /** Divide by the root of the largest mean square so far, so that steps never grow again. Default false. */
  amsgrad: boolean;
}

/** Options of Adam and AdamW; all have defaults. */
export type AdamOptions = Partial<AdamGroupOptions>;

const DEFAULTS: AdamGroupOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
};

abstract class AdamFamily extends Optimizer<AdamGroupOptions> {
  protected override readonly instruction = 'adam_update';
  protected abstract readonly isDecoupled: boolean;

  constructor(
    name: string,
    params: Params<AdamGroupOptions>,
    defaults: AdamGroupOptions,
    options: AdamOptions,
  ) {
    super(name, params, defaults, options, (group) => check(name, group));
  }

  protected override slotNames({ amsgrad }: FullGroup<AdamGroupOptions>): readonly (string | null)[] {
    return ['exp_avg', 'exp_avg_sq', amsgrad ? 'max_exp_avg_sq' : null];
  }

  protected override numbers(
    { lr, betas, eps, weightDecay }: Followed<AdamGroupOptions>,
    { step }: Moment,
  ): readonly InstructionNumber[] {
    return [lr, betas[0], betas[1], eps, weightDecay, this.isDecoupled ? 1 : 0, step];
  }
}

/**
 * g = grad + weightDecay · w;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
 * w -= lr · m / (1 - β₁ᵗ) / (sqrt(v / (1 - β₂ᵗ)) + eps). Weight decay 0 by default. With amsgrad, the largest v so far.
 */
export class Adam extends AdamFamily {
  protected override readonly isDecoupled = false;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<AdamGroupOptions>, options: AdamOptions = {}) {
    super('Adam', params, DEFAULTS, options);
  }
}

/** Adam whose weight decay, 0.01 by default, shrinks the weights directly, w -= lr · weightDecay · w. */
export class AdamW extends AdamFamily {
  protected override readonly isDecoupled = true;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<AdamGroupOptions>, options: AdamOptions = {}) {
    super('AdamW', params, { ...DEFAULTS, weightDecay: 1e-2 }, options);
  }
}

function check(op: string, { lr, betas, eps, weightDecay, amsgrad, maximize }: AdamGroupOptions): void {
  checkNotNegative(op, { lr, eps, weightDecay });
  checkBooleans(op, { amsgrad, maximize });
  checkBetas(op, betas);
}
