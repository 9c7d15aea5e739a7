// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../lib/nn/symmetric-eigen.js';

/** Numbers between -1 and 1 that are the same in each run. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 30 - 1;
  });
}

function symmetric(size: number, seed: number): Float64Array {
  const values = numbers(size * size, seed);
  return values.map((_, i) => values[Math.min(i, (i % size) * size + Math.floor(i / size))]);
}

const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

describe('symmetricEigen', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [12, 4],
    [27, 5],
    [40, 6],
  ])('of %i by %i finds directions that the matrix only scales', (size, seed) => {
    const matrix = symmetric(size, seed);
    const { values, vectors } = symmetricEigen(matrix, size);
    const row = (i: number) => vectors.subarray(i * size, (i + 1) * size);
    for (let i = 0; i < size; i++) {
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
      for (let j = 0; j < size; j++) {
        expect(product(row(i), row(j))).toBeCloseTo(i === j ? 1 : 0, 12);
        expect(product(matrix.subarray(j * size, (j + 1) * size), row(i))).toBeCloseTo(
          values[i] * row(i)[j],
          11,
        );
      }
      const largest = row(i).reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
      expect(largest).toBeGreaterThan(0);
    }
    const trace = Array.from({ length: size }, (_, i) => matrix[i * (size + 1)]);
    expect(values.reduce((sum, value) => sum + value)).toBeCloseTo(trace.reduce((sum, value) => sum + value));
    expect(matrix).toEqual(symmetric(size, seed));
  });

  test('knows a matrix that is diagonal, one that is nothing, and equal values', () => {
    expect([...symmetricEigen(Float64Array.of(1, 0, 0, 3), 2).values]).toEqual([3, 1]);
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 0, 0, 2), 2);
    expect([[...values], [...vectors]]).toEqual([
      [2, 2],
      [1, 0, 0, 1],
    ]);
  });
});
