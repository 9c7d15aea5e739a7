// SPDX-License-Identifier: Apache-2.0
// Runs one instruction for an operation, so that a refusal leaves nothing behind.
import { emit, NO_TENSOR } from '../native/bindings.js';
import type { InstructionNumber } from '../native/varying.js';
import type { Tensor } from '../tensor/tensor.js';

const handleOf = (tensor: Tensor | null) => tensor?.handle ?? NO_TENSOR;

/**
 * Fills `outputs`, which were made for this call, from `inputs`; null for one that is left out. If native code
 * refuses, as it does for a label out of range or for want of memory, the outputs are disposed and the error goes on.
 */
export function compute(
  instruction: string,
  outputs: readonly (Tensor | null)[],
  inputs: readonly (Tensor | null)[],
  numbers: readonly InstructionNumber[] = [],
): void {
  try {
    emit(instruction, [...outputs, ...inputs].map(handleOf), numbers);
  } catch (error) {
    for (const output of outputs) output?.dispose();
    throw error;
  }
}
