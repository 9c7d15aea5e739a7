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

/** How a pass over images may be planned. */
export interface FoldOptions {
  /**
   * Makes one convolution of each convolution and the batch normalisation behind it, for the length of the call, which is
   * faster and changes the last digits of results. Only with capture, else ERR_CAPTURE. Default false.
   */
  readonly fold?: boolean | undefined;
}

/** The planning of a pass; refuses folding where it is not captured, and then says why. */
export function foldingOf(op: string, { fold }: FoldOptions, notCaptured: string | undefined): PlanOptions {
  if (fold !== true || notCaptured === undefined) return checkPlanning(op, { fold });
  throw fail('ERR_CAPTURE', { op, expected: 'a captured pass where fold is true', received: notCaptured });
}
