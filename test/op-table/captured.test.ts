// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: a captured step has the bits of an eager one, on every instruction set, and leaves its
// inputs as they were, whatever the planner lays over what; what looks at values refuses to be captured.
import { describe, expect, test } from 'vitest';
import { onEveryIsa } from '../helpers/golden-case.js';
import { opTable } from '../helpers/op-table/index.js';
import {
  expectSameBits,
  expectSamePasses,
  onThreads,
  precisionsOf,
  runCaptured,
  runPasses,
} from '../helpers/op-table/passes.js';
import { make, type Precision, type Sample } from '../helpers/op-table/row.js';
import { refused } from '../helpers/refused.js';
import { within } from '../helpers/within.js';

function checkCaptured(sample: Sample, precision: Precision): void {
  const captured = runCaptured(sample, precision);
  expectSamePasses(captured, runPasses(sample, precision), precision);
  const inputs = sample.operands.filter(({ role }) => role !== 'state');
  expect(captured.after.length).toBe(inputs.length);
  inputs.forEach((operand, i) => {
    using before = make(operand, precision);
    expectSameBits(captured.after[i], before.data(), `input ${i}, ${precision}`);
  });
}

describe('captured steps and the table of operations', () => {
  test.each(opTable.filter(({ isEager }) => !isEager))('$op', (row) => {
    for (const sample of row.samples) {
      within(sample.name, () => {
        onEveryIsa((isa) => within(isa, () => checkCaptured(sample, 'float32')));
        if (sample.isLarge) return;
        onThreads([3], () => checkCaptured(sample, 'float32'));
        if (precisionsOf(row).includes('float64')) checkCaptured(sample, 'float64');
      });
    }
  });

  test.each(opTable.filter(({ isEager }) => isEager))('$op cannot be captured', ({ samples }) => {
    for (const sample of samples) {
      const error = refused(() => runCaptured(sample, 'float32'));
      expect(error.code).toBe('ERR_CAPTURE');
      expect(error.hint).toMatch(/capture/);
    }
  });
});
