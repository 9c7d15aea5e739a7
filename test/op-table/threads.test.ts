// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: 1, 2 and 3 threads give the same bits, results, gradients and states, on every instruction
// set and in double precision.
import { describe, expect, test } from 'vitest';
import { onEveryIsa } from '../helpers/golden-case.js';
import { checkThreads } from '../helpers/op-table/checks.js';
import { opTable } from '../helpers/op-table/index.js';
import { precisionsOf } from '../helpers/op-table/passes.js';
import { within } from '../helpers/within.js';

describe('threads and the table of operations', () => {
  test.each(opTable)('$op', (row) => {
    for (const sample of row.samples) {
      within(sample.name, () => {
        onEveryIsa((isa) => within(isa, () => checkThreads(sample, 'float32')));
        if (!sample.isLarge && precisionsOf(row).includes('float64')) checkThreads(sample, 'float64');
      });
    }
  });

  test('nearly every operation has a sample of several tasks', () => {
    const without = opTable
      .filter(({ samples }) => !samples.some(({ isLarge }) => isLarge))
      .map(({ op }) => op);
    // Views, what runs on this thread alone or is made of others, and sequences, which are images.
    expect(without).toEqual([
      ...['reshape', 'flatten', 'conv1d', 'maxPool1d', 'avgPool1d', 'lpPool1d'],
      ...['adaptiveMaxPool1d', 'adaptiveAvgPool1d', 'spatialPyramidPool2d', 'increment_'],
      ...['countCorrect', 'oneHot', 'gatherLabels', 'checkpoint', 'defineOp', 'defineArrayOp'],
    ]);
  });
});
