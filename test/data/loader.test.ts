// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import { DataLoader, type DataLoaderOptions } from '../../lib/data/loader.js';
import { setNumThreads } from '../../lib/native/bindings.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';

const SHAPE = [2, 3, 2] as const;
const IMAGE = 12;

/** Ten images; image i holds the bytes 20 i, 20 i + 1, … */
function numbered(kind: 'uint8' | 'float32' = 'uint8', count = 10): Dataset {
  const values = Array.from({ length: count * IMAGE }, (_, k) => 20 * Math.floor(k / IMAGE) + (k % IMAGE));
  return new ArrayDataset({
    images: kind === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values),
    labels: Array.from({ length: count }, (_, i) => i % 3),
    imageShape: SHAPE,
    classNames: ['a', 'b', 'c'],
    normalization: { mean: [0.5, 0.25], std: [0.5, 2] },
  });
}

function ordersOf(options: DataLoaderOptions, epochs: number): number[][] {
  using loader = new DataLoader(numbered(), options);
  return Array.from({ length: epochs }, () => indicesOf(loader).flat());
}

function indicesOf(loader: DataLoader): number[][] {
  return tensorScope(() => Array.from(loader, ({ indices }) => [...indices]));
}

describe('DataLoader', () => {
  it('gives out every image once, the last batch with what is left', () => {
    using loader = new DataLoader(numbered(), { batchSize: 4 });
    expect(loader.length).toBe(3);
    expect(indicesOf(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  it('leaves the last batch out where dropLast is set', () => {
    using loader = new DataLoader(numbered(), { batchSize: 4, dropLast: true });
    expect(loader.length).toBe(2);
    expect(indicesOf(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });

  it('has 32 images a batch and no shuffling by default', () => {
    using loader = new DataLoader(numbered());
    expect([loader.batchSize, loader.shuffle, loader.dropLast]).toEqual([32, false, false]);
    expect(indicesOf(loader)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  it.each(['uint8', 'float32'] as const)('normalises %s images by channel, and only in the batch', (kind) => {
    const dataset = numbered(kind);
    using loader = new DataLoader(dataset, { batchSize: 3, shuffle: true, seed: 5 });
    for (const batch of loader) {
      const { images, labels, indices } = batch;
      expect(images.shape).toEqual([indices.length, ...SHAPE]);
      expect([images.dtype, labels.dtype]).toEqual(['float32', 'int32']);
      const expected = Array.from(indices, (index) =>
        Array.from(dataset.images.subarray(index * IMAGE, (index + 1) * IMAGE), (value, k) => {
          const scaled = kind === 'uint8' ? value / 255 : value;
          return k % 2 === 0 ? (scaled - 0.5) / 0.5 : (scaled - 0.25) / 2;
        }),
      ).flat();
      images.data().forEach((value, k) => {
        expect(value).toBeCloseTo(expected[k], 4);
      });
      expect([...labels.data()]).toEqual(Array.from(indices, (index) => index % 3));
      batch.dispose();
    }
  });

  it('keeps bytes as bytes in native memory', () => {
    const held = (['uint8', 'float32'] as const).map((kind) => {
      const before = memory().bytes;
      using loader = new DataLoader(numbered(kind, 4_000));
      expect(loader.length).toBe(125);
      return memory().bytes - before;
    });
    expect(held[0]).toBeGreaterThanOrEqual(4_000 * (IMAGE + 4)); // and an int32 label each
    expect(held[0]).toBeLessThan(held[1] / 2);
  });

  it('shuffles by seed and epoch alone', () => {
    const orders = ordersOf({ shuffle: true, seed: 7, batchSize: 4 }, 4);
    for (const order of orders)
      expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(orders.map(String)).size).toBe(4);
    expect(ordersOf({ shuffle: true, seed: 7, batchSize: 3 }, 4)).toEqual(orders);
    expect(ordersOf({ shuffle: true, seed: 8, batchSize: 4 }, 1)).not.toEqual(orders.slice(0, 1));
  });

  it('gives the same order for any number of threads', () => {
    const orders = [1, 2, 3].map((threads) => {
      setNumThreads(threads);
      return String(ordersOf({ shuffle: true, seed: 3 }, 2));
    });
    expect(new Set(orders).size).toBe(1);
  });

  it('goes on exactly where another loader stood', () => {
    const options = { batchSize: 3, shuffle: true, seed: 11 };
    using whole = new DataLoader(numbered(), options);
    const batches = [...indicesOf(whole), ...indicesOf(whole)];
    expect(whole.epoch).toBe(2);
    for (let stop = 1; stop < batches.length; stop++) {
      using first = new DataLoader(numbered(), options);
      const seen: number[][] = [];
      let { state } = first;
      while (seen.length < stop) {
        for (const batch of first) {
          seen.push([...batch.indices]);
          batch.dispose();
          state = first.state;
          if (seen.length === stop) break;
        }
      }
      using second = new DataLoader(numbered(), options);
      second.state = state;
      while (second.epoch < 2) seen.push(...indicesOf(second));
      expect(seen, `stopped after ${stop} batches`).toEqual(batches);
    }
  });

  it('has a state that survives JSON, and goes on from it to the same batches', () => {
    const options = { batchSize: 3, shuffle: true, seed: -(2 ** 40) - 5, dropLast: true };
    using whole = new DataLoader(numbered(), options);
    const expected = [...indicesOf(whole), ...indicesOf(whole)];
    using first = new DataLoader(numbered(), options);
    const seen: number[][] = [];
    let saved = '';
    for (const batch of first) {
      seen.push([...batch.indices]);
      batch.dispose();
      saved = JSON.stringify(first.stateDict());
      if (seen.length === 2) break;
    }
    using second = new DataLoader(numbered(), options);
    second.loadStateDict(JSON.parse(saved));
    expect(second.stateDict()).toEqual(JSON.parse(saved));
    while (second.epoch < 2) seen.push(...indicesOf(second));
    expect(seen).toEqual(expected);
  });

  it('begins a new epoch after one that was left early', () => {
    using loader = new DataLoader(numbered(), { batchSize: 4 });
    for (const batch of loader) {
      batch.dispose();
      break;
    }
    expect(loader.state).toEqual({ epoch: 1, batch: 0 });
    expect(indicesOf(loader)).toHaveLength(3);
  });

  it('leaves its batches to the scope around them, and nothing else', () => {
    using loader = new DataLoader(numbered(), { batchSize: 4, shuffle: true });
    indicesOf(loader);
    const before = memory();
    for (let epoch = 0; epoch < 20; epoch++) indicesOf(loader);
    expect(memory().tensors).toBe(before.tensors);
    expect(memory().bytes).toBe(before.bytes);
  });

  it('frees its copy, after which it gives out nothing', () => {
    const before = memory().tensors;
    const loader = new DataLoader(numbered());
    loader.dispose();
    expect(memory().tensors).toBe(before);
    expect(() => [...loader]).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });
});

describe('DataLoader refuses', () => {
  it.each([
    [{ batchSize: 0 }, 'batchSize'],
    [{ batchSize: 2.5 }, 'batchSize'],
    [{ batchSize: -1 }, 'batchSize'],
    [{ seed: 0.5 }, 'seed'],
    [{ batchsize: 4 } as object, 'only the options batchSize'],
    [{ batchSize: 11, dropLast: true }, 'at most 10'],
  ])('%j', (options, expected) => {
    expect(() => new DataLoader(numbered(), options)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', expected: expect.stringContaining(expected) }),
    );
  });

  it('a position that it cannot have', () => {
    using loader = new DataLoader(numbered(), { batchSize: 4 });
    for (const state of [
      { epoch: -1, batch: 0 },
      { epoch: 0, batch: 4 },
      { epoch: 2 ** 32, batch: 0 },
    ]) {
      expect(() => {
        loader.state = state;
      }).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    }
    expect(loader.state).toEqual({ epoch: 0, batch: 0 });
  });

  it('the state of a loader that gives out other batches', () => {
    const options = { batchSize: 4, shuffle: true, seed: 3 };
    using loader = new DataLoader(numbered(), options);
    const state = { ...loader.stateDict(), epoch: 2, batch: 1 };
    const { images: _, ...incomplete } = state;
    for (const wrong of [
      { ...state, seed: 4 },
      { ...state, shuffle: false },
      { ...state, batchSize: 2 },
      { ...state, dropLast: true },
      { ...state, images: 11 },
      { ...state, batch: 4 },
      { ...state, epoch: Number.NaN },
      { ...state, more: 1 },
      incomplete,
      null,
    ]) {
      const load = () => loader.loadStateDict(wrong as typeof state);
      expect(load, JSON.stringify(wrong)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    }
    expect(loader.state).toEqual({ epoch: 0, batch: 0 });
    loader.loadStateDict(state);
    expect(loader.state).toEqual({ epoch: 2, batch: 1 });
  });

  it('data sets that are empty, detached or inconsistent, whoever made them', () => {
    const good = { ...numbered() };
    const detached = new Uint8Array(120);
    structuredClone(detached, { transfer: [detached.buffer] });
    const cases: [Partial<Dataset>, string][] = [
      [{ labels: new Int32Array(0), length: 0 }, 'ERR_ARGUMENT'],
      [{ images: detached }, 'ERR_ARGUMENT'],
      [{ labels: Int32Array.from({ length: 10 }, () => 3) }, 'ERR_ARGUMENT'],
      [{ labels: Int32Array.from({ length: 10 }, () => -1) }, 'ERR_ARGUMENT'],
      [{ imageShape: [2, 3, 1] }, 'ERR_SHAPE'],
      [{ normalization: { mean: [0], std: [1] } }, 'ERR_ARGUMENT'],
    ];
    const before = memory().tensors;
    for (const [change, code] of cases) {
      expect(() => new DataLoader({ ...good, ...change })).toThrow(expect.objectContaining({ code }));
    }
    expect(memory().tensors).toBe(before);
  });
});
