// SPDX-License-Identifier: Apache-2.0
// Checks of what layers are made with. A wrong option is refused when the layer is made, not when it first runs.
import { checkWhole } from '../errors.js';

/** Refuses anything but a whole number above 0. */
export function checkCount(op: string, name: string, value: number): number {
  return checkWhole(op, name, value, 1);
}
