// SPDX-License-Identifier: Apache-2.0
// Philox against the known answers that its authors publish with Random123 (kat_vectors), and the stream on top.
import { describe, expect, it } from 'vitest';
import { philox4x32, philoxKey, RandomStream } from '../../lib/tensor/philox.js';

describe('philox4x32', () => {
  it.each([
    {
      counter: [0, 0, 0, 0],
      key: [0, 0],
      answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])('gives the published answer for counter $counter', ({ counter, key, answer }) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect([...out]).toEqual(answer);
  });

  it('may write over its counter', () => {
    const counter = new Uint32Array(4);
    philox4x32(counter, [0, 0], counter);
    expect(counter[0]).toBe(0x6627e8d5);
  });

  it('splits a seed into two words, negative seeds too', () => {
    expect(philoxKey(1)).toEqual([1, 0]);
    expect(philoxKey(2 ** 32 + 5)).toEqual([5, 1]);
    expect(philoxKey(Number.MAX_SAFE_INTEGER)).toEqual([0xffffffff, 0x1fffff]);
    expect(philoxKey(-1)).toEqual([0xffffffff, 0xffffffff]);
  });
});

describe('RandomStream', () => {
  const words = (stream: RandomStream) => Array.from({ length: 9 }, () => stream.word());

  it('is the blocks of its counter in order', () => {
    const expected: number[] = [];
    for (let block = 0; block < 2; block++) {
      const out = new Uint32Array(4);
      philox4x32([block, 7, 3, 11], philoxKey(42), out);
      expected.push(...out);
    }
    expect(words(new RandomStream(42, 3, 7, 11)).slice(0, 8)).toEqual(expected);
  });

  it('depends on each of seed, stream, index and step', () => {
    const reference = words(new RandomStream(1, 2, 3, 4));
    expect(words(new RandomStream(1, 2, 3, 4))).toEqual(reference);
    for (const [seed, stream, index, step] of [
      [2, 2, 3, 4],
      [1, 3, 3, 4],
      [1, 2, 4, 4],
      [1, 2, 3, 5],
      [1 + 2 ** 32, 2, 3, 4],
    ]) {
      const other = words(new RandomStream(seed, stream, index, step));
      expect(other.filter((word, i) => word === reference[i])).toEqual([]);
    }
  });

  it('draws uniform numbers of 24 bits with the right mean and spread', () => {
    const stream = new RandomStream(1, 0, 0);
    const n = 20_000;
    const values = Array.from({ length: n }, () => stream.uniform());
    const mean = values.reduce((a, b) => a + b) / n;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.every((value) => Math.fround(value) === value)).toBe(true);
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n)); // 4 standard errors
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
  });

  it('draws normal numbers with the right mean, spread and tails', () => {
    const stream = new RandomStream(1, 0, 1);
    const n = 20_000;
    const values = Array.from({ length: n }, () => stream.normal());
    const mean = values.reduce((a, b) => a + b) / n;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / n;
    expect(values.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.006);
  });

  it('draws every integer below n equally often', () => {
    const stream = new RandomStream(1, 0, 2);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 21_000; i++) counts[stream.int(7)]++;
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(4 * Math.sqrt(3000));
    expect(new RandomStream(1, 0, 3).int(1)).toBe(0);
  });

  it('keeps `between` in its bounds', () => {
    const stream = new RandomStream(1, 0, 4);
    for (let i = 0; i < 1000; i++) {
      const value = stream.between(-3, 5);
      expect(value).toBeGreaterThanOrEqual(-3);
      expect(value).toBeLessThan(5);
    }
  });
});
