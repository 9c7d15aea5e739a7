// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import { weightsSha256 } from '../../lib/io/weights.js';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import { SGD } from '../../lib/optim/sgd.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { type FitOptions, fit } from '../../lib/train/fit.js';
import type { BatchReport, HistoryRow, ProgressReport } from '../../lib/train/progress.js';
import { halves, linearModel, someXo, weightsOf, xoModel } from './tiny.js';

const threads = nativeInfo().threads;
afterEach(() => setNumThreads(threads));

describe('fit', () => {
  it.each(['sgd', 'adam', 'adamw'] as const)('learns 32 images by heart with %s', async (optimizer) => {
    const dataset = someXo(32);
    const model = xoModel();
    const { history } = await fit(model, dataset, { epochs: 40, batchSize: 8, optimizer });
    expect(history).toHaveLength(40);
    expect(history[0].loss).toBeGreaterThan(0.3);
    const { accuracy, loss } = await evaluate(model, dataset);
    expect(accuracy).toBe(1);
    expect(loss).toBeLessThan(0.05);
  });

  it('gives the same weights for 1, 2 and 3 threads, others for another seed', async () => {
    const dataset = someXo(64);
    const hashes: string[] = [];
    for (const [count, seed] of [
      [1, 5],
      [2, 5],
      [3, 5],
      [1, 6],
    ]) {
      setNumThreads(count);
      const model = xoModel();
      await fit(model, dataset, { epochs: 2, batchSize: 24, seed });
      hashes.push(weightsSha256(model));
    }
    expect(new Set(hashes.slice(0, 3)).size).toBe(1);
    expect(hashes[3]).not.toBe(hashes[0]);
  });

  it('reports every step, every epoch and progress in between', async () => {
    const batches: BatchReport[] = [];
    const rows: HistoryRow[] = [];
    const progress: ProgressReport[] = [];
    const result = await fit(linearModel(), halves(50), {
      epochs: 3,
      batchSize: 8,
      validation: halves(10),
      onBatch: (report) => batches.push(report),
      onEpoch: (row) => void rows.push(row),
      onProgress: (report) => progress.push(report),
    });
    expect(result).toMatchObject({ steps: 21, aborted: false });
    expect(result.history).toEqual(rows);
    expect(rows.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual([
        ...['epoch', 'loss', 'accuracy', 'valLoss', 'valAccuracy', 'lr', 'seconds', 'imagesPerSecond'],
      ]);
      expect(row.imagesPerSecond * row.seconds).toBeCloseTo(50);
    }
    expect(batches.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
    expect(batches[9]).toMatchObject({ epoch: 2, batch: 3, batches: 7, lr: 0.001 });
    const firstEpoch = batches.slice(0, 7);
    const mean = firstEpoch.reduce((sum, { loss }, i) => sum + loss * (i < 6 ? 8 : 2), 0) / 50;
    expect(rows[0].loss).toBeCloseTo(mean, 10);
    expect(progress.at(-1)).toMatchObject({ epoch: 3, epochs: 3, batch: 7, batches: 7, secondsLeft: 0 });
    expect(result.curve).toHaveLength(21);
    expect(result.curve[6].epoch).toBe(1);
    expect(result.imagesPerSecond * result.seconds).toBeCloseTo(150);
  });

  it('has no validation columns without a validation set', async () => {
    const { history } = await fit(linearModel(), halves(8));
    expect(history).toHaveLength(1);
    expect(history[0]).not.toHaveProperty('valLoss');
  });

  it('thins the curve to 20 points an epoch, each a mean', async () => {
    const losses: number[] = [];
    const { curve } = await fit(linearModel(), halves(80), {
      batchSize: 1,
      onBatch: ({ loss }) => losses.push(loss),
    });
    expect(curve).toHaveLength(20);
    expect(curve[1].epoch).toBeCloseTo(0.1);
    expect(curve[1].loss).toBeCloseTo((losses[4] + losses[5] + losses[6] + losses[7]) / 4, 10);
  });

  it('leaves every module in the mode that it was in', async () => {
    const model = xoModel();
    model.eval();
    model.parameters();
    const [, first] = model.modules();
    first.training = true;
    const before = model.modules().map(({ training }) => training);
    const during = new Set<boolean>();
    const remove = model.onForward((module) => during.add(module.training));
    await fit(model, someXo(8), { batchSize: 4, validation: someXo(8) });
    remove();
    expect(during).toEqual(new Set([true, false]));
    expect(model.modules().map(({ training }) => training)).toEqual(before);
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  it('lets the event loop turn while it trains', async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await fit(xoModel(), someXo(512), { epochs: 4, batchSize: 16 });
    clearInterval(timer);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(250); // a slice of 25 ms on a machine that others use too
  });

  it('trains with an optimizer of the caller, which keeps its state and its learning rates', async () => {
    const [whole, halved] = [linearModel(), linearModel()];
    const options = { batchSize: 4, shuffle: false };
    await fit(whole, halves(16), { ...options, epochs: 2, optimizer: 'sgd', lr: 0.1 });
    using optimizer = new SGD(halved.parameters(), { lr: 0.1, momentum: 0.9 });
    await fit(halved, halves(16), { ...options, optimizer });
    await fit(halved, halves(16), { ...options, optimizer });
    expect(weightsOf(halved)).toEqual(weightsOf(whole));
    await fit(halved, halves(16), { ...options, optimizer, schedule: 'cosine' });
    expect(optimizer.lr).toBe(0.1);
  });

  it('follows schedules', async () => {
    const ratesOf = async (options: FitOptions) => {
      const rates: number[] = [];
      const onBatch = ({ lr }: BatchReport) => rates.push(lr);
      await fit(linearModel(), halves(8), { batchSize: 4, epochs: 2, lr: 0.4, ...options, onBatch });
      return rates;
    };
    expect(await ratesOf({})).toEqual([0.4, 0.4, 0.4, 0.4]);
    expect(await ratesOf({ schedule: (step) => step / 8 })).toEqual([0, 0.125, 0.25, 0.375]);
    const cosine = await ratesOf({ schedule: 'cosine' });
    [0, 1, 2, 3].forEach((step) => {
      expect(cosine[step]).toBeCloseTo(0.2 * (1 + Math.cos((Math.PI * step) / 4)), 12);
    });
  });

  it('keeps the ratio of the groups under a cosine', async () => {
    const model = linearModel();
    const [weight, bias] = model.parameters();
    using optimizer = new SGD([{ params: [weight] }, { params: [bias], lr: 0.01 }], { lr: 0.1 });
    const ratios: number[] = [];
    const onBatch = () => ratios.push(optimizer.groups[0].lr / optimizer.groups[1].lr);
    await fit(model, halves(8), { batchSize: 2, optimizer, schedule: 'cosine', onBatch });
    for (const ratio of ratios) expect(ratio).toBeCloseTo(10);
  });
});

describe('fit stopped by a signal', () => {
  it('ends after the step under way, with its weights', async () => {
    const control = new AbortController();
    const model = linearModel();
    const onBatch = ({ step }: BatchReport) => {
      if (step === 5) control.abort();
    };
    const options = { batchSize: 2, epochs: 4, signal: control.signal, onBatch };
    const result = await fit(model, halves(8), options);
    expect(result).toMatchObject({ aborted: true, steps: 5 });
    expect(result.history).toHaveLength(1);
    const other = linearModel();
    const again = new AbortController();
    await fit(other, halves(8), {
      ...options,
      signal: again.signal,
      onBatch: ({ step }) => void (step === 5 && again.abort()),
    });
    expect(weightsOf(other)).toEqual(weightsOf(model));
  });

  it('comes to an end from a timer too', async () => {
    const signal = AbortSignal.timeout(100);
    const started = performance.now();
    const { aborted } = await fit(xoModel(), someXo(256), { epochs: 100_000, signal });
    expect(aborted).toBe(true);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('does not begin with one that was aborted before', async () => {
    const model = linearModel();
    const before = weightsOf(model);
    const result = await fit(model, halves(8), { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ aborted: true, steps: 0, history: [], imagesPerSecond: 0 });
    expect(weightsOf(model)).toEqual(before);
  });
});

describe('fit refuses', () => {
  it('what is no model and what is no data set', async () => {
    const split = { train: halves(4), test: halves(4) };
    await expect(fit(undefined as never, split.train)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(fit(linearModel(), undefined as never)).rejects.toMatchObject({ received: 'undefined' });
    await expect(fit(linearModel(), split as never)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      hint: 'pass one of its parts, train or test',
    });
  });

  it.each([
    [{ epochs: 0 }, 'epochs'],
    [{ epochs: 1.5 }, 'epochs'],
    [{ batchSize: 0 }, 'batchSize'],
    [{ seed: 0.1 }, 'seed'],
    [{ lr: -1 }, 'lr'],
    [{ lr: Number.NaN }, 'lr'],
    [{ optimizer: 'adamm' as 'adam' }, 'optimizer'],
    [{ schedule: 'cosin' as 'cosine' }, 'schedule'],
    [{ optimizer: 'adam', momentum: 0.9 } as const, 'momentum'],
    [{ optimizer: 'sgd', weightDecay: -1 } as const, 'weightDecay'],
  ])('%j', async (options, expected) => {
    const model = linearModel();
    const before = weightsOf(model);
    await expect(fit(model, halves(8), options)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: expect.stringContaining(expected),
    });
    expect(weightsOf(model)).toEqual(before);
    await fit(model, halves(8)); // and it is free for another
  });

  it('momentum beside an optimizer of the caller', async () => {
    const model = linearModel();
    using optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const running = fit(model, halves(8), { optimizer, momentum: 0.5 });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('images that do not fit the model, naming the layer', async () => {
    await expect(fit(linearModel(), someXo(4))).rejects.toMatchObject({ code: 'ERR_SHAPE', path: '1' });
    await expect(fit(xoModel(), halves(4))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const model = linearModel();
    const before = weightsOf(model);
    await expect(fit(model, halves(4), { validation: someXo(4) })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
    expect(weightsOf(model)).toEqual(before);
  });

  it('more classes than the model has outputs', async () => {
    const { images, labels, imageShape } = halves(4);
    const dataset = new ArrayDataset({ images, labels, imageShape, classNames: ['a', 'b', 'c'] });
    await expect(fit(linearModel(), dataset)).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      expected: expect.stringContaining('3 classes'),
      received: 'one with 2',
    });
    await fit(linearModel(1, 5), dataset); // fewer is fine
  });

  it('an empty data set', async () => {
    const empty: Dataset = {
      ...halves(4),
      length: 0,
      images: new Float32Array(0),
      labels: new Int32Array(0),
    };
    await expect(fit(linearModel(), empty)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('a model that another fit is training', async () => {
    const model = linearModel();
    const first = fit(model, halves(64), { epochs: 3 });
    await expect(fit(model, halves(8))).rejects.toMatchObject({ code: 'ERR_BUSY' });
    expect((await first).history).toHaveLength(3);
    await fit(model, halves(8));
  });

  it('to go on when the loss is not finite, and keeps the weights of the last step', async () => {
    const model = xoModel();
    let finite: number[] = [];
    const running = fit(model, someXo(64), {
      optimizer: 'sgd',
      lr: 1e30,
      epochs: 50,
      batchSize: 4,
      onBatch: () => {
        finite = weightsOf(model);
      },
    });
    await expect(running).rejects.toMatchObject({
      code: 'ERR_NUMERICS',
      received: expect.stringMatching(/(NaN|Infinity) at step \d+ \(epoch 1, batch \d+\), lr 1e\+30/),
    });
    expect(weightsOf(model)).toEqual(finite);
  });

  it('options that it does not know, with the name that was meant', async () => {
    const misspelled = { epoch: 2 } as object;
    await expect(fit(linearModel(), halves(8), misspelled)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      received: 'epoch',
      hint: expect.stringContaining('epochs'),
    });
  });

  it('nothing that a callback throws: it comes out, and the model is free again', async () => {
    const model = linearModel();
    const onBatch = () => {
      throw new Error('mine');
    };
    await expect(fit(model, halves(8), { onBatch })).rejects.toThrow('mine');
    await fit(model, halves(8));
  });
});
