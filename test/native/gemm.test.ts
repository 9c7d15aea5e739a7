// SPDX-License-Identifier: Apache-2.0
// Matrix products and linear layers against the double-precision reference, on every instruction set and for
// 1, 2 and 3 threads. The bound is 4 sqrt(K) 2^-24 sum |a||b|: random rounding of K terms, four times over.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  forSeeds,
  type NumberArray,
  refusal,
} from '../helpers/native.js';

const magnitudes = (data: NumberArray) => Float64Array.from(data, Math.abs);

/** Checks one product; `size` is m * n, `k` the terms of a sum. */
function checkProduct(op: string, size: number, k: number, inputs: NumberArray[], numbers: number[]): void {
  const output = [{ kind: 'float32', size }] as const;
  const [sums] = call(op, [{ kind: 'float64', size }], inputs.map(magnitudes), numbers);
  checkAgainstReference(op, output, inputs, numbers, (_, i) => 4 * Math.sqrt(k) * 2 ** -24 * sums[i]);
}

describe('matmul', () => {
  it('multiplies by hand-checked numbers', () => {
    const a = Float32Array.of(1, 2, 3, 4, 5, 6);
    const b = Float32Array.of(7, 8, 9, 10, 11, 12);
    const [c] = call('matmul', [{ kind: 'float32', size: 4 }], [a, b], [2, 2, 3, 0, 0]);
    expect([...c]).toEqual([58, 64, 139, 154]);
  });

  it('agrees with the reference at random sizes, transposed or not', () => {
    forSeeds(40, (random) => {
      const [m, n, k] = [random.int(1, 150), random.int(1, 150), random.int(1, 150)];
      const inputs = [random.floats(m * k), random.floats(k * n)];
      checkProduct('matmul', m * n, k, inputs, [m, n, k, random.int(0, 1), random.int(0, 1)]);
    });
  });

  it.each([
    ['one element', 1, 1, 1],
    ['a row', 1, 200, 3],
    ['a column', 200, 1, 3],
    ['a tile and one', 7, 65, 5],
    ['two blocks of rows', 300, 17, 9],
    ['more depth than a block holds', 13, 70, 2100],
    ['whole vectors, read where they lie', 61, 96, 70],
    ['whole vectors and more rows than are read in place', 257, 96, 40],
    ['whole vectors and more panels than are read in place', 20, 1040, 9],
    ['whole vectors, in place and deeper than a block', 9, 48, 2100],
  ])('agrees with the reference for %s', (_, m, n, k) => {
    forSeeds(1, (random) => {
      checkProduct('matmul', m * n, k, [random.floats(m * k), random.floats(k * n)], [m, n, k, 0, 0]);
    });
  });

  it.each([
    ['wider than high', 7, 70],
    ['higher than wide', 70, 7],
  ])('agrees with the reference for long sums of a transposed matrix, %s', (_, m, n) => {
    forSeeds(1, (random) => {
      const k = 4160;
      checkProduct('matmul', m * n, k, [random.floats(m * k), random.floats(k * n)], [m, n, k, 1, 0]);
    });
  });

  it('carries NaN and infinity to the elements they reach and to no other', () => {
    const a = new Float32Array(20 * 10).fill(1);
    a[3 * 10 + 4] = Number.NaN;
    a[5 * 10] = Number.POSITIVE_INFINITY;
    const b = new Float32Array(10 * 70).fill(1);
    const [c] = call('matmul', [{ kind: 'float32', size: 20 * 70 }], [a, b], [20, 70, 10, 0, 0]);
    for (let i = 0; i < c.length; i++) {
      const row = Math.floor(i / 70);
      const expected = row === 3 ? Number.NaN : row === 5 ? Number.POSITIVE_INFINITY : 10;
      expect(c[i], `element ${i}`).toBe(expected);
    }
  });

  it('refuses operands of other sizes and sizes that are none', () => {
    const three = new Float32Array(3);
    const product = (numbers: number[]) => () =>
      call('matmul', [{ kind: 'float32', size: 1 }], [three, three], numbers);
    expect(refusal(product([1, 1, 2, 0, 0])).code).toBe('ERR_SHAPE');
    expect(refusal(product([1, 1, 0, 0, 0])).code).toBe('ERR_ARGUMENT');
    expect(refusal(product([1, 1, Number.NaN, 0, 0])).code).toBe('ERR_ARGUMENT');
    expect(refusal(product([1, 1, 1.5, 0, 0])).code).toBe('ERR_ARGUMENT');
  });
});

describe('linear', () => {
  it('agrees with the reference for few rows, and sums each row as it does alone', () => {
    forSeeds(12, (random) => {
      const rows = random.int(1, 4);
      const inputs = random.pick([1, 5, 15, 16, 17, 48, 400, 403]);
      const out = random.pick([1, 7, 8, 9, 64, 121, 400]);
      const numbers = [rows, inputs, out];
      const x = random.floats(rows * inputs);
      const dy = random.floats(rows * out);
      const weight = random.floats(out * inputs);
      const bias = random.floats(out);
      checkProduct('linear_forward', rows * out, inputs + 1, [x, weight, bias], numbers);
      checkProduct('linear_grad_input', rows * inputs, out, [dy, weight], numbers);
      checkProduct('linear_grad_weight', out * inputs, rows, [dy, x], numbers);
      const forward = (data: NumberArray, count: number) =>
        call(
          'linear_forward',
          [{ kind: 'float32', size: count * out }],
          [data, weight, bias],
          [count, inputs, out],
        )[0];
      expect([...forward(x, rows).subarray(0, out)]).toEqual([...forward(x.subarray(0, inputs), 1)]);
    });
  });

  it('agrees with the reference in all three passes', () => {
    forSeeds(20, (random) => {
      const [rows, inputs, out] = [random.int(1, 90), random.int(1, 130), random.int(1, 130)];
      const x = random.floats(rows * inputs);
      const weight = random.floats(out * inputs);
      const dy = random.floats(rows * out);
      const numbers = [rows, inputs, out];
      checkProduct('linear_forward', rows * out, inputs, [x, weight, random.floats(out)], numbers);
      checkProduct('linear_grad_input', rows * inputs, out, [dy, weight], numbers);
      checkProduct('linear_grad_weight', out * inputs, rows, [dy, x], numbers);
    });
  });

  it('leaves the bias out where there is none', () => {
    const output = [{ kind: 'float64', size: 1 }] as const;
    const inputs = [doubled(Float32Array.of(2)), doubled(Float32Array.of(3))];
    expect(call('linear_forward', output, [...inputs, null], [1, 1, 1])[0][0]).toBe(6);
  });
});
