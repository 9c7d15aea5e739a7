// SPDX-License-Identifier: Apache-2.0
// What is done before the real training: a learning rate found, the cost estimated, everything tried on a few batches.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  estimate,
  evaluate,
  type FindLearningRateOptions,
  type FitOptions,
  findLearningRate,
  fit,
  manualSeed,
  memory,
  nn,
  optim,
  rand,
  take,
  weightsSha256,
} from '../../lib/index.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-before-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const data = someXo(120);

/** With running statistics and dropout, so that everything moves. */
function moving() {
  manualSeed(4);
  const [h, w, c] = data.imageShape;
  return new nn.Sequential(
    ...[new nn.Conv2d(c, 2, { kernelSize: 3, padding: 1 }), new nn.BatchNorm2d(2), new nn.ReLU()],
    ...[new nn.MaxPool2d(2), new nn.Dropout(0.3), new nn.Flatten()],
    new nn.Linear((h >> 1) * (w >> 1) * 2, 2),
  );
}

/** Does something that is to leave no trace. */
async function withoutTrace<T>(body: (model: nn.Module) => Promise<T>): Promise<T> {
  using model = moving();
  const before = [weightsSha256(model), memory().tensors, memory().bytes];
  const result = await body(model);
  expect([weightsSha256(model), memory().tensors, memory().bytes]).toEqual(before);
  using found = rand([4]);
  manualSeed(4);
  using fresh = moving();
  using wanted = rand([4]);
  expect(fresh).toBeDefined();
  expect([...found.data()]).toEqual([...wanted.data()]);
  return result;
}

/** A model that lives as long as the tests do: garbage that is freed in the middle of one would look like a trace. */
const other = linearModel();
afterAll(() => other.dispose());

describe('findLearningRate', () => {
  it('tries rates from small to large, and leaves no trace', async () => {
    const options: FindLearningRateOptions = { optimizer: 'sgd', batchSize: 20, from: 1e-5, to: 1000 };
    const { rates, losses, smoothed, suggestion } = await withoutTrace((model) =>
      findLearningRate(model, data, options),
    );
    expect([losses.length, smoothed.length]).toEqual([rates.length, rates.length]);
    expect(rates[0]).toBeCloseTo(1e-5, 12);
    const factor = 1e8 ** (1 / 99);
    for (let i = 1; i < rates.length; i++) expect(rates[i] / rates[i - 1]).toBeCloseTo(factor, 6);
    expect(rates.length).toBeLessThan(100); // a rate of 1000 is too much for anything
    expect(suggestion).toBeGreaterThan(1e-4);
    expect(suggestion).toBeLessThan(10);
  });

  it('suggests a rate that a model learns with', async () => {
    using model = xoModel();
    const { suggestion } = await findLearningRate(model, data, { batchSize: 20 });
    const first = (await evaluate(model, data)).loss;
    await fit(model, data, { batchSize: 20, epochs: 10, lr: suggestion });
    expect((await evaluate(model, data)).loss).toBeLessThan(0.8 * first);
  });

  it.each<[string, FindLearningRateOptions]>([
    ['no rate', { from: 0 }],
    ['rates that fall', { from: 1, to: 0.1 }],
    ['too few steps', { steps: 3 }],
    ['an option of fit that it sets', { epochs: 3 } as never],
    ['an unknown optimizer', { optimizer: 'sdg' as never }],
    ['an optimizer of its own', { optimizer: new optim.SGD(other.parameters(), { lr: 1 }) }],
  ])('refuses %s', async (_, options) => {
    expect((await refusedLater(findLearningRate(other, halves(8), options))).code).toBe('ERR_ARGUMENT');
  });

  it('ends when the signal says so', async () => {
    const error = await refusedLater(findLearningRate(other, halves(8), { signal: AbortSignal.abort() }));
    expect(error.code).toBe('ERR_ABORTED');
  });
});

describe('estimate', () => {
  it('tells what a training will cost, and leaves no trace', async () => {
    const options = { batchSize: 20, epochs: 3, validation: data, checkpoint: { dir: join(place, 'none') } };
    const found = await withoutTrace((model) => estimate(model, data, options, { seconds: 0.3 }));
    expect(found.stepsPerEpoch).toBe(6);
    expect(found.seconds).toBeCloseTo(3 * found.secondsPerEpoch, 9);
    expect(found.secondsPerEpoch).toBeGreaterThan(6 * found.secondsPerStep);
    expect(found.imagesPerSecond * found.secondsPerStep).toBeCloseTo(20, 3);
    expect(found.stepBytes).toBeGreaterThan((20 * 4 * data.images.length) / data.length);
    expect(found.otherBytes).toBeGreaterThanOrEqual(data.images.byteLength);
    expect(readdirSync(place)).toEqual([]);
    using model = moving();
    const { seconds, steps } = await fit(model, data, { batchSize: 20, epochs: 40 });
    expect(found.secondsPerStep / (seconds / steps)).toBeLessThan(10); // of the right order, on a busy machine too
    expect(found.secondsPerStep / (seconds / steps)).toBeGreaterThan(0.1);
  });

  it('tells what a trial will cost, where it is to be one', async () => {
    using model = moving();
    const options = { batchSize: 20, epochs: 9 };
    const dev = await estimate(
      model,
      data,
      { ...options, validation: data, fastDevRun: 2 },
      { seconds: 0.1 },
    );
    expect(dev.stepsPerEpoch).toBe(2);
    expect(dev.seconds).toBeCloseTo(dev.secondsPerEpoch, 9);
    const overfit = await estimate(model, data, { ...options, overfitBatches: 3 }, { seconds: 0.1 });
    expect(overfit.stepsPerEpoch).toBe(3);
    expect(overfit.seconds).toBeCloseTo(9 * overfit.secondsPerEpoch, 9);
  });

  it.each<[string, FitOptions]>([
    ['epochs that are none', { epochs: 'many' as never }],
    ['a batch that is none', { batchSize: 0 }],
    ['epochs beside a budget', { epochs: 2, budget: { minutes: 1 } }],
    ['a budget that is none', { budget: { minutes: -1 } }],
    ['a schedule that is none', { schedule: 'cosinus' as never }],
    ['a warmup longer than the training', { warmup: 1000 }],
    ['a checkpoint without a folder', { checkpoint: {} as never }],
    ['a log without a folder', { log: {} as never }],
    ['no place to resume from', { resume: true }],
    ['early stopping by nothing', { earlyStopping: { monitor: 'valLoss' } }],
    ['metrics of nothing', { metrics: ['f1'] }],
    ['metrics that are none', { validation: data, metrics: ['f2' as never] }],
    ['a listener that is none', { onBatch: 3 as never }],
    ['an optimizer that is none', { optimizer: 'sdg' as never }],
  ])('refuses, as fit does, %s', async (_, options) => {
    using model = xoModel();
    const error = await refusedLater(estimate(model, data, options));
    const wanted = await refusedLater(fit(model, data, options));
    expect([error.code, error.message]).toEqual(['ERR_ARGUMENT', wanted.message]);
  });

  it('refuses wrong options', async () => {
    const attempts = [
      estimate(other, halves(8), { epoch: 3 } as never),
      estimate(other, halves(8), {}, { seconds: 0 }),
      estimate(other, halves(8), {}, { minutes: 1 } as never),
    ];
    for (const attempt of attempts) expect((await refusedLater(attempt)).code).toBe('ERR_ARGUMENT');
  });
});

describe('a training that is tried', () => {
  it('learns a few batches by heart', async () => {
    using model = xoModel();
    const result = await fit(model, data, { overfitBatches: 2, batchSize: 8, epochs: 60 });
    expect(result.steps).toBe(120);
    expect(result.history.at(-1)?.valLoss).toBeLessThan(0.05);
    const few = await evaluate(model, take(data, 16));
    expect(few.loss).toBe(result.history.at(-1)?.valLoss);
  });

  it('may be watched and kept by the validation that it brings', async () => {
    using model = xoModel();
    const kept = { checkpoint: { dir: join(place, 'by-heart'), best: 'valAccuracy' } } as const;
    const options = {
      overfitBatches: 1,
      batchSize: 8,
      epochs: 200,
      earlyStopping: { monitor: 'valAccuracy', patience: 3 },
    } as const;
    const result = await fit(model, data, { ...options, ...kept });
    expect(result.stoppedEarly).toBe(true);
    rmSync(kept.checkpoint.dir, { recursive: true });
  });

  it.each([
    [true, 1],
    [3, 3],
  ] as const)('goes once through everything: %s', async (fastDevRun, steps) => {
    using model = xoModel();
    const dir = join(place, 'tried');
    const options: FitOptions = { fastDevRun, batchSize: 8, epochs: 9, validation: data };
    const kept: FitOptions = { checkpoint: { dir }, resume: true, earlyStopping: { patience: 1 } };
    const result = await fit(model, data, { ...options, ...kept });
    expect(result).toMatchObject({ steps, aborted: false, stoppedEarly: false });
    expect(result.history).toMatchObject([{ epoch: 1, valLoss: expect.any(Number) }]);
    expect(readdirSync(place)).toEqual([]);
  });

  it('has its epochs as they are where nothing is tried', async () => {
    using model = xoModel();
    expect((await fit(model, data, { fastDevRun: false, batchSize: 60, epochs: 2 })).steps).toBe(4);
  });

  it.each<[string, FitOptions]>([
    ['no batch', { overfitBatches: 0 }],
    ['validation on other data', { overfitBatches: 1, validation: halves(8) }],
    ['both at once', { overfitBatches: 1, fastDevRun: true }],
    ['a word', { fastDevRun: 'yes' as never }],
    ['no step', { fastDevRun: 0 }],
    ['what is wrong anyway', { fastDevRun: true, checkpoint: { dir: '' } }],
  ])('is refused with %s', async (_, options) => {
    expect((await refusedLater(fit(other, halves(8), options))).code).toBe('ERR_ARGUMENT');
  });
});
