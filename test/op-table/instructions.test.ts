// SPDX-License-Identifier: Apache-2.0
// The instructions that no operation of lib/ops runs, as the table has them: on every instruction set and for 1, 2 and 3
// threads against double precision; at NaN; and operands that are refused.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Output,
  refusal,
  seeded,
  within,
} from '../helpers/native.js';
import { type InstructionRow, instructionRows } from '../helpers/op-table/instructions.js';

const isArray = (operand: Output | null): operand is NumberArray => ArrayBuffer.isView(operand);
const isSingle = (operand: Output | null) => operand instanceof Float32Array;

/** The call of a row with operand `which` in another form. */
function changed({ call: make }: InstructionRow, which: number, change: (operand: Output) => Output | null) {
  const { outputs, inputs, numbers } = make(seeded(3));
  const operands = [...outputs, ...inputs].map((operand, i) =>
    i === which && operand !== null ? change(operand) : operand,
  );
  return { outputs: operands.slice(0, outputs.length), inputs: operands.slice(outputs.length), numbers };
}

/** The code of the refusal of operands; outputs that are left out go as inputs do. */
function codeOf(instruction: string, { outputs, inputs, numbers }: ReturnType<typeof changed>): string {
  const all = [...outputs, ...inputs].map((operand) => {
    if (operand === null || isArray(operand)) return operand;
    const { kind, size } = operand;
    const types = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };
    return new types[kind](size);
  });
  return refusal(() => call(instruction, [], all, numbers)).code;
}

/** Throws where a result is NaN and the reference is not, or the other way round. */
function expectNaNs(actual: NumberArray, expected: NumberArray, spreads: boolean, what: string): void {
  for (let i = 0; i < actual.length; i++) {
    const [got, wanted] = [Number.isNaN(actual[i]), Number.isNaN(expected[i])];
    if (got === wanted || (got && spreads)) continue;
    throw new Error(`${what}: element ${i} is ${actual[i]} instead of ${expected[i]}`);
  }
}

const smaller = (operand: Output): Output =>
  isArray(operand) ? operand.slice(1) : { ...operand, size: operand.size - 1 };
const asBytes = (operand: Output): Output =>
  isArray(operand) ? new Uint8Array(operand.length) : { ...operand, kind: 'uint8' };

describe.each(instructionRows)('$instruction', (row) => {
  const { instruction, call: make, bound, optional = [], anySize = [], spreads = [] } = row;
  const { outputs, inputs } = make(seeded(3));
  const places = [...outputs, ...inputs].map((_, i) => i);

  it('stays within rounding of double precision, for every instruction set and number of threads', () => {
    forSeeds(2, (random) => {
      const { outputs, inputs, numbers } = make(random);
      checkAgainstReference(instruction, outputs, inputs, numbers, (o, _i, expected) => bound(o, expected));
    });
  });

  it('is NaN where the reference is', () => {
    for (const which of places.filter((i) => isSingle([...outputs, ...inputs][i]))) {
      const spoilt = changed(row, which, (operand) => {
        const copy = (operand as Float32Array).slice();
        for (const at of [0, copy.length >> 1, copy.length - 1]) copy[at] = NaN;
        return copy;
      }) as { outputs: Output[]; inputs: (NumberArray | null)[]; numbers: number[] };
      within(`operand ${which}`, () => {
        if (instruction === 'require_finite') {
          expect(codeOf(instruction, spoilt)).toBe('ERR_NUMERICS');
          return;
        }
        const wide = spoilt.outputs.map((output) =>
          isArray(output)
            ? doubled(output)
            : { ...output, kind: output.kind === 'float32' ? ('float64' as const) : output.kind },
        );
        const expected = call(instruction, wide, spoilt.inputs.map(doubled), spoilt.numbers);
        forEachIsaAndThreads(() => {
          const actual = call(instruction, spoilt.outputs, spoilt.inputs, spoilt.numbers);
          actual.forEach((data, o) => {
            expectNaNs(data, expected[o], spreads.includes(which), `output ${o}`);
          });
        });
      });
    }
  });

  it('refuses operands that are missing, of another size, of another type', () => {
    for (const which of places) {
      within(`operand ${which}`, () => {
        if (!optional.includes(which)) {
          expect(
            codeOf(
              instruction,
              changed(row, which, () => null),
            ),
          ).toBe('ERR_ARGUMENT');
        }
        // A random tensor has the size that it has.
        const isAlone = places.length === 1 && inputs.length === 0;
        if (!anySize.includes(which) && !isAlone) {
          expect(codeOf(instruction, changed(row, which, smaller))).toBe('ERR_SHAPE');
        }
        expect(codeOf(instruction, changed(row, which, asBytes))).toBe('ERR_DTYPE');
      });
    }
  });
});
