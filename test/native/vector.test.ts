// SPDX-License-Identifier: Apache-2.0
// Elementwise arithmetic and sums, on every instruction set, against double precision.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  isas,
  type NumberArray,
  within,
} from '../helpers/native.js';

const ULP = 2 ** -23; // relative spacing of float32

/** Floats over the whole range, with the special values at the end. */
function wholeRange(): Float32Array {
  const values: number[] = [];
  for (let exponent = -149; exponent < 128; exponent += 0.037) values.push(2 ** exponent, -(2 ** exponent));
  values.push(0, -0, Infinity, -Infinity, NaN, 3.4028234663852886e38, -3.4028234663852886e38);
  return Float32Array.from(values);
}

const sizes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000, 16384, 16385, 50_001];
const bytesOf = (size: number) => ({ kind: 'float32', size }) as const;

describe('elementwise arithmetic', () => {
  it.each(['add', 'multiply'])('%s rounds once, for every length', (op) => {
    for (const size of sizes) {
      forSeeds(1, (random) => {
        const a = random.floats(size);
        const b = random.floats(size);
        const exact = (i: number) => (op === 'add' ? a[i] + b[i] : a[i] * b[i]);
        forEachIsaAndThreads(() => {
          const [out] = call(op, [bytesOf(size)], [a, b]);
          expectSameBits(
            out,
            Float32Array.from({ length: size }, (_, i) => exact(i)),
          );
        });
      });
    }
  });

  it('scale and scale_by agree', () => {
    forSeeds(3, (random) => {
      const size = random.pick(sizes);
      const x = random.floats(size);
      const factor = Math.fround(random.next() * 3);
      checkAgainstReference('scale', [bytesOf(size)], [x], [factor], (_, __, y) => (ULP / 2) * Math.abs(y));
      const [scaled] = call('scale', [bytesOf(size)], [x], [factor]);
      expect(call('scale_by', [bytesOf(size)], [x, Float32Array.of(factor)])[0]).toEqual(scaled);
    });
  });
});

describe('sums', () => {
  it('sum stays within the bound of a summation tree', () => {
    for (const size of sizes) {
      forSeeds(1, (random) => {
        const x = random.floats(size);
        const magnitude = x.reduce((total, value) => total + Math.abs(value), 0);
        const bound = 4 * Math.sqrt(size) * 2 ** -24 * magnitude * 0.5;
        checkAgainstReference('sum', [bytesOf(1)], [x], [0.5], () => bound);
      });
    }
  });

  it('column_sum adds rows of any width', () => {
    forSeeds(12, (random) => {
      const rows = random.pick([1, 2, 64, 3000]);
      const columns = random.pick([1, 3, 6, 10, 16, 17, 84]);
      const x = random.floats(rows * columns);
      const magnitudes = new Float64Array(columns);
      x.forEach((value, i) => {
        magnitudes[i % columns] += Math.abs(value);
      });
      within(`${rows} x ${columns}`, () =>
        checkAgainstReference(
          'column_sum',
          [bytesOf(columns)],
          [x],
          [rows, columns],
          (_, c) => 4 * Math.sqrt(rows) * 2 ** -24 * magnitudes[c],
        ),
      );
    });
  });

  it('an infinity or NaN in any place reaches the sum', () => {
    for (const bad of [NaN, Infinity]) {
      for (const at of [0, 15, 16, 99]) {
        const x = new Float32Array(100).fill(1);
        x[at] = bad;
        forEachIsaAndThreads(() => expect(call('sum', [bytesOf(1)], [x], [1])[0][0]).toBe(bad));
      }
    }
  });
});

describe('require_finite', () => {
  const check = (x: NumberArray) => call('require_finite', [], [x], [3]);

  it('passes finite numbers, also those whose sum is not', () => {
    for (const size of sizes) {
      const large = new Float32Array(size).fill(3e38);
      forEachIsaAndThreads(() => {
        for (const x of [new Float32Array(size).fill(-1e-40), large, Float64Array.from(large)]) check(x);
      });
    }
  });

  it('refuses NaN and infinities in any place, and says of which parameter', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const [size, at] of [...sizes.map((size) => [size, size - 1]), [50_001, 0], [70_000, 32_768]]) {
        const x = new Float32Array(size).fill(3e38);
        x[at] = bad;
        const refusal = { code: 'ERR_NUMERICS', received: expect.stringContaining('parameter 2') };
        forEachIsaAndThreads(() => {
          for (const values of [x, Float64Array.from(x)]) {
            expect(() => check(values)).toThrow(expect.objectContaining(refusal));
          }
        });
      }
    }
  });
});

describe('instruction sets', () => {
  it('the scalar one is always there, the best first', () => {
    expect(isas.at(-1)).toBe('scalar');
  });

  it('agree on arithmetic bit by bit', () => {
    const x = wholeRange();
    const results = new Map<string, NumberArray>();
    forEachIsaAndThreads((isa) => results.set(isa, call('add', [bytesOf(x.length)], [x, x])[0]));
    for (const result of results.values()) expectSameBits(result, results.get('scalar')!);
  });
});
