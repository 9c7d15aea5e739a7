// SPDX-License-Identifier: Apache-2.0
// What mattered, on scores whose causes are known.
import { describe, expect, it } from 'vitest';
import type { Dimension } from '../../lib/search/choice.js';
import { effectsOf, type Scored } from '../../lib/search/effects.js';
import { RandomStream } from '../../lib/tensor/philox.js';

const DIMENSIONS: readonly Dimension[] = [
  { name: 'size', values: [3, 5, 7] },
  { name: 'kind', values: ['max', 'avg'] },
  { name: 'lr', range: { min: 0.001, max: 0.1, log: true, points: 3, whole: false } },
  { name: 'settled', values: [1, 2] },
];

/** Scores of 200 trials, made by a function of the choices and some noise. */
function trials(score: (size: number, kind: string, lr: number, noise: number) => number): Scored[] {
  return Array.from({ length: 200 }, (_, i) => {
    const random = new RandomStream(5, 0, i);
    const [size, kind] = [[3, 5, 7][random.int(3)], ['max', 'avg'][random.int(2)]];
    const lr = 0.001 * 100 ** random.uniform();
    return { values: { size, kind, lr, settled: 1 }, score: score(size, kind, lr, random.normal()) };
  });
}

const shares = (scored: readonly Scored[]) =>
  Object.fromEntries(effectsOf(DIMENSIONS, scored).map(({ name, share }) => [name, share]));

describe('effectsOf', () => {
  it('gives all of the spread to the one choice that makes it', () => {
    const all = shares(trials((size) => size / 10));
    expect(all.size).toBeCloseTo(1, 12);
    expect(all.kind).toBeLessThan(0.05);
    expect(all.lr).toBeLessThan(0.05);
    expect(all).not.toHaveProperty('settled');
  });

  it('divides it as the variances of the ranks are', () => {
    const all = shares(trials((size, kind, _, noise) => size + (kind === 'max' ? 1 : -1) + noise));
    // Of the distribution function of such scores, an even mixture of normal ones, integrated: its variance is 1/12
    expect(Math.abs(all.size - 0.589)).toBeLessThan(0.1);
    expect(Math.abs(all.kind - 0.202)).toBeLessThan(0.1);
    expect(all.lr).toBeLessThan(0.05);
  });

  it('is not led astray by one that learnt nothing', () => {
    const scored = trials((size, _, __, noise) => size + noise / 10);
    const wrecked = scored.map((row, i) => (i === 0 ? { ...row, score: -1000 } : row));
    expect(Math.abs(shares(wrecked).size - shares(scored).size)).toBeLessThan(0.05);
  });

  it('sees a range in parts, also where the best lies in its middle', () => {
    const [first] = effectsOf(
      DIMENSIONS,
      trials((_, __, lr) => -((Math.log10(lr) + 2) ** 2)),
    );
    expect(first).toMatchObject({ name: 'lr', scale: 'log' });
    expect(Math.abs(first.share - 0.864)).toBeLessThan(0.05); // of a parabola in five parts
    expect(first.groups).toHaveLength(5);
    expect(first.groups.map(({ trials: count }) => count)).toEqual([40, 40, 40, 40, 40]);
    const means = first.groups.map(({ mean }) => mean);
    expect(means.indexOf(Math.max(...means))).toBe(2);
  });

  it('explains nothing of noise, on average', () => {
    let sum = 0;
    for (let i = 0; i < 20; i++) {
      const random = new RandomStream(9, 1, i);
      sum += shares(trials(() => random.normal())).size;
    }
    expect(sum / 20).toBeLessThan(0.01); // eta squared alone would be 2 / 199 = 0.010 without an effect
  });

  it('is finite with few trials, equal scores and choices that were not met', () => {
    const one = { values: { size: 3 }, score: 0.5 };
    expect(effectsOf(DIMENSIONS, [])).toEqual([]);
    expect(effectsOf(DIMENSIONS, [one])).toEqual([]);
    const same = effectsOf(DIMENSIONS, [one, { ...one, values: { size: 5 } }, { values: {}, score: 0.5 }]);
    expect(same.map(({ name, share }) => [name, share])).toEqual([['size', 0]]);
  });
});
