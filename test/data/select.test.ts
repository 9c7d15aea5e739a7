// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import {
  balanceClasses,
  classCounts,
  classWeights,
  concatDatasets,
  stratifiedSplit,
} from '../../lib/data/select.js';

/** Images of one byte that is their index, with classes of 100, 40, 7 and no samples, mixed. */
function uneven(): Dataset {
  const labels = Array.from({ length: 147 }, (_, i) => (i % 21 === 20 ? 2 : i % 7 < 5 ? 0 : 1));
  const first = labels.flatMap((label, i) => (label === 0 ? [i] : []));
  for (const i of first.slice(100)) labels[i] = 1;
  return new ArrayDataset({
    images: Uint8Array.from(labels, (_, i) => i),
    labels,
    imageShape: [1, 1, 1],
    classNames: ['a', 'b', 'c', 'none'],
  });
}

const idsOf = ({ images }: Dataset) => Array.from(images);

describe('stratifiedSplit', () => {
  it('gives each side its share of every class, and every sample to one side, in order', () => {
    const all = uneven();
    const counts = classCounts(all);
    for (const fraction of [0.01, 0.1, 0.5, 0.99]) {
      const [rest, share] = stratifiedSplit(all, { fraction, seed: 4 });
      const expected = counts.map((n) =>
        n === 0 ? 0 : Math.max(1, Math.min(n - 1, Math.round(fraction * n))),
      );
      expect(classCounts(share)).toEqual(expected);
      expect(classCounts(rest)).toEqual(counts.map((n, i) => n - expected[i]));
      expect([...idsOf(rest), ...idsOf(share)].sort((a, b) => a - b)).toEqual(idsOf(all));
      for (const side of [rest, share]) {
        expect(idsOf(side)).toEqual([...idsOf(side)].sort((a, b) => a - b));
        expect(Array.from(side.labels)).toEqual(idsOf(side).map((id) => all.labels[id]));
      }
    }
  });

  it('chooses by the seed alone', () => {
    const chosen = (seed: number) => idsOf(stratifiedSplit(uneven(), { fraction: 0.3, seed })[1]);
    expect(chosen(1)).toEqual(chosen(1));
    expect(chosen(1)).not.toEqual(chosen(2));
  });

  it.each([
    [{ fraction: 0 }],
    [{ fraction: 1 }],
    [{ fraction: Number.NaN }],
    [{ seed: 0.5 }],
    [{ frction: 1 } as object],
  ])('refuses %j', (options) => {
    expect(() => stratifiedSplit(uneven(), options)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });

  it('refuses a class of one sample, by name', () => {
    const images = new Uint8Array(3);
    const single = new ArrayDataset({
      ...{ images, labels: [0, 0, 1], imageShape: [1, 1, 1] as const, classNames: ['a', 'a lone one'] },
    });
    expect(() => stratifiedSplit(single)).toThrow(/a lone one/);
  });
});

describe('classes', () => {
  it('are counted, and weighted so that each counts alike and a sample 1 in the mean', () => {
    const all = uneven();
    expect(classCounts(all)).toEqual([100, 40, 7, 0]);
    const weights = classWeights(all);
    expect(weights).toEqual([147 / 300, 147 / 120, 147 / 21, 0]);
    const sum = Array.from(all.labels).reduce((total, label) => total + weights[label], 0);
    expect(sum / all.length).toBeCloseTo(1, 12);
  });

  it('are balanced by repeating evenly, or by leaving out', () => {
    const more = balanceClasses(uneven());
    expect(classCounts(more)).toEqual([100, 100, 100, 0]);
    const times = new Map<number, number>();
    for (const id of idsOf(more)) times.set(id, (times.get(id) ?? 0) + 1);
    expect(times.size).toBe(147);
    uneven().labels.forEach((label, id) => {
      const even = 100 / [100, 40, 7][label];
      expect([Math.floor(even), Math.ceil(even)]).toContain(times.get(id));
    });
    const fewer = balanceClasses(uneven(), { by: 'undersample', seed: 1 });
    expect(classCounts(fewer)).toEqual([7, 7, 7, 0]);
    expect(new Set(idsOf(fewer)).size).toBe(21);
    expect(() => balanceClasses(uneven(), { by: 'other' as 'oversample' })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('concatDatasets', () => {
  it('joins sets one after another', () => {
    const joined = concatDatasets([uneven(), uneven()]);
    expect(joined.length).toBe(294);
    expect(idsOf(joined)).toEqual([...idsOf(uneven()), ...idsOf(uneven())]);
    expect(classCounts(joined)).toEqual([200, 80, 14, 0]);
  });

  it('refuses sets that do not fit together, by name', () => {
    const all = uneven();
    const parts = { images: new Uint8Array(4), labels: [0], classNames: all.classNames, name: 'other' };
    const cases: [Dataset, string][] = [
      [new ArrayDataset({ ...parts, imageShape: [2, 2, 1] }), 'ERR_SHAPE'],
      [new ArrayDataset({ ...parts, images: new Float32Array(1), imageShape: [1, 1, 1] }), 'ERR_DTYPE'],
      [
        new ArrayDataset({
          ...parts,
          images: new Uint8Array(1),
          imageShape: [1, 1, 1],
          classNames: ['b', 'a', 'c', 'none'],
        }),
        'ERR_ARGUMENT',
      ],
    ];
    for (const [other, code] of cases) {
      expect(() => concatDatasets([all, other])).toThrow(
        expect.objectContaining({ code, received: expect.stringContaining('other') }),
      );
    }
    expect(() => concatDatasets([])).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    expect(() => concatDatasets([{} as Dataset])).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});
