// SPDX-License-Identifier: Apache-2.0
// evaluate and predict with capture: the bits of the eager pass, the event loop free, and eager where a model looks at values.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, describe, expect, it } from 'vitest';
import {
  capture,
  createModel,
  evaluate,
  glyphs,
  LeNet5,
  manualSeed,
  memory,
  nn,
  predict,
  predictSync,
  setNumThreads,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const { train: dataset } = glyphs({ seed: 3, trainSize: 70, testSize: 1 });
const { normalization } = dataset;
manualSeed(8);

const models: Record<string, nn.Module> = {
  'LeNet-5': new LeNet5(),
  'a net with dropout and batch norm': new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 5, stride: 2 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Flatten(),
    new nn.Linear(12 * 12 * 4, 10),
  ),
};
afterAll(() => {
  for (const model of Object.values(models)) model.dispose();
  setNumThreads(2);
});

/** Reads a value in the middle of forward, as a recording cannot. */
class Curious extends nn.Module {
  readonly inner = new LeNet5();
  override forward(x: Tensor): Tensor {
    const y = this.inner.call(x);
    y.data();
    return y;
  }
}

describe('with capture', () => {
  for (const [name, model] of Object.entries(models)) {
    it(`evaluate gives what it gives without: ${name}`, async () => {
      for (const batchSize of [1, 32, 70, 100]) {
        const { seconds, imagesPerSecond, ...wanted } = await evaluate(model, dataset, {
          batchSize,
          capture: false,
        });
        expect(wanted).toMatchObject({ captured: false, notCaptured: undefined });
        for (const threads of [1, 2, 3, 7]) {
          setNumThreads(threads);
          const found = await evaluate(model, dataset, { batchSize });
          expect(found).toMatchObject({ ...wanted, captured: true });
        }
      }
      expect(model.modules().every(({ training }) => training)).toBe(true);
    });

    it(`predict gives what it gives without, also on this thread: ${name}`, async () => {
      using images = tensor(dataset.images, [70, 28, 28, 1]);
      for (const batchSize of [1, 32, 70, 100]) {
        const options = { batchSize, normalization };
        const wanted = await predict(model, images, { ...options, capture: false });
        expect(wanted.captured).toBe(false);
        for (const threads of [1, 2, 3, 7]) {
          setNumThreads(threads);
          expect(await predict(model, images, options)).toEqual({ ...wanted, captured: true });
          expect(predictSync(model, images, options)).toEqual(wanted);
        }
      }
    });
  }

  it('folds batch normalisation where it is asked to, for as long as it takes', async () => {
    const model = models['a net with dropout and batch norm'];
    using images = tensor(dataset.images, [70, 28, 28, 1]);
    const options = { batchSize: 32, normalization };
    const plain = await predict(model, images, options);
    const folded = await predict(model, images, { ...options, fold: true });
    expect(folded.probabilities).not.toEqual(plain.probabilities); // rounding has changed
    folded.probabilities.forEach((value, i) => {
      expect(Math.abs(value - plain.probabilities[i])).toBeLessThan(1e-5);
    });
    expect(await predict(model, images, { ...options, fold: false })).toEqual(plain);
    const whole = await evaluate(model, dataset, { batchSize: 1 });
    const same = await evaluate(model, dataset, { batchSize: 1, fold: true });
    expect(same.loss).not.toBe(whole.loss);
    expect(same.loss).toBeCloseTo(whole.loss, 5);
    expect(same).toMatchObject({ captured: true, images: 70 });
  });

  it('refuses to fold what is not captured', async () => {
    using model = new Curious();
    using images = tensor(dataset.images, [70, 28, 28, 1]);
    const refused = { code: 'ERR_CAPTURE' };
    for (const [net, options] of [
      [model, { fold: true }],
      [models['LeNet-5'], { fold: true, capture: false }],
    ] as const) {
      await expect(evaluate(net, dataset, options)).rejects.toMatchObject(refused);
      await expect(predict(net, images, options)).rejects.toMatchObject(refused);
    }
    expect(() => predictSync(model, images, { fold: true })).toThrow(expect.objectContaining(refused));
    for (const use of [
      evaluate(model, dataset, { fold: 'yes' as never }),
      predict(model, images, { fold: 1 as never }),
    ]) {
      await expect(use).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
  });

  it('one image in one class is told too', async () => {
    using single = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 1));
    const { probabilities, classes, captured } = await predict(single, dataset.images.subarray(0, 784), {
      imageShape: [28, 28, 1],
    });
    expect([probabilities, classes, captured]).toEqual([Float32Array.of(1), Int32Array.of(0), true]);
  });

  it('a model that looks at values is used all the same, and it is said why', async () => {
    using model = new Curious();
    using images = tensor(dataset.images, [70, 28, 28, 1]);
    const why = expect.stringMatching(/captured-use\.test\.ts:\d+/);
    const evaluation = await evaluate(model, dataset);
    expect(evaluation).toMatchObject({ captured: false, notCaptured: why, images: 70 });
    const prediction = await predict(model, images, { normalization, batchSize: 32 });
    expect(prediction).toMatchObject({ captured: false, notCaptured: why });
    expect(prediction.classes).toEqual((await predict(model.inner, images, { normalization })).classes);
  });

  it('an abort ends both, and nothing is left behind', async () => {
    const before = memory();
    const signal = AbortSignal.abort();
    const images = dataset.images as Uint8Array;
    const aborted = { code: 'ERR_ABORTED' };
    const options = { imageShape: [28, 28, 1], signal } as const;
    const model = models['LeNet-5'];
    await expect(predict(model, images, options)).rejects.toMatchObject(aborted);
    expect(() => predictSync(model, images, options)).toThrow(expect.objectContaining(aborted));
    await expect(evaluate(model, dataset, { signal })).rejects.toMatchObject(aborted);
    await predict(model, images, { ...options, signal: undefined, batchSize: 9 });
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  it('the event loop is free', async () => {
    const { model } = createModel('vgg-cifar', { inputShape: [32, 32, 3], classes: 10 });
    try {
      const images = new Float32Array(24 * 32 * 32 * 3);
      setNumThreads(1); // leaves the other core of a small machine to the event loop
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const { captured } = await predict(model, images, { imageShape: [32, 32, 3], batchSize: 24 });
      delay.disable();
      expect(captured).toBe(true);
      expect(delay.percentile(50) / 1e6).toBeLessThan(8);
    } finally {
      setNumThreads(2);
      model.dispose();
    }
  });

  it('a plan may hand out what predict does', async () => {
    const model = models['LeNet-5'];
    using plan = capture(({ images }) => ({ logits: model.call(images) }), { input: [5, 28, 28, 1] });
    const pixels = Float32Array.from({ length: 15 * 784 }, (_, i) => Math.sin(i));
    const { outputs } = await plan.run({ images: pixels });
    // Of 5 images at a time: the way that a convolution takes, and so its last digits, depend on the batch
    const eager = [0, 1, 2].flatMap((part) => {
      using x = tensor(pixels.subarray(part * 5 * 784, (part + 1) * 5 * 784), [5, 28, 28, 1]);
      using y = model.call(x);
      return [...y.data()];
    });
    expect([...outputs.logits]).toEqual(eager);
  });
});
