// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: results and gradients of the float32 kernels on every instruction set of this machine,
// against the reference in double precision, and known answers.
import { describe, expect, test } from 'vitest';
import { onEveryIsa } from '../helpers/golden-case.js';
import { checkValues } from '../helpers/op-table/checks.js';
import { opTable } from '../helpers/op-table/index.js';
import { precisionsOf, runPasses } from '../helpers/op-table/passes.js';
import type { Row, Sample } from '../helpers/op-table/row.js';
import { within } from '../helpers/within.js';

function checkAnswers(row: Row, { expected, ...sample }: Sample): void {
  if (expected === undefined) return;
  for (const precision of precisionsOf(row)) {
    onEveryIsa(() => expect(Array.from(runPasses(sample, precision).output)).toEqual(expected));
  }
}

describe('values of the table of operations', () => {
  test.each(opTable)('$op', (row) => {
    for (const sample of row.samples) {
      within(sample.name, () => {
        checkAnswers(row, sample);
        checkValues(row.accuracy, sample, precisionsOf(row).at(-1));
      });
    }
  });
});
