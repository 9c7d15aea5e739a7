// SPDX-License-Identifier: Apache-2.0
// Shapes: pure functions over readonly number[]. Tensors are row-major and dense; images are [n, h, w, c].
import { describe, fail } from '../errors.js';

/** Sizes of the dimensions of a tensor. [] is a scalar. */
export type Shape = readonly number[];

/** Largest number of elements of a tensor: what 32-bit indices of kernels and typed arrays both reach. */
const MAX_SIZE = 2 ** 31 - 1;
const MAX_RANK = 8;

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** True if both shapes have the same dimensions. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}

/** Refuses a result too large for a tensor: where an operation's options ask for more than they seem to. */
export function checkSize(shape: Shape): void {
  if (sizeOf(shape) <= MAX_SIZE) return; // false for NaN
  throw fail('ERR_SHAPE', {
    op: 'tensor',
    expected: 'a tensor of fewer than 2^31 elements',
    received: `shape [${shape.join(', ')}]`,
    hint: 'are the padding and the sizes what they should be?',
  });
}

/**
 * Refuses what is not a shape: dimensions are positive whole numbers, up to 8 of them, 2^31 - 1 elements in all. `hint` is for
 * what is no array of anything, where another argument was meant.
 */
export function checkShape(op: string, shape: Shape, hint?: string): Shape {
  const valid =
    Array.isArray(shape) &&
    shape.length <= MAX_RANK &&
    shape.every((length) => Number.isSafeInteger(length) && length > 0) &&
    sizeOf(shape) <= MAX_SIZE;
  if (valid) return Object.freeze(shape.slice());
  throw fail('ERR_SHAPE', {
    op,
    expected: `a shape of at most ${MAX_RANK} positive whole numbers with a product below 2^31`,
    received: describe(shape),
    hint: Array.isArray(shape) ? undefined : hint,
  });
}
