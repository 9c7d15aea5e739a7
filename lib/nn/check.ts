// SPDX-License-Identifier: Apache-2.0
// Checks of what layers are made with. A wrong option is refused when the layer is made, not when it first runs.
import { describe, fail } from '../errors.js';

/** Refuses anything but a whole number above 0. */
export function checkCount(op: string, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `${name} to be a whole number above 0`,
    received: describe(value),
  });
}
