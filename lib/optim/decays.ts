// SPDX-License-Identifier: Apache-2.0
// Schedules that go one way, in steps or smoothly. Names, defaults and numbers are PyTorch's; all of them count steps, where
// PyTorch's count how often `step` of the scheduler was called.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import { checkBetween, type RelativeSchedule } from './schedule.js';

/** Options of `stepLR`. */
export interface StepLROptions {
  /** Steps from one change to the next. */
  readonly stepSize: number;
  /** The factor of each change. Default 0.1. */
  readonly gamma?: number;
}

/** The rate times `gamma` every `stepSize` steps, without end. */
export function stepLR(options: StepLROptions): RelativeSchedule {
  checkOptions('stepLR', options, ['stepSize', 'gamma']);
  const { stepSize, gamma = 0.1 } = options;
  checkWhole('stepLR', 'stepSize', stepSize);
  checkBetween('stepLR', 'gamma', gamma, 0);
  return (step, base = 1) => base * gamma ** Math.floor(step / stepSize);
}

/** Options of `multiStepLR`. */
export interface MultiStepLROptions {
  /** The steps at which the rate changes, in rising order. */
  readonly milestones: readonly number[];
  /** The factor of each change. Default 0.1. */
  readonly gamma?: number;
}

/** The rate times `gamma` from each milestone on. After the last it stays. */
export function multiStepLR(options: MultiStepLROptions): RelativeSchedule {
  checkOptions('multiStepLR', options, ['milestones', 'gamma']);
  const { milestones, gamma = 0.1 } = options;
  checkBetween('multiStepLR', 'gamma', gamma, 0);
  const ordered = checkMilestones('multiStepLR', milestones);
  return (step, base = 1) => base * gamma ** ordered.filter((milestone) => milestone <= step).length;
}

/** Refuses anything but whole numbers of at least 1 in rising order; a copy of them. */
export function checkMilestones(op: string, milestones: readonly number[]): readonly number[] {
  const isRising = (item: number, i: number) =>
    Number.isSafeInteger(item) && item > (i === 0 ? 0 : milestones[i - 1]);
  if (Array.isArray(milestones) && milestones.every(isRising)) return [...milestones];
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'milestones, whole numbers of at least 1 in rising order',
    received: describe(milestones),
    hint: 'such as [3000, 4500]; steps are counted from 0',
  });
}

/** Options of `exponentialLR`. */
export interface ExponentialLROptions {
  /** The factor of each step. */
  readonly gamma: number;
}

/** The rate times `gamma` in every step, without end. */
export function exponentialLR(options: ExponentialLROptions): RelativeSchedule {
  checkOptions('exponentialLR', options, ['gamma']);
  const { gamma } = options;
  checkBetween('exponentialLR', 'gamma', gamma, 0);
  return (step, base = 1) => base * gamma ** step;
}

/** Options of `polynomialLR`. */
export interface PolynomialLROptions {
  /** Steps until the rate is 0. Default 5. */
  readonly totalIters?: number;
  /** Default 1: a straight line. */
  readonly power?: number;
}

/** The rate times (1 - step / totalIters) ** power; 0 from there on. */
export function polynomialLR(options: PolynomialLROptions = {}): RelativeSchedule {
  checkOptions('polynomialLR', options, ['totalIters', 'power']);
  const { totalIters = 5, power = 1 } = options;
  checkWhole('polynomialLR', 'totalIters', totalIters);
  checkBetween('polynomialLR', 'power', power, 0);
  return (step, base = 1) => base * (1 - Math.min(step, totalIters) / totalIters) ** power;
}

/** Options of `linearLR`. */
export interface LinearLROptions {
  /** The factor of the first step, above 0 and up to 1. Default 1/3. */
  readonly startFactor?: number;
  /** The factor of step `totalIters` and all that follow, from 0 to 1. Default 1. */
  readonly endFactor?: number;
  /** Steps from one to the other. Default 5. */
  readonly totalIters?: number;
}

/** The rate times a factor that changes in a straight line, then stays: a warm-up, or a descent. */
export function linearLR(options: LinearLROptions = {}): RelativeSchedule {
  checkOptions('linearLR', options, ['startFactor', 'endFactor', 'totalIters']);
  const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
  checkBetween('linearLR', 'startFactor', startFactor, 0, 1);
  if (endFactor !== 0) checkBetween('linearLR', 'endFactor', endFactor, 0, 1);
  checkWhole('linearLR', 'totalIters', totalIters);
  return (step, base = 1) =>
    base * (startFactor + (endFactor - startFactor) * (Math.min(step, totalIters) / totalIters));
}
