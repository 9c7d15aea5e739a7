// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: gradients against finite differences in double precision, of all operands at once and of
// each alone; and no gradient where there is none.
import { describe, expect, test } from 'vitest';
import { tensorScope } from '../../lib/tensor/scope.js';
import { checkSampleGradients, isLeaf } from '../helpers/op-table/checks.js';
import { opTable } from '../helpers/op-table/index.js';
import { runSeeded } from '../helpers/op-table/passes.js';
import { make } from '../helpers/op-table/row.js';
import { within } from '../helpers/within.js';

const samples = opTable.flatMap((row) => row.samples.map((sample) => ({ row, sample })));

const smooth = samples.filter(
  ({ row, sample }) => !row.isConstant && !sample.isLarge && sample.operands.some(isLeaf),
);

describe(`gradients of the table of operations: ${smooth.length} samples`, () => {
  test.each(opTable.filter(({ isConstant }) => !isConstant))('$op', (row) => {
    const own = smooth.filter((item) => item.row === row);
    expect(own.length, 'samples with a gradient').toBeGreaterThan(0);
    for (const { sample } of own) within(sample.name, () => checkSampleGradients(sample));
    // Each gradient alone: by the first sample with the most of them.
    const count = ({ sample }: (typeof own)[number]) => sample.operands.filter(isLeaf).length;
    const most = own.reduce((best, item) => (count(item) > count(best) ? item : best));
    if (count(most) === 1) return;
    most.sample.operands.forEach((operand, i) => {
      if (isLeaf(operand))
        within(`${most.sample.name}, operand ${i} alone`, () => checkSampleGradients(most.sample, i));
    });
  });

  test.each(opTable.filter(({ isConstant }) => isConstant))('$op has none', ({ samples }) => {
    for (const { operands, run } of samples) {
      tensorScope(() => {
        const result = runSeeded(
          { run },
          operands.map((operand) => make(operand, 'float32')),
        );
        expect([result.requiresGrad, result.node]).toEqual([false, null]);
      });
    }
  });
});
