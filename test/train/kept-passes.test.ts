// SPDX-License-Identifier: Apache-2.0
// Served predictions from forward passes that were recorded before: the numbers of `predict`, whatever came in between.
import { describe, expect, it } from 'vitest';
import {
  LeNet5,
  manualSeed,
  memory,
  nn,
  type PredictOptions,
  predict,
  serve,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const PIXELS = 12 * 12;
const ASK = { imageShape: [12, 12, 1], batchSize: 3 } as const;
const floats = Float32Array.from({ length: 7 * PIXELS }, (_, i) => Math.sin(i * 0.37));
const bytes = Uint8Array.from(floats, (value) => 127 * (value + 1));

function net(): nn.Module {
  manualSeed(4);
  return new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 3 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Flatten(),
    new nn.Linear(4 * 100, 5, { flattenedFrom: [10, 10, 4] }),
  );
}

/** Reads a value in the middle of forward, as a recording cannot. */
class Curious extends nn.Module {
  readonly inner = new LeNet5();
  override forward(x: Tensor): Tensor {
    const y = this.inner.call(x);
    y.data();
    return y;
  }
}

describe('served predictions', () => {
  it('are those of predict, again and again, at once or not', async () => {
    using model = net();
    using serving = await serve(model);
    const requests: [Float32Array | Uint8Array, PredictOptions][] = [
      [floats, ASK],
      [bytes, ASK],
      [floats, { ...ASK, batchSize: 1 }],
      [bytes, { ...ASK, normalization: { mean: [0.4], std: [0.2] } }],
      [floats, { ...ASK, normalization: { mean: [0.1], std: [0.5] } }],
      [floats, { ...ASK, fold: true }],
      [floats.subarray(PIXELS, 3 * PIXELS), { ...ASK, threads: 1 }],
      [floats, { ...ASK, priority: 'background' }],
    ];
    for (let round = 0; round < 3; round++) {
      for (const [images, options] of requests) {
        const expected = await predict(model, images, options);
        const served = await serving.predict(images, options);
        expect(served).toEqual({ ...expected, version: 1 });
        expect(served.captured).toBe(true);
        expect(serving.predictSync(images, options)).toEqual(served);
      }
    }
    using images = tensor(bytes, [7, 12, 12, 1]);
    expect(await serving.predict(images, ASK)).toEqual(serving.predictSync(bytes, ASK));
    const eager = { ...ASK, capture: false };
    const { captured, probabilities } = serving.predictSync(bytes, eager);
    expect(captured).toBe(false);
    expect(probabilities).toEqual((await serving.predict(bytes, eager)).probabilities);
  });

  it('may overlap, and do not see what happens to their images', async () => {
    using model = net();
    using serving = await serve(model);
    const expected = serving.predictSync(floats, ASK).probabilities;
    const own = floats.slice();
    const asked = Array.from({ length: 6 }, () => serving.predict(own, { ...ASK, priority: 'background' }));
    own.fill(NaN);
    structuredClone(own, { transfer: [own.buffer] });
    for (const { probabilities } of await Promise.all(asked)) expect(probabilities).toEqual(expected);
  });

  it('hold a few recordings, and none after the weights were replaced', async () => {
    using model = net();
    const before = memory();
    const serving = await serve(model);
    const weights = memory().tensors - before.tensors;
    const ask = (count: number) =>
      serving.predictSync(bytes.subarray(0, count * PIXELS), { ...ASK, batchSize: count });
    for (const count of [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7]) ask(count);
    const kept = memory().tensors - before.tensors - weights; // of each recording, which rows it reads
    expect(kept).toBeGreaterThan(0);
    for (const count of [7, 1, 2, 3, 4, 5, 6, 7, 7, 7]) ask(count);
    expect(memory().tensors - before.tensors - weights).toBe(kept);
    await serving.publish();
    expect(memory().tensors - before.tensors).toBe(weights);
    ask(2);
    const late = serving.predict(bytes, { ...ASK, priority: 'background' });
    serving.dispose();
    await late;
    expect(memory().tensors).toBe(before.tensors);
  });

  it('go on without a recording where the model cannot be recorded', async () => {
    using model = new Curious();
    using serving = await serve(model);
    const images = new Float32Array(2 * 784).fill(0.5);
    const ask = { imageShape: [28, 28, 1] } as const;
    const expected = await predict(model, images, ask);
    expect(expected.captured).toBe(false);
    for (let i = 0; i < 2; i++)
      expect(await serving.predict(images, ask)).toEqual({ ...expected, version: 1 });
    expect(serving.predictSync(images, ask).probabilities).toEqual(expected.probabilities);
    await expect(serving.predict(images, { ...ask, fold: true })).rejects.toMatchObject({
      code: 'ERR_CAPTURE',
    });
  });

  it('refuse what predict refuses', async () => {
    using model = net();
    const serving = await serve(model);
    const refusals: [unknown, object, string][] = [
      [[1, 2], ASK, 'ERR_DTYPE'],
      [floats.subarray(1), ASK, 'ERR_SHAPE'],
      [floats, { imageShape: [8, 18, 1] }, 'ERR_SHAPE'],
      [floats, { ...ASK, batchsize: 2 }, 'ERR_ARGUMENT'],
      [floats, { ...ASK, capture: false, fold: true }, 'ERR_CAPTURE'],
      [floats, { ...ASK, signal: AbortSignal.abort() }, 'ERR_ABORTED'],
    ];
    for (const [images, options, code] of refusals) {
      await expect(serving.predict(images as Float32Array, options)).rejects.toMatchObject({ code });
      expect(() => serving.predictSync(images as Float32Array, options)).toThrow(
        expect.objectContaining({ code }),
      );
    }
    serving.dispose();
    expect(() => serving.predictSync(floats, ASK)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });
});
