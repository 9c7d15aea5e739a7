// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: views for operands, one tensor for two of them, operands that others use later or that
// are disposed early. A tensor is dense and row-major, so that views differ in their shape alone.
import { describe, expect, test } from 'vitest';
import { scale } from '../../lib/ops/arithmetic.js';
import { reshape } from '../../lib/ops/reshape.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { opTable } from '../helpers/op-table/index.js';
import {
  arrayOf,
  expectSameBits,
  expectSamePasses,
  runPasses,
  runSeeded,
  seedOf,
} from '../helpers/op-table/passes.js';
import { make, type Operand, type Row, type Sample } from '../helpers/op-table/row.js';
import { within } from '../helpers/within.js';

/** Small samples, each with its row. */
const each = (list: readonly Row[], body: (sample: Sample, row: Row) => void) =>
  test.each(list)('$op', (row) => {
    for (const sample of row.samples) if (!sample.isLarge) within(sample.name, () => body(sample, row));
  });

const withLeaf = opTable.filter(({ samples }) =>
  samples.some(({ operands }) => operands.some(({ role }) => role === 'leaf')),
);

describe('a view does for an operand', () => {
  each(withLeaf, (sample) => {
    const plain = runPasses(sample, 'float32');
    const instead = (leaf: Parameters<Sample['run']>[0]) =>
      reshape(reshape(leaf, [1, leaf.size, 1]), leaf.shape);
    expectSamePasses(runPasses(sample, 'float32', { instead }), plain, 'of views');
  });
});

describe('an operand may be disposed before backward', () => {
  each(withLeaf, (sample) => {
    const plain = runPasses(sample, 'float32');
    const disposed = runPasses(sample, 'float32', {
      instead: (leaf) => scale(leaf, 1),
      between: (inputs) => {
        for (const input of inputs) if (input.node !== null) input.dispose();
      },
    });
    expectSamePasses(disposed, plain, 'disposed');
  });
});

describe('operands are as before, and do for another call', () => {
  each(opTable, ({ operands, run }) =>
    tensorScope(() => {
      const tensors = operands.map((operand) => make(operand, 'float32'));
      const before = tensors.map((tensor) => tensor.data());
      const first = runSeeded({ run }, tensors);
      const result = first.data();
      /** The gradients of a pass that goes back, and nothing left of them. */
      const goBack = (retainGraph: boolean) => {
        if (first.requiresGrad) first.backward(arrayOf(seedOf(first.size), first), { retainGraph });
        return tensors.map((tensor) => {
          const gradient = tensor.grad?.data() ?? null;
          tensor.grad?.dispose();
          tensor.grad = null;
          return gradient;
        });
      };
      const once = goBack(true);
      goBack(false).forEach((again, i) => {
        if (again !== null) expectSameBits(again, once[i] ?? again.slice(1), `gradient ${i}, once more`);
      });
      operands.forEach(({ role }, i) => {
        if (role !== 'state') expectSameBits(tensors[i].data(), before[i], `operand ${i}`);
      });
      expectSameBits(first.data(), result, 'the result, after backward');
      if (operands.some(({ role }) => role === 'state')) return;
      expectSameBits(runSeeded({ run }, tensors).data(), result, 'the second result');
    }),
  );
});

/** The first two leaves of one shape. */
function likeOperands({ operands }: Sample): [number, number] | undefined {
  const shapeOf = ({ role, shape }: Operand) => (role === 'leaf' ? String(shape) : undefined);
  for (const [j, operand] of operands.entries()) {
    const i = operands.findIndex(
      (other) => shapeOf(other) !== undefined && shapeOf(other) === shapeOf(operand),
    );
    if (i >= 0 && i < j) return [i, j];
  }
  return undefined;
}

const pairs = opTable.flatMap((row) =>
  row.samples.flatMap((sample) => {
    const pair = likeOperands(sample);
    return pair === undefined || sample.isLarge ? [] : [{ row, sample, pair }];
  }),
);

describe('one tensor may be two operands', () => {
  test.each([...new Set(pairs.map(({ row }) => row.op))])('%s', (op) => {
    for (const { sample, pair } of pairs.filter(({ row }) => row.op === op)) {
      const [i, j] = pair;
      within(sample.name, () => {
        const same = (operand: Operand, at: number) =>
          sample.operands[at === j ? i : at].values ?? operand.values;
        const apart = runPasses(sample, 'float32', { values: same });
        const run: Sample['run'] = (...tensors) =>
          sample.run(...tensors.map((x, at) => tensors[at === j ? i : at] ?? x));
        const together = runPasses({ ...sample, run }, 'float32', { values: same });
        expectSameBits(together.output, apart.output, 'result');
        expect(together.gradients[j]).toBeNull();
        const [first, second] = [apart.gradients[i], apart.gradients[j]];
        const sum = Float32Array.from(first ?? [], (value, k) => value + (second?.[k] ?? 0));
        expectSameBits(together.gradients[i] ?? new Float32Array(), sum, 'gradient');
      });
    }
  });

  test('of the operations with two operands of one shape', () => {
    expect(new Set(pairs.map(({ row }) => row.op)).size).toBeGreaterThanOrEqual(14);
  });
});

describe('an elementwise operation sees an element at a time', () => {
  each(
    opTable.filter(({ isElementwise }) => isElementwise),
    (sample) => {
      const whole = runPasses(sample, 'float32').output;
      const { operands } = sample;
      for (const at of new Set([0, whole.length >> 1, whole.length - 1])) {
        const one = operands.map((operand) => ({ ...operand, shape: [], values: [operand.values[at]] }));
        const { output } = runPasses({ ...sample, operands: one }, 'float32');
        expectSameBits(output, whole.slice(at, at + 1), `element ${at}`);
      }
    },
  );
});

describe('what draws does so from the default generator', () => {
  each(
    opTable.filter(({ isRandom }) => isRandom),
    ({ name, operands, run }) =>
      tensorScope(() => {
        const tensors = operands.map((operand) => make(operand, 'float32'));
        const draw = () => Array.from(run(...tensors).data());
        const draws = [3, 3, 4].map((seed) => {
          manualSeed(seed);
          return Array.from({ length: 8 }, draw);
        });
        expect(draws[1]).toEqual(draws[0]);
        if (name === 'of 0' || name === 'of []') return; // nothing to drop; hardly anything
        expect(draws[2]).not.toEqual(draws[0]);
        expect(new Set(draws[0].map(String)).size).toBeGreaterThan(1);
      }),
  );
});
