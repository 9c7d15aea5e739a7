// SPDX-License-Identifier: Apache-2.0
// The instructions that the planner makes of others: steps whose plans have them give the bits of eager steps, on every
// instruction set and number of threads.
import { describe, expect, test } from 'vitest';
import { onEveryIsa } from '../helpers/golden-case.js';
import { plannerRows } from '../helpers/op-table/instructions.js';
import { expectSamePasses, onThreads, runCaptured, runPasses } from '../helpers/op-table/passes.js';
import { within } from '../helpers/within.js';

describe('instructions of the planner', () => {
  test.each(plannerRows)('$instruction', ({ instruction, sample }) => {
    onEveryIsa((isa) => {
      const eager = runPasses(sample, 'float32');
      onThreads([1, 2, 3], (threads) => {
        const captured = runCaptured(sample, 'float32');
        within(`${isa}, ${threads} threads`, () => expectSamePasses(captured, eager, sample.name));
        expect(captured.operations).toContain(instruction);
      });
    });
  });
});
