// SPDX-License-Identifier: Apache-2.0
// A bias added to every row, on every instruction set and for 1, 2 and 3 threads.
import { expect, it } from 'vitest';
import { call, checkAgainstReference, forSeeds, refusal, within } from '../helpers/native.js';

it('adds the bias to each row, exactly', () => {
  forSeeds(12, (random) => {
    const columns = random.pick([1, 3, 7, 16, 33, 700, 1500, 20_000]);
    const rows = random.int(1, Math.ceil(60_000 / columns));
    within(`${rows}x${columns}`, () => {
      const output = [{ kind: 'float32', size: rows * columns }] as const;
      const inputs = [random.floats(rows * columns), random.floats(columns)];
      checkAgainstReference(
        'add_bias',
        output,
        inputs,
        [rows, columns],
        (_, __, value) => 2 ** -24 * Math.abs(value),
      );
    });
  });
});

it('refuses operands of other sizes', () => {
  const run = (size: number, bias: number) =>
    call('add_bias', [{ kind: 'float32', size }], [new Float32Array(6), new Float32Array(bias)], [2, 3]);
  expect(run(6, 3)).toHaveLength(1);
  expect(refusal(() => run(5, 3)).code).toBe('ERR_SHAPE');
  expect(refusal(() => run(6, 2)).code).toBe('ERR_SHAPE');
});
