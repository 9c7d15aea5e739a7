// SPDX-License-Identifier: Apache-2.0
// Copies of tensors, all of one moment: where a replay writes the tensors, the copies are made between two of its steps.
import { startCopies } from './bindings.js';

/**
 * Copies each first tensor of `pairs`, by handle, into the second, which has its size and dtype. The first ones keep their
 * memory until that is done.
 */
export async function copyBetweenSteps(
  pairs: readonly (readonly [from: number, to: number])[],
): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!startCopies(Int32Array.from(pairs.flat()), resolve)) resolve();
  });
}
