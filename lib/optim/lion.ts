// SPDX-License-Identifier: Apache-2.0
// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"). PyTorch has none; names and defaults are those of
// its Adam and of the paper.
import { checkBooleans } from '../errors.js';
import type { InstructionNumber } from '../native/varying.js';
import { Optimizer } from './optimizer.js';
import { type BaseOptions, checkBetas, checkNotNegative, type Followed, type Params } from './options.js';

/** Options of a group. */
export interface LionGroupOptions extends BaseOptions {
  /** How much of the running mean enters the direction, and how much of it stays. Default [0.9, 0.99]. */
  betas: readonly [number, number];
}

/** Options of Lion; all have defaults, lr 1e-4. */
export type LionOptions = Partial<LionGroupOptions>;

const DEFAULTS: LionGroupOptions = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };

/**
 * w -= lr · (sign(β₁ m + (1 - β₁) grad) + weightDecay · w);  m = β₂ m + (1 - β₂) grad. Every weight moves by lr in each step:
 * a third to a tenth of Adam's rate is usual, with three to ten times its weight decay.
 */
export class Lion extends Optimizer<LionGroupOptions> {
  protected override readonly instruction = 'lion_update';
  protected override readonly countsSteps = false;

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<LionGroupOptions>, options: LionOptions = {}) {
    super('Lion', params, DEFAULTS, options, check);
  }

  protected override slotNames(): readonly string[] {
    return ['exp_avg'];
  }

  protected override numbers(options: Followed<LionGroupOptions>): readonly InstructionNumber[] {
    const { lr, betas, weightDecay } = options;
    return [lr, betas[0], betas[1], weightDecay];
  }
}

function check({ lr, betas, weightDecay, maximize }: LionGroupOptions): void {
  checkNotNegative('Lion', { lr, weightDecay });
  checkBooleans('Lion', { maximize });
  checkBetas('Lion', betas);
}
