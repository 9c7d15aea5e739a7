// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  alternatingRounds,
  bootstrapInterval,
  median,
  quantile,
  seededRandom,
  steadyRounds,
} from '../../bench/harness/statistics.mjs';

describe('median', () => {
  it('takes the middle, or the mean of two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  it('sorts by value and leaves the list as it was', () => {
    const values = [10, 9, 100];
    expect(median(values)).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });
});

describe('quantile', () => {
  it('interpolates', () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(quantile([5, 1, 3], 0)).toBe(1);
    expect(quantile([5, 1, 3], 1)).toBe(5);
  });
});

describe('bootstrapInterval', () => {
  it('is a point for equal values', () => {
    expect(bootstrapInterval([2, 2, 2, 2])).toEqual([2, 2]);
  });

  it('is the same for the same values', () => {
    const values = [1, 5, 2, 4, 3];
    expect(bootstrapInterval(values)).toEqual(bootstrapInterval(values));
  });

  it('covers the true median about as often as it says', () => {
    const random = seededRandom(11);
    const runs = 300;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const values = Array.from({ length: 15 }, random);
      const [low, high] = bootstrapInterval(values, { resamples: 300, seed: run });
      if (low <= 0.5 && 0.5 <= high) covered += 1;
    }
    expect(covered / runs).toBeGreaterThan(0.88);
    expect(covered / runs).toBeLessThan(0.99);
  });

  it('narrows with more values', () => {
    const random = seededRandom(3);
    const width = (count: number) => {
      const [low, high] = bootstrapInterval(Array.from({ length: count }, random));
      return high - low;
    };
    expect(width(400)).toBeLessThan(width(15) / 2);
  });
});

describe('alternatingRounds', () => {
  it('gives A B, B A, A B', () => {
    expect(alternatingRounds(['a', 'b'], 3)).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
    ]);
  });

  it('turns longer lists round', () => {
    expect(alternatingRounds(['a', 'b', 'c'], 2)).toEqual([
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ]);
  });
});

describe('steadyRounds', () => {
  it('drops rounds in which a probe moved', () => {
    const probes = [
      [100, 101],
      [100, 90],
      [99, 100],
      [104, 100],
    ];
    expect(steadyRounds(probes)).toEqual([0, 2]);
  });

  it('takes none of none', () => {
    expect(steadyRounds([])).toEqual([]);
  });
});
