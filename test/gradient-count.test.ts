// SPDX-License-Identifier: Apache-2.0
// How gradient checks are counted: by each test that passed, whatever it is called, and convolutions by name.
import { expect, it, TestRunner } from 'vitest';
import { sum } from '../lib/ops/reduce.js';
import { tensorScope } from '../lib/tensor/scope.js';
import { gradientCounts, shortage } from './helpers/gradient-reporter.js';
import { gradcheck } from './helpers/gradients.js';
import { operand } from './helpers/operands.js';

const moduleOf = (moduleId: string, tests: [fullName: string, gradientChecks?: number][]) => ({
  moduleId,
  children: {
    allTests: () =>
      tests.map(([fullName, gradientChecks]) => ({ fullName, meta: () => ({ gradientChecks }) })),
  },
});

it('adds up what tests counted', () => {
  const modules = [
    moduleOf('/a/test/ops/pooling.test.ts', [['a', 3], ['b'], ['conv2d of c', 5]]),
    moduleOf('/a/conv/convolution-gradients.test.ts', [['d', 100]]),
  ];
  expect(gradientCounts(modules as never)).toEqual({ all: 108, convolution: 105 });
});

it('finds a run with too few', () => {
  expect(shortage({ all: 500, convolution: 120 })).toBeUndefined();
  expect(shortage({ all: 499, convolution: 120 })).toMatch(/at least 500/);
  expect(shortage({ all: 500, convolution: 119 })).toMatch(/120 of convolutions/);
});

it('counts a check that holds, in the test that makes it', () => {
  const counted = () => TestRunner.getCurrentTest()?.meta.gradientChecks ?? 0;
  const before = counted();
  tensorScope(() => {
    gradcheck(sum, [operand([3])]);
    expect(() => gradcheck((x) => sum(x.detach()), [operand([3])])).toThrow();
  });
  expect(counted()).toBe(before + 1);
});
