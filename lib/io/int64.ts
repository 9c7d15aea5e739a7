// SPDX-License-Identifier: Apache-2.0
// Whole numbers of 64 bits, as PyTorch counts. Tensors here have 32, which is enough for what is counted.
import type { TypedArray } from '../native/bindings.js';

/** The same numbers with 64 bits. */
export function toInt64(values: TypedArray): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

/** The same numbers with 32 bits; nothing where one does not fit. */
export function fromInt64(values: BigInt64Array): Int32Array | undefined {
  if (values.some((value) => BigInt.asIntN(32, value) !== value)) return undefined;
  return Int32Array.from(values, Number);
}
