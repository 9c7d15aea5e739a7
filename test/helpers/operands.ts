// SPDX-License-Identifier: Apache-2.0
// Fixed tensors for tests of operations: the same numbers on every run, none where a gradient has a kink.
import type { DType } from '../../lib/native/bindings.js';
import { tensor } from '../../lib/tensor/create.js';
import { sizeOf } from '../../lib/tensor/shape.js';
import type { Tensor } from '../../lib/tensor/tensor.js';

/** Numbers in [-1, 1] without a pattern: the fractional parts of multiples of the golden ratio. */
export function irregular(size: number, phase = 0): number[] {
  return Array.from({ length: size }, (_, i) => (((i + 1 + phase * 31.7) * 0.6180339887498949) % 1) * 2 - 1);
}

/** An operand that wants a gradient, of `irregular` numbers. */
export function operand(shape: readonly number[], phase = 0, dtype: DType = 'float64'): Tensor {
  return tensor(irregular(sizeOf(shape), phase), shape, { dtype, requiresGrad: true });
}

/** Numbers that all differ by at least 0.1 from each other and by 0.05 from 0: no ties, no kinks. */
export function distinctNumbers(size: number): number[] {
  const step = [7, 11, 13, 17].find((prime) => size % prime !== 0) ?? 1;
  return Array.from({ length: size }, (_, i) => (((i * step) % size) - Math.floor(size / 2) + 0.5) * 0.1);
}

/** An operand of `distinctNumbers`. */
export function distinct(shape: readonly number[]): Tensor {
  return tensor(distinctNumbers(sizeOf(shape)), shape, { dtype: 'float64', requiresGrad: true });
}
