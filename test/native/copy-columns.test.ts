// SPDX-License-Identifier: Apache-2.0
// Copies of columns between matrices, and the counter: exact, for every element type and number of threads.
import { describe, expect, it } from 'vitest';
import {
  call,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

/** to[row][toFirst + i] = from[row][fromFirst + i], element by element. */
function copied(to: NumberArray, from: NumberArray, numbers: readonly number[]): NumberArray {
  const [rows, columns, toColumns, toFirst, fromColumns, fromFirst] = numbers;
  const result = to.slice();
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < columns; i++)
      result[row * toColumns + toFirst + i] = from[row * fromColumns + fromFirst + i];
  return result;
}

function randomBlock(random: Random): number[] {
  const columns = random.int(1, 40);
  const [toFirst, fromFirst] = [random.int(0, 9), random.int(0, 9)];
  const sizes = [columns + toFirst + random.int(0, 9), columns + fromFirst + random.int(0, 9)];
  return [random.pick([1, 5, 3000]), columns, sizes[0], toFirst, sizes[1], fromFirst];
}

const arrays = [Float32Array, Float64Array, Int32Array, Uint8Array];

describe('copy_columns', () => {
  it('copies the block and touches nothing else', () => {
    forSeeds(12, (random) => {
      const numbers = randomBlock(random);
      for (const array of arrays) {
        const fill = (size: number) => new array(size).map(() => random.int(0, 200));
        const [to, from] = [fill(numbers[0] * numbers[2]), fill(numbers[0] * numbers[4])];
        within(`block ${numbers}`, () =>
          forEachIsaAndThreads(() => {
            const [result] = call('copy_columns', [to], [from], numbers);
            expectSameBits(result, copied(to, from, numbers));
          }),
        );
      }
    });
  });

  it('refuses blocks that reach out of a matrix, wrong sizes and wrong types', () => {
    const block = (numbers: number[], from: NumberArray = new Float32Array(12)) =>
      refusal(() => call('copy_columns', [new Float32Array(12)], [from], numbers));
    expect(block([3, 2, 4, 3, 4, 0])).toMatchObject({
      code: 'ERR_SHAPE',
      received: '2 from column 0 to column 3',
    });
    expect(block([3, 2, 4, 0, 4, 3]).code).toBe('ERR_SHAPE');
    expect(block([4, 2, 4, 0, 4, 0]).code).toBe('ERR_SHAPE');
    expect(block([3, 2, 4, 0, 4, 0], new Float64Array(12)).code).toBe('ERR_DTYPE');
    for (const bad of [-1, 0, 0.5, NaN]) expect(block([3, bad, 4, 0, 4, 0]).code).toBe('ERR_ARGUMENT');
    expect(block([3, 2, 4, -1, 4, 0]).code).toBe('ERR_ARGUMENT');
  });
});

describe('increment', () => {
  it('adds one to a counter, and begins anew at the end', () => {
    expect(call('increment', [Int32Array.of(41)], [])).toEqual([Int32Array.of(42)]);
    expect(call('increment', [Int32Array.of(2 ** 31 - 1)], [])).toEqual([Int32Array.of(-(2 ** 31))]);
  });

  it('refuses what is no counter', () => {
    expect(refusal(() => call('increment', [Int32Array.of(1, 2)], [])).code).toBe('ERR_SHAPE');
    expect(refusal(() => call('increment', [Float32Array.of(1)], [])).code).toBe('ERR_DTYPE');
  });
});
