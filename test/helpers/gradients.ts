// SPDX-License-Identifier: Apache-2.0
// Gradients against finite differences in double precision, with PyTorch's tolerances, in tables: a row a test.
import { describe, test } from 'vitest';
import { gradcheck } from '../../lib/autograd/gradcheck.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectFlatMemory } from './refusal.js';

/** Checks the gradients of `body` at operands made in a scope; memory must be as before. */
export function checkGradients(body: (...inputs: Tensor[]) => Tensor, inputs: () => Tensor[]): void {
  expectFlatMemory(() => tensorScope(() => void gradcheck(body, inputs())));
}

export interface GradientCase {
  readonly name: string;
  readonly body: (...inputs: Tensor[]) => Tensor;
  /** Makes the operands; those that want no gradient are left as they are. */
  readonly inputs: () => Tensor[];
}

/** Registers a test for each case. */
export function describeGradients(title: string, cases: readonly GradientCase[]): void {
  describe(`${title}: ${cases.length} gradients`, () => {
    test.each(cases)('$name', ({ body, inputs }) => checkGradients(body, inputs));
  });
}
