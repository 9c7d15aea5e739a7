// SPDX-License-Identifier: Apache-2.0
// Adagrad (Duchi, Hazan and Singer 2011).
import { checkBooleans } from '../errors.js';
import type { InstructionNumber } from '../native/varying.js';
import { type Moment, Optimizer } from './optimizer.js';
import { type BaseOptions, checkNotNegative, type Followed, type FullGroup, type Params } from './options.js';

/** Options of a group. */
export interface AdagradGroupOptions extends BaseOptions {
  /** The learning rate of update t, from 1, is lr / (1 + (t - 1) · lrDecay). Default 0. */
  lrDecay: number;
  /** What the sums of squares begin with. Default 0. */
  initialAccumulatorValue: number;
  /** Keeps the division finite. Default 1e-10. */
  eps: number;
}

/** Options of Adagrad; all have defaults, lr 0.01. */
export type AdagradOptions = Partial<AdagradGroupOptions>;

const DEFAULTS: AdagradGroupOptions = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

/** g = grad + weightDecay · w;  s = s + g²;  w -= lr / (1 + (t - 1) · lrDecay) · g / (sqrt(s) + eps). */
export class Adagrad extends Optimizer<AdagradGroupOptions> {
  protected override readonly instruction = 'adagrad_update';

  /** @param params parameters, or groups `{ params, ...options }` */
  constructor(params: Params<AdagradGroupOptions>, options: AdagradOptions = {}) {
    super('Adagrad', params, DEFAULTS, options, check);
  }

  protected override slotNames(): readonly string[] {
    return ['sum'];
  }

  protected override slotValue(group: FullGroup<AdagradGroupOptions>): number {
    return group.initialAccumulatorValue;
  }

  protected override numbers(
    { lr, lrDecay, eps, weightDecay }: Followed<AdagradGroupOptions>,
    { step }: Moment,
  ): readonly InstructionNumber[] {
    return [lr, lrDecay, eps, weightDecay, step];
  }
}

function check(options: AdagradGroupOptions): void {
  const { lr, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize } = options;
  checkNotNegative('Adagrad', { lr, lrDecay, weightDecay, initialAccumulatorValue, eps });
  checkBooleans('Adagrad', { maximize });
}
