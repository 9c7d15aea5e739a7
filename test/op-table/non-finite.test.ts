// SPDX-License-Identifier: Apache-2.0
// Every operation of the table at NaN and infinities: what IEEE arithmetic and PyTorch make of them, in both precisions; and
// wherever one stands, the kernels of every instruction set give NaN and infinities where the reference does.
import { describe, expect, test } from 'vitest';
import { onEveryIsa } from '../helpers/golden-case.js';
import { opTable } from '../helpers/op-table/index.js';
import { type Passes, partsOf, precisionsOf, runPasses } from '../helpers/op-table/passes.js';
import type { Limit, Operand, Row, Sample } from '../helpers/op-table/row.js';
import { within } from '../helpers/within.js';

function checkLimit(limit: Limit, row: Row): void {
  for (const precision of precisionsOf(row)) {
    onEveryIsa((isa) => {
      const { output } = runPasses(limit, precision);
      expect(output.length).toBe(limit.expected.length);
      limit.expected.forEach((wanted, i) => {
        const got = output[i];
        if (Object.is(got, wanted) || Math.abs(got - wanted) <= 1e-6 * Math.abs(wanted) || got === wanted)
          return;
        throw new Error(`${isa} ${precision}: element ${i} is ${got} instead of ${wanted}`);
      });
    });
  }
}

const kindOf = (value: number) => (Number.isFinite(value) ? 'finite' : String(value));

/** Whether what stands for `wanted` may be `got`: of one kind, or, where NaN may spread, nothing hidden. */
function fits(got: number, wanted: number, spreads: boolean): boolean {
  if (kindOf(got) === kindOf(wanted)) return true;
  return spreads && (Number.isFinite(wanted) ? Number.isNaN(got) : !Number.isFinite(got));
}

function expectSameKinds(actual: Passes, reference: Passes, spreads: boolean): void {
  const wanted = partsOf(reference);
  partsOf(actual).forEach(([name, data], part) => {
    for (let i = 0; i < data.length; i++) {
      if (fits(data[i], wanted[part][1][i], spreads)) continue;
      throw new Error(`${name}: element ${i} is ${data[i]}, in double precision ${wanted[part][1][i]}`);
    }
  });
}

function checkEverywhere(sample: Sample, { spreads = [] }: Row): void {
  sample.operands.forEach((operand, which) => {
    if (operand.kind !== 'float') return;
    const size = operand.values.length;
    for (const at of new Set([0, size >> 1, size - 1])) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const values = (other: Operand, i: number) =>
          i === which ? other.values.map((value, k) => (k === at ? bad : value)) : other.values;
        within(`${bad} at element ${at} of operand ${which}`, () => {
          const reference = runPasses(sample, 'float64', { values });
          onEveryIsa((isa) => {
            const passes = runPasses(sample, 'float32', { values });
            within(isa, () => expectSameKinds(passes, reference, spreads.includes(which)));
          });
        });
      }
    }
  });
}

describe('NaN and infinities', () => {
  const limited = opTable.flatMap((row) => (row.limits ?? []).map((limit) => ({ row, limit, op: row.op })));
  test.each(limited)('$op: $limit.name', ({ row, limit }) => checkLimit(limit, row));

  const floating = opTable.filter(({ isSingle, samples }) =>
    samples.some(({ operands }) => !isSingle && operands.some(({ kind }) => kind === 'float')),
  );
  test.each(floating)('$op: anywhere, as the reference', (row) => {
    for (const sample of row.samples) {
      if (!sample.isLarge) within(sample.name, () => checkEverywhere(sample, row));
    }
  });
});
