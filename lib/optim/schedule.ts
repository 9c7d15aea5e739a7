// SPDX-License-Identifier: Apache-2.0
// Learning rates over time: a schedule is a function of the step, counted from 0.
import { checkOptions, describe, fail } from '../errors.js';

/** The learning rate of a step, the first of which is 0. */
export type Schedule = (step: number) => number;

/** Always the same. */
export function constant(lr: number): Schedule {
  checkRate('constant', 'lr', lr);
  return () => lr;
}

/** How a cosine schedule runs. */
export interface CosineOptions {
  /** How many steps there will be, warm-up included. */
  readonly steps: number;
  /** The highest rate. */
  readonly lr: number;
  /** Steps of a linear rise from lr / warmup to lr before the descent. Default 0. */
  readonly warmup?: number;
  /** The rate that the descent ends at. Default 0. */
  readonly min?: number;
}

/** A linear rise to `lr`, then half a cosine down to `min` (Loshchilov and Hutter 2017). After the last step it stays. */
export function cosine(options: CosineOptions): Schedule {
  checkOptions('cosine', options, ['steps', 'lr', 'warmup', 'min']);
  const { steps, lr, warmup = 0, min = 0 } = options;
  checkRate('cosine', 'lr', lr);
  checkRate('cosine', 'min', min);
  checkSteps('steps', steps, 1, Number.MAX_SAFE_INTEGER);
  checkSteps('warmup', warmup, 0, steps);
  return (step) => {
    if (step < warmup) return (lr * (step + 1)) / warmup;
    const progress = steps === warmup ? 1 : Math.min(1, (step - warmup) / (steps - warmup));
    return min + ((lr - min) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

function checkRate(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} of at least 0`, received: describe(value) });
}

function checkSteps(name: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  const range = name === 'warmup' ? `from 0 to the ${high} steps` : `of at least ${low}`;
  throw fail('ERR_ARGUMENT', {
    op: 'cosine',
    expected: `${name} to be a whole number ${range}`,
    received: describe(value),
  });
}
