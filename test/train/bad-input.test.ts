// SPDX-License-Identifier: Apache-2.0
// Signals, callbacks and sources that are not what they should be, beside model and process that go on.
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  capture,
  evaluate,
  type FitOptions,
  fit,
  fitMany,
  memory,
  type nn,
  optim,
  type Plan,
  type PlanSource,
  predict,
  predictSync,
} from '../../lib/index.js';
import { refused, refusedLater } from '../helpers/refused.js';
import { halves, linearModel, weightsOf } from './tiny.js';

const data = halves(12);
const batch = () => ({ images: new Float32Array(8).fill(0.5), labels: Int32Array.of(1, 0) });
let model: nn.Module;
let optimizer: optim.SGD;
let plan: Plan;

beforeAll(() => {
  model = linearModel();
  optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  plan = capture({ model, optimizer }, { input: [2, 2, 2, 1] });
});
afterAll(() => {
  for (const owner of [plan, optimizer, model]) owner.dispose();
});

/** Everything still works. */
async function expectUsable(): Promise<void> {
  expect((await plan.run([batch(), batch()])).steps).toBe(2);
  expect((await fit(model, data, { batchSize: 4 })).steps).toBe(3);
}

it.each([null, 5, 'now', {}, new EventTarget()])('no signal: %o', async (wrong) => {
  const signal = wrong as AbortSignal;
  const before = [weightsOf(model), memory().tensors];
  const images = data.images;
  const codes = [
    await refusedLater(plan.run(batch(), { signal })),
    refused(() => plan.runSync(batch(), { signal })),
    await refusedLater(fit(model, data, { signal })),
    await refusedLater(fit(model, data, { signal, capture: false })),
    await refusedLater(fitMany([{ model, dataset: data }], { signal })),
    await refusedLater(evaluate(model, data, { signal })),
    await refusedLater(predict(model, images, { imageShape: [2, 2, 1], signal })),
    refused(() => predictSync(model, images, { imageShape: [2, 2, 1], signal })),
  ].map(({ code }) => code);
  expect(codes).toEqual(Array(8).fill('ERR_ARGUMENT'));
  const [settled] = await fitMany([{ model, dataset: data, options: { signal } }]);
  expect(settled).toMatchObject({ status: 'rejected', reason: { code: 'ERR_ARGUMENT' } });
  expect([weightsOf(model), memory().tensors]).toEqual(before);
  await expectUsable();
});

it('callbacks that are no functions are refused before the first step', async () => {
  const before = weightsOf(model);
  for (const name of ['onBatch', 'onEpoch', 'onProgress']) {
    expect(await refusedLater(fit(model, data, { [name]: 3 }))).toMatchObject({ code: 'ERR_ARGUMENT' });
  }
  for (const name of ['onProgress', 'beforeStep']) {
    expect(await refusedLater(plan.run(batch(), { [name]: {} }))).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(refused(() => plan.runSync(batch(), { [name]: 'x' })).code).toBe('ERR_ARGUMENT');
  }
  expect(weightsOf(model)).toEqual(before);
  await expectUsable();
});

it.each(['onBatch', 'onEpoch', 'onProgress', 'schedule'])('fit ends with what %s throws', async (name) => {
  const thrown = new Error('of the callback');
  const fails = () => {
    throw thrown;
  };
  for (const capture of [true, false]) {
    const options: FitOptions = { [name]: fails, batchSize: 4, capture };
    await expect(fit(model, data, options)).rejects.toBe(thrown);
    await expectUsable();
  }
});

it('fit is aborted before its first step, in the middle, and not after the last', async () => {
  const before = weightsOf(model);
  for (const capture of [true, false]) {
    const none = await fit(model, data, { signal: AbortSignal.abort(), capture });
    expect(none).toMatchObject({ steps: 0, aborted: true });
    expect(weightsOf(model)).toEqual(before);
  }
  for (const capture of [true, false]) {
    const middle = new AbortController();
    const onBatch = () => middle.abort();
    const options = { batchSize: 4, signal: middle.signal, onBatch, capture };
    expect(await fit(model, data, options)).toMatchObject({ steps: 1, aborted: true });
    const late = new AbortController();
    const onEpoch = () => late.abort();
    const whole = await fit(model, data, { batchSize: 4, signal: late.signal, onEpoch, capture });
    expect(whole).toMatchObject({ steps: 3, aborted: false });
  }
  await expectUsable();
});

it('sources that are no iterables, or iterate wrongly, are refused', async () => {
  const wrong: [unknown, string][] = [
    [{ [Symbol.iterator]: () => undefined }, 'ERR_ARGUMENT'],
    [{ [Symbol.iterator]: () => ({}) }, 'ERR_ARGUMENT'],
    [{ [Symbol.iterator]: () => ({ next: () => undefined }) }, 'ERR_DATA'],
    [{ [Symbol.iterator]: () => ({ next: () => 7 }) }, 'ERR_DATA'],
    [{ [Symbol.iterator]: () => ({ next: () => ({ value: 3 }) }) }, 'ERR_ARGUMENT'],
  ];
  for (const [source, code] of wrong) {
    expect((await refusedLater(plan.run(source as PlanSource))).code).toBe(code);
    expect(refused(() => plan.runSync(source as Iterable<never>)).code).toBe(code);
    const { [Symbol.iterator]: iterate } = source as { [Symbol.iterator]: () => unknown };
    const asynchronous = { [Symbol.asyncIterator]: iterate } as PlanSource;
    expect((await refusedLater(plan.run(asynchronous))).code).toBe(code);
  }
  await expectUsable();
});

it('more than there is memory for is refused', async () => {
  const prefetch = 2 ** 50;
  expect((await refusedLater(plan.run([batch()], { prefetch }))).code).toBe('ERR_OUT_OF_MEMORY');
  expect(refused(() => plan.runSync([batch()], { prefetch })).code).toBe('ERR_OUT_OF_MEMORY');
  await expectUsable();
});

it('weights that are disposed while they are used end the run with a code', async () => {
  const gone = linearModel();
  const training = fit(gone, data, { epochs: 50, onEpoch: () => gone.dispose() });
  expect((await refusedLater(training)).code).toBe('ERR_DISPOSED');
  const halfGone = linearModel();
  const running = predict(halfGone, new Float32Array(4 * 300), { imageShape: [2, 2, 1], batchSize: 7 });
  halfGone.dispose();
  expect((await refusedLater(running)).code).toBe('ERR_DISPOSED');
  await expectUsable();
});
