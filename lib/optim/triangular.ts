// SPDX-License-Identifier: Apache-2.0
// A rise in a straight line, and a descent in another.
import { checkNumber, checkOptions, checkWhole } from '../errors.js';
import type { RelativeSchedule } from './schedule.js';

/** How a triangular schedule runs. */
export interface TriangularOptions {
  /** How many steps there will be. */
  readonly steps: number;
  /** The share of them before the top, which is the rate that a group began with; from 0 to 1. Default 0.23. */
  readonly peak?: number;
  /** The factor of the first step. Default 0.2. */
  readonly start?: number;
  /** The factor behind the last step. Default 0.07. */
  readonly end?: number;
}

/**
 * From `start` to 1 and down to `end`, times the rate; the defaults are those of airbench (Jordan 2024). After the last step it
 * stays.
 */
export function triangular(options: TriangularOptions): RelativeSchedule {
  const op = 'triangular';
  checkOptions(op, options, ['steps', 'peak', 'start', 'end']);
  const { steps, peak = 0.23, start = 0.2, end = 0.07 } = options;
  checkWhole(op, 'steps', steps);
  checkNumber(op, 'peak', peak, 0, 1);
  checkNumber(op, 'start', start, 0, 1);
  checkNumber(op, 'end', end, 0, 1);
  const top = Math.floor(peak * steps);
  return (step, base = 1) => {
    if (step < top) return base * (start + ((1 - start) * step) / top);
    const left = steps === top ? 0 : Math.max(0, (steps - step) / (steps - top));
    return base * (end + (1 - end) * left);
  };
}
