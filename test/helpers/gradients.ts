// SPDX-License-Identifier: Apache-2.0
// Gradients against finite differences in double precision, with PyTorch's tolerances, in tables: a row a test. Each check
// counts; what all of a run come to is told and held to a floor at its end (gradient-reporter.ts).
import { describe, TestRunner, test } from 'vitest';
import { gradcheck as check, type GradcheckOptions } from '../../lib/autograd/gradcheck.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectFlatMemory } from './refusal.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Checks of fixed operands that the test made. */
    gradientChecks?: number;
  }
}

/** `gradcheck` of the library, counted. For operands that are the same in every run. */
export function gradcheck(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options?: GradcheckOptions,
): number {
  const difference = check(body, inputs, options);
  const meta = TestRunner.getCurrentTest()?.meta;
  if (meta !== undefined) meta.gradientChecks = (meta.gradientChecks ?? 0) + 1;
  return difference;
}

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
