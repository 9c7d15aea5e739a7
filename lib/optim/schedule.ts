// SPDX-License-Identifier: Apache-2.0
// Learning rates over time: a schedule is a function of the step, counted from 0, and of the rate that a group began with.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';

/** The learning rate of a step, the first of which is 0, for a group of parameters that was made with the rate `base`. */
export interface Schedule {
  (step: number, base: number): number;
  /**
   * The momentum of a step, for a schedule that moves it too: `momentum` of a group, or the first of its `betas`. Undefined where
   * it is the group's own.
   */
  readonly momentum?: ((step: number) => number | undefined) | undefined;
}

/** A schedule that can also be asked for its shape: the rates for a base of 1. */
export interface RelativeSchedule extends Schedule {
  (step: number, base?: number): number;
}

/** Always the same. */
export function constant(lr: number): RelativeSchedule {
  checkRate('constant', 'lr', lr);
  return () => lr;
}

/** How a cosine schedule runs. */
export interface CosineOptions {
  /** How many steps there will be, warm-up included. */
  readonly steps: number;
  /** The highest rate. Default: the one that a group began with. */
  readonly lr?: number;
  /** Steps of a linear rise from lr / warmup to lr before the descent. Default 0. */
  readonly warmup?: number;
  /** The rate that the descent ends at. Default 0. */
  readonly min?: number;
}

/** A linear rise to `lr`, then half a cosine down to `min` (Loshchilov and Hutter 2017). After the last step it stays. */
export function cosine(options: CosineOptions): RelativeSchedule {
  checkOptions('cosine', options, ['steps', 'lr', 'warmup', 'min']);
  const { steps, lr, warmup = 0, min = 0 } = options;
  if (lr !== undefined) checkRate('cosine', 'lr', lr);
  checkRate('cosine', 'min', min);
  checkWhole('cosine', 'steps', steps);
  checkWhole('cosine', 'warmup', warmup, 0);
  if (warmup > steps) {
    throw fail('ERR_ARGUMENT', {
      op: 'cosine',
      expected: `warmup of at most the ${steps} steps`,
      received: describe(warmup),
    });
  }
  return (step, base = 1) => {
    const top = lr ?? base;
    if (step < warmup) return (top * (step + 1)) / warmup;
    const progress = steps === warmup ? 1 : Math.min(1, (step - warmup) / (steps - warmup));
    return min + ((top - min) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

/** Refuses what is no function. */
export function checkSchedule(op: string, schedule: unknown): void {
  if (typeof schedule === 'function') return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'a schedule, a function from a step to a learning rate',
    received: describe(schedule),
    hint: 'such as optim.stepLR({ stepSize: 1000 })',
  });
}

/** Refuses anything but a finite number of at least 0. */
export function checkRate(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} of at least 0`, received: describe(value) });
}

/** Refuses anything but a finite number above `low` and of at most `high`. */
export function checkBetween(op: string, name: string, value: number, low: number, high = Infinity): void {
  if (Number.isFinite(value) && value > low && value <= high) return;
  const upTo = high === Infinity ? '' : ` and of at most ${high}`;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} above ${low}${upTo}`, received: describe(value) });
}
