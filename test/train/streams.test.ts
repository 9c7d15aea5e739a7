// SPDX-License-Identifier: Apache-2.0
// Trainings on samples that come one after another: the same bits as from memory, no more read ahead than said, and every way
// in which a source may end.
import { Readable } from 'node:stream';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Augmentation } from '../../lib/data/augment.js';
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import { DataLoader } from '../../lib/data/loader.js';
import {
  type SampleSource,
  StreamDataset,
  type StreamItem,
  type StreamSource,
} from '../../lib/data/stream.js';
import { weightsSha256 } from '../../lib/io/weights.js';
import { memory } from '../../lib/tensor/scope.js';
import { estimate } from '../../lib/train/estimate.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { type FitOptions, fit } from '../../lib/train/fit.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const [H, W, C] = someXo(1).imageShape;
const SIZE = H * W * C;

/** The samples of a set, a few at a time: sizes in turn, 0 for one by itself. */
async function* itemsOf({ images, labels }: Dataset, sizes = [0]): AsyncGenerator<StreamItem> {
  for (let at = 0, turn = 0; at < labels.length; turn++) {
    const size = sizes[turn % sizes.length];
    const end = Math.min(labels.length, at + Math.max(1, size));
    const values = images.slice(at * SIZE, end * SIZE);
    yield size === 0
      ? { image: values, label: labels[at] }
      : { images: values, labels: labels.slice(at, end) };
    at = end;
  }
}

const streamOf = (
  { imageShape, classNames, normalization }: Dataset,
  source: StreamSource,
  more: { length?: number | undefined; buffer?: number } = {},
) => new StreamDataset({ imageShape, classNames, normalization, source, ...more });

const options: FitOptions = { batchSize: 8, lr: 0.05, seed: 3 };
const augments: { augment: Augmentation[] | undefined }[] = [
  { augment: undefined },
  { augment: [{ kind: 'flip' }, { kind: 'crop', padding: 2 }, { kind: 'mixup' }] },
];

describe('a stream', () => {
  it.each(augments)(
    'ends with the weights of the same samples in memory, however it is cut: %j',
    async ({ augment }) => {
      const set = someXo(45); // the last batch has 5
      const expected = xoModel();
      const { history } = await fit(expected, set, { ...options, epochs: 2, shuffle: false, augment });
      const sources: StreamSource[] = [
        () => itemsOf(set),
        () => itemsOf(set, [3, 11, 0, 64]),
        async () => Readable.from(itemsOf(set, [4])),
        () => [{ images: set.images, labels: set.labels }],
      ] as StreamSource[];
      for (const source of sources) {
        for (const [capture, length] of [
          [true, undefined],
          [false, undefined],
          [true, 45],
          [false, 45],
        ] as const) {
          const model = xoModel();
          const stream = streamOf(set, source, { length });
          const result = await fit(model, stream, { ...options, epochs: 2, augment, capture });
          expect(weightsSha256(model)).toBe(weightsSha256(expected));
          expect(result).toMatchObject({ steps: 12, captured: capture, aborted: false });
          expect(result.history.map(({ loss }) => loss)).toEqual(history.map(({ loss }) => loss));
          model.dispose();
        }
      }
    },
  );

  it('divides its batches, and takes a schedule, a validation set and averages', async () => {
    const set = someXo(45);
    const more: FitOptions = {
      ...{ ...options, epochs: 2, microBatches: 2, schedule: 'cosine', warmup: 3, ema: 0.9 },
      ...{ validation: someXo(10), metrics: ['top2'] },
    };
    const [expected, model] = [xoModel(), xoModel()];
    const { history } = await fit(expected, set, { ...more, shuffle: false });
    const result = await fit(
      model,
      streamOf(set, () => itemsOf(set), { length: 45 }),
      more,
    );
    expect(weightsSha256(model)).toBe(weightsSha256(expected));
    expect(result.history.map(({ valLoss }) => valLoss)).toEqual(history.map(({ valLoss }) => valLoss));
  });

  it('may be the iterable itself, whose first item has the shape', async () => {
    async function* samples() {
      for await (const item of itemsOf(someXo(20))) yield { ...item, shape: [H, W, C] as const };
    }
    const sources = [samples(), Readable.from(samples()), samples, [...(await toArray(samples()))].values()];
    const shas = [];
    for (const source of sources) {
      const model = xoModel();
      expect((await fit(model, source, options)).steps).toBe(3);
      shas.push(weightsSha256(model));
    }
    expect(new Set(shas).size).toBe(1);
    await expect(fit(xoModel(), itemsOf(someXo(9)), options)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: expect.stringContaining('shape'),
    });
  });

  it('goes on in the next epoch where it has a length, and is opened anew at its end', async () => {
    let opened = 0;
    async function* endless() {
      for (;;) yield* itemsOf(someXo(7));
    }
    const counted = () => {
      opened += 1;
      return endless();
    };
    const result = await fit(xoModel(), streamOf(someXo(1), counted, { length: 20 }), {
      ...options,
      epochs: 3,
    });
    expect([result.steps, opened]).toEqual([9, 1]);
    const finite = () => {
      opened += 1;
      return itemsOf(someXo(40));
    };
    expect(
      (await fit(xoModel(), streamOf(someXo(1), finite, { length: 20 }), { ...options, epochs: 4 })).steps,
    ).toBe(12);
    expect(opened).toBe(3);
  });

  it.each([true, false])('is asked for no more than the buffer holds (captured: %s)', async (capture) => {
    const set = someXo(8);
    let asked = 0;
    let trained = 0;
    let ahead = 0;
    async function* counted() {
      for (let i = 0; i < 400; i++) {
        asked += 1;
        ahead = Math.max(ahead, asked - trained);
        yield { image: set.images.slice((i % 8) * SIZE, ((i % 8) + 1) * SIZE), label: set.labels[i % 8] };
      }
    }
    const onBatch = async () => {
      trained += 8;
    };
    const stream = streamOf(set, counted(), { buffer: 40 });
    const result = await fit(xoModel(), stream, { ...options, capture, onBatch });
    expect(result.steps).toBe(50);
    expect(ahead).toBeGreaterThanOrEqual(8);
    expect(ahead).toBeLessThanOrEqual(40 + 8 + 1); // the batch that is run, and the item under way
  });

  it('leaves the event loop free while a slow source is waited for, and nothing in memory', async () => {
    const set = someXo(24);
    async function* slow() {
      for await (const item of itemsOf(set)) {
        await setTimeout(2);
        yield item;
      }
    }
    await fit(
      xoModel(),
      streamOf(set, () => itemsOf(set)),
      options,
    ); // what is made once
    const model = xoModel();
    const before = memory().bytes;
    let turns = 0;
    let isOver = false;
    const count = async () => {
      for (; !isOver; turns++) await setTimeout(1);
    };
    const counting = count();
    await fit(model, streamOf(set, slow()), options);
    isOver = true;
    await counting;
    expect(turns).toBeGreaterThan(10);
    expect(memory().bytes).toBe(before);
  });
});

async function toArray<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe.each([true, false])('a source that ends otherwise (captured: %s)', (capture) => {
  const set = someXo(40);
  const own = { ...options, capture };

  it('by an error: the steps before it are done, and its own error is told', async () => {
    const failing = async function* () {
      yield* itemsOf(someXo(20));
      throw new RangeError('disk on fire');
    };
    const model = xoModel();
    let steps = 0;
    const onBatch = () => {
      steps += 1;
    };
    await expect(fit(model, streamOf(set, failing()), { ...own, onBatch })).rejects.toThrow(
      new RangeError('disk on fire'),
    );
    expect(steps).toBe(2);
    const expected = xoModel();
    await fit(expected, someXo(20), { ...own, shuffle: false, onBatch: undefined, signal: undefined });
    const whole = xoModel();
    await fit(whole, streamOf(set, itemsOf(someXo(16))), own);
    expect(weightsSha256(model)).toBe(weightsSha256(whole));
    const stream = Readable.from(itemsOf(set));
    stream.once('data', () => {});
    stream.destroy(new Error('gone'));
    await expect(fit(model, streamOf(set, stream), own)).rejects.toThrow();
    await fit(model, set, own); // it is free again
  });

  it('before it has given anything, or as many as it should', async () => {
    const none = () => itemsOf({ ...set, labels: new Int32Array() });
    await expect(fit(xoModel(), streamOf(set, none), own)).rejects.toMatchObject({ code: 'ERR_DATA' });
    const short = streamOf(set, () => itemsOf(set), { length: 44 });
    await expect(fit(xoModel(), short, own)).rejects.toMatchObject({
      code: 'ERR_DATA',
      received: 'a source that ended after 40',
    });
    const once = fit(xoModel(), streamOf(set, itemsOf(set)), { ...own, epochs: 2 });
    await expect(once).rejects.toMatchObject({ code: 'ERR_DATA', hint: expect.stringMatching(/function/) });
  });

  it('by the signal, before its first sample and in the middle: it is told, and nothing hangs', async () => {
    const told: string[] = [];
    const hanging = (samples: number): SampleSource => ({
      [Symbol.asyncIterator]() {
        const items = itemsOf(someXo(samples + 1));
        let given = 0;
        return {
          next: async () => {
            given += 1;
            return given <= samples ? items.next() : new Promise<never>(() => {});
          },
          return: async () => {
            told.push(`after ${samples}`);
            return { value: undefined, done: true as const };
          },
        };
      },
    });
    for (const samples of [0, 17]) {
      const control = new AbortController();
      const ending = fit(xoModel(), streamOf(set, hanging(samples)), { ...own, signal: control.signal });
      await setTimeout(60);
      control.abort();
      const result = await ending;
      expect(result).toMatchObject({ aborted: true, steps: Math.floor(samples / 8) });
    }
    expect(told).toEqual(['after 0', 'after 17']);
    const stream = Readable.from(itemsOf(set));
    const control = new AbortController();
    const onBatch = ({ step }: { step: number }) => step === 2 && control.abort();
    const result = await fit(xoModel(), streamOf(set, stream), { ...own, onBatch, signal: control.signal });
    expect([result.steps, result.aborted, stream.destroyed]).toEqual([2, true, true]);
    const signal = AbortSignal.abort();
    expect(await fit(xoModel(), streamOf(set, itemsOf(set)), { ...own, signal })).toMatchObject({ steps: 0 });
  });

  it.each<[what: string, item: unknown, code: string]>([
    ['no object', 7, 'ERR_ARGUMENT'],
    ['bytes of a stream that is not in object mode', Buffer.from('abc'), 'ERR_ARGUMENT'],
    ['an image of another size', { image: new Uint8Array(3), label: 0 }, 'ERR_SHAPE'],
    ['floats behind bytes', { image: new Float32Array(SIZE), label: 0 }, 'ERR_DTYPE'],
    ['a label without a class', { image: new Uint8Array(SIZE), label: 2 }, 'ERR_DATA'],
    ['a label that is no whole number', { image: new Uint8Array(SIZE), label: 0.5 }, 'ERR_DATA'],
    ['an empty batch', { images: new Uint8Array(0), labels: [] }, 'ERR_SHAPE'],
  ])('is refused for an item that is %s, with its number, and closed', async (_, item, code) => {
    let isClosed = false;
    async function* wrong() {
      try {
        yield* itemsOf(someXo(9));
        yield item as StreamItem;
        yield* itemsOf(set);
      } finally {
        isClosed = true;
      }
    }
    const model = xoModel();
    await expect(fit(model, streamOf(set, wrong()), own)).rejects.toMatchObject({
      code,
      expected: expect.stringContaining('sample 9 of epoch 1'),
    });
    await setImmediate();
    expect(isClosed).toBe(true);
  });

  it('by numbers that are not finite: the sample is named', async () => {
    const { images, labels } = halves(20);
    const values = Float32Array.from(images);
    values[4 * 13] = Number.NaN;
    const source = [{ images: values, labels }];
    const stream = new StreamDataset({ imageShape: [2, 2, 1], classNames: ['a', 'b'], source });
    await expect(fit(linearModel(), stream, own)).rejects.toMatchObject({
      code: 'ERR_NUMERICS',
      received: expect.stringMatching(/13/),
    });
  });
});

describe('streams are refused', () => {
  const set = someXo(8);
  const stream = () => streamOf(set, () => itemsOf(set));

  it.each<FitOptions>([
    { shuffle: true },
    { checkpoint: { dir: '/nowhere' } },
    { resume: '/nowhere' },
    { fastDevRun: true },
    { overfitBatches: 2 },
    { schedule: 'cosine' },
    { warmup: 3 },
  ])('with %j', async (more) => {
    await expect(fit(xoModel(), stream(), more)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('where their parts do not fit', async () => {
    const parts = { source: () => itemsOf(set), imageShape: set.imageShape, classNames: set.classNames };
    for (const [change, code] of [
      [{ source: 3 }, 'ERR_ARGUMENT'],
      [{ imageShape: [3, 3] }, 'ERR_SHAPE'],
      [{ classNames: [] }, 'ERR_ARGUMENT'],
      [{ length: 0 }, 'ERR_ARGUMENT'],
      [{ buffer: 1.5 }, 'ERR_ARGUMENT'],
      [{ name: 5 }, 'ERR_ARGUMENT'],
      [{ normalization: { mean: [0], std: [0] } }, 'ERR_ARGUMENT'],
    ] as const) {
      expect(() => new StreamDataset({ ...parts, ...change } as never)).toThrow(
        expect.objectContaining({ code }),
      );
    }
    const many = new StreamDataset({ ...parts, classNames: ['a', 'b', 'c'] });
    await expect(fit(xoModel(), many)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const opened = streamOf(set, (() => 7) as never);
    await expect(fit(xoModel(), opened)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', received: '7' });
    await expect(fit(xoModel(), [] as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('where samples are needed more than once', async () => {
    const wrong = stream() as never;
    const expected = { code: 'ERR_ARGUMENT', received: 'a stream' };
    await expect(evaluate(xoModel(), wrong)).rejects.toMatchObject(expected);
    await expect(estimate(xoModel(), wrong)).rejects.toMatchObject(expected);
    await expect(fit(xoModel(), set, { validation: wrong })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(() => new DataLoader(wrong)).toThrow(expect.objectContaining(expected));
    expect(() => new ArrayDataset(wrong)).toThrow(expect.objectContaining({ code: 'ERR_DTYPE' }));
  });
});
