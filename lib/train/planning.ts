// SPDX-License-Identifier: Apache-2.0
// How a captured step may be planned, checked.
import { describe, fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';

/** The options with their defaults. Throws ERR_ARGUMENT. */
export function checkPlanning(
  op: string,
  { maxMemory, fold = false, tune = false }: PlanOptions,
): PlanOptions {
  const refuse = (expected: string, received: unknown) =>
    fail('ERR_ARGUMENT', { op, expected, received: describe(received) });
  if (maxMemory !== undefined && !(typeof maxMemory === 'number' && maxMemory > 0)) {
    throw refuse('maxMemory to be a number of bytes above 0', maxMemory);
  }
  if (typeof fold !== 'boolean') throw refuse('fold to be true or false', fold);
  if (typeof tune !== 'boolean') throw refuse('tune to be true or false', tune);
  return { maxMemory: maxMemory === undefined ? undefined : Math.floor(maxMemory), fold, tune };
}
