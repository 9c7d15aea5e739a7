// SPDX-License-Identifier: Apache-2.0
// evaluate and predict, and the metrics behind them.
import { describe, expect, it } from 'vitest';
import { accuracyOf, confusionMatrix, worstMistakes } from '../../lib/metrics/confusion.js';
import { tensor } from '../../lib/tensor/create.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { predict } from '../../lib/train/predict.js';
import { halves, linearModel, someXo, weightsOf, xoModel } from './tiny.js';

describe('metrics', () => {
  const counts = confusionMatrix([0, 0, 0, 1, 2, 2], [0, 0, 2, 1, 1, 1], 3);

  it('count pairs of true and predicted classes', () => {
    expect(counts).toEqual([
      [2, 0, 1],
      [0, 1, 0],
      [0, 2, 0],
    ]);
    expect(accuracyOf(counts)).toBe(0.5);
    expect(accuracyOf([[0]])).toBe(0);
  });

  it('find the most frequent mistakes', () => {
    expect(worstMistakes(counts, 1)).toEqual([{ label: 2, predicted: 1, count: 2 }]);
    expect(worstMistakes(counts, 9)).toHaveLength(2);
  });
});

describe('evaluate', () => {
  it('measures loss, accuracy and confusion, whatever the batches', async () => {
    const model = xoModel();
    const dataset = someXo(50);
    const whole = await evaluate(model, dataset);
    const { probabilities, classes } = await predict(model, dataset.images, {
      imageShape: [24, 24, 1],
      normalization: dataset.normalization,
    });
    const loss = dataset.labels.reduce(
      (sum, label, i) => sum - Math.log(probabilities[2 * i + label]) / 50,
      0,
    );
    expect(whole.loss).toBeCloseTo(loss, 5);
    expect(whole.confusion).toEqual(confusionMatrix(dataset.labels, classes, 2));
    expect(whole.accuracy).toBe(accuracyOf(whole.confusion));
    expect(whole.images).toBe(50);
    for (const batchSize of [1, 7, 50, 1000]) {
      const other = await evaluate(model, dataset, { batchSize });
      expect(other.loss).toBeCloseTo(whole.loss, 5);
      expect(other.confusion).toEqual(whole.confusion);
    }
  });

  it('changes neither weights nor modes, and works in the middle of a training', async () => {
    const model = xoModel();
    const other = xoModel();
    const dataset = someXo(64);
    const evaluations: Promise<unknown>[] = [];
    const options = { batchSize: 4, epochs: 2 };
    await fit(model, dataset, {
      ...options,
      onBatch: ({ step }) =>
        void (step % 8 === 0 && evaluations.push(evaluate(model, dataset, { batchSize: 8 }))),
    });
    await Promise.all(evaluations);
    await fit(other, dataset, options);
    expect(evaluations).toHaveLength(4);
    expect(weightsOf(model)).toEqual(weightsOf(other));
    expect(model.training).toBe(true);
  });

  it('refuses what does not fit, and stops when told to', async () => {
    await expect(evaluate(xoModel(), halves(4))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(evaluate(linearModel(), halves(4), { batchSize: 0 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    const signal = AbortSignal.abort();
    const running = evaluate(linearModel(), halves(4), { batchSize: 1, signal });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

describe('predict', () => {
  const dataset = halves(9);
  const imageShape = [2, 2, 1] as const;

  it('gives probabilities and the most probable class of each image', async () => {
    const model = linearModel();
    await fit(model, halves(64), { epochs: 30, lr: 0.05 });
    const { probabilities, shape, classes } = await predict(model, dataset.images, { imageShape });
    expect(shape).toEqual([9, 2]);
    expect([...classes]).toEqual([...dataset.labels]);
    classes.forEach((best, i) => {
      const row = probabilities.subarray(2 * i, 2 * i + 2);
      expect(row[0] + row[1]).toBeCloseTo(1, 6);
      expect(row[best]).toBeGreaterThan(0.5);
    });
  });

  it('gives the same for tensors and typed arrays, in batches of any size', async () => {
    const model = linearModel();
    const wanted = await predict(model, dataset.images, { imageShape });
    using images = tensor(dataset.images, [9, 2, 2, 1]);
    for (const batchSize of [1, 4, 100]) {
      const { probabilities } = await predict(model, images, { batchSize });
      probabilities.forEach((value, i) => {
        expect(value).toBeCloseTo(wanted.probabilities[i], 6);
      });
    }
    expect(images.disposed).toBe(false);
  });

  it('normalises bytes as a data set does', async () => {
    const model = linearModel();
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => 30 * i);
    const normalization = { mean: [0.2], std: [0.5] };
    const floats = Float32Array.from(bytes, (value) => (value / 255 - 0.2) / 0.5);
    const [a, b] = await Promise.all([
      predict(model, bytes, { imageShape, normalization }),
      predict(model, floats, { imageShape }),
    ]);
    a.probabilities.forEach((value, i) => {
      expect(value).toBeCloseTo(b.probabilities[i], 5);
    });
  });

  it('refuses what are no images of the model', async () => {
    const model = linearModel();
    const detached = new Float32Array(4);
    structuredClone(detached, { transfer: [detached.buffer] });
    const disposed = tensor(new Float32Array(4), [1, 2, 2, 1]);
    disposed.dispose();
    using flat = tensor(new Float32Array(4), [4]);
    using whole = tensor(new Int32Array(4), [1, 2, 2, 1]);
    const cases: [Parameters<typeof predict>[1], Parameters<typeof predict>[2], string][] = [
      [new Float32Array(4), {}, 'ERR_ARGUMENT'],
      [new Float32Array(4), { imageShape: [2, 0, 1] }, 'ERR_ARGUMENT'],
      [new Float32Array(5), { imageShape }, 'ERR_SHAPE'],
      [detached, { imageShape }, 'ERR_SHAPE'],
      [new Float32Array(9), { imageShape: [3, 3, 1] }, 'ERR_SHAPE'],
      [new Float32Array(4), { imageShape, batchSize: 0 }, 'ERR_ARGUMENT'],
      [new Float32Array(4), { imageShape, normalization: { mean: [0, 0], std: [1, 1] } }, 'ERR_ARGUMENT'],
      [new Float64Array(4) as unknown as Float32Array, { imageShape }, 'ERR_DTYPE'],
      [disposed, {}, 'ERR_DISPOSED'],
      [flat, {}, 'ERR_SHAPE'],
      [whole, {}, 'ERR_DTYPE'],
    ];
    for (const [images, options, code] of cases) {
      await expect(predict(model, images, options)).rejects.toMatchObject({ code });
    }
    const signal = AbortSignal.abort();
    const running = predict(model, new Float32Array(8), { imageShape, batchSize: 1, signal });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
