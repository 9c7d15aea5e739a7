// SPDX-License-Identifier: Apache-2.0
// Test-time augmentation: means over views that are written out here once more, in evaluate, predict and serve.
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  manualSeed,
  nn,
  predict,
  predictSync,
  serve,
  type Tensor,
  type TtaName,
  tensor,
} from '../../lib/index.js';
import { refused, refusedLater } from '../helpers/refused.js';
import { someXo, xoModel } from './tiny.js';

const data = someXo(21);
const [h, w, c] = data.imageShape;
const { mean, std } = data.normalization;
const { batchSize } = { batchSize: 8 };

/** The images as the model gets them. */
const normalized = Float32Array.from(data.images, (value, i) => (value / 255 - mean[i % c]) / std[i % c]);

/** Moved by so many pixels down and to the right, beyond the edge in a mirror. */
function view(mirror: boolean, pixels: number): Tensor {
  const at = (i: number, length: number) => (i < 0 ? -i : i < length ? i : 2 * length - 2 - i);
  const moved = normalized.map((_, i) => {
    const [n, y, x] = [Math.floor(i / (h * w * c)), Math.floor(i / (w * c)) % h, Math.floor(i / c) % w];
    const from = at(x - pixels, w);
    return normalized[((n * h + at(y - pixels, h)) * w + (mirror ? w - 1 - from : from)) * c + (i % c)];
  });
  return tensor(moved, [data.length, h, w, c]);
}

/** The mean logits of views, each with its share, in double precision. */
function meanOf(model: nn.Module, views: readonly (readonly [boolean, number, number])[]): number[] {
  model.eval();
  const parts = views.map(([mirror, pixels, share]) => {
    using images = view(mirror, pixels);
    return Array.from(model.call(images).data(), (value) => share * value);
  });
  model.train();
  return parts.reduce((sum, part) => sum.map((value, i) => value + part[i]));
}

const VIEWS: Record<TtaName, [boolean, number, number][]> = {
  none: [[false, 0, 1]],
  mirror: [
    [false, 0, 0.5],
    [true, 0, 0.5],
  ],
  'mirror-shift': [
    ...([
      [false, 0, 0.25],
      [true, 0, 0.25],
      [false, -1, 0.125],
    ] as [boolean, number, number][]),
    ...([
      [true, -1, 0.125],
      [false, 1, 0.125],
      [true, 1, 0.125],
    ] as [boolean, number, number][]),
  ],
};

describe.each(Object.entries(VIEWS))('%s', (name, views) => {
  const tta = name as TtaName;

  it('is a mean of logits, captured or not', async () => {
    using model = xoModel(4);
    const logits = meanOf(model, views);
    const losses = Array.from(data.labels, (label, i) => {
      const [a, b] = logits.slice(2 * i);
      return Math.log(Math.exp(a) + Math.exp(b)) - [a, b][label];
    });
    const loss = losses.reduce((sum, value) => sum + value) / data.length;
    const found = await evaluate(model, data, { tta, batchSize });
    expect(found.captured).toBe(true);
    expect(found.loss).toBeCloseTo(loss, 5);
    const eager = await evaluate(model, data, { tta, batchSize, capture: false });
    expect(eager).toMatchObject({ loss: found.loss, confusion: found.confusion, captured: false });

    const ask = { imageShape: data.imageShape, normalization: data.normalization, tta, batchSize };
    const { probabilities } = await predict(model, data.images, ask);
    for (let i = 0; i < data.length; i++) {
      const [a, b] = logits.slice(2 * i);
      expect(probabilities[2 * i]).toBeCloseTo(1 / (1 + Math.exp(b - a)), 5);
    }
    expect(predictSync(model, data.images, ask).probabilities).toEqual(probabilities);
    using serving = await serve(model);
    for (const _ of [1, 2])
      expect((await serving.predict(data.images, ask)).probabilities).toEqual(probabilities);
    const plain = await serving.predict(data.images, { ...ask, tta: 'none' });
    if (tta !== 'none') expect(plain.probabilities).not.toEqual(probabilities);
  });

  it('has the same bits for 1, 2 and 3 threads', async () => {
    manualSeed(8);
    using model = xoModel(8);
    const losses = await Promise.all(
      [1, 2, 3].map(async (threads) => (await evaluate(model, data, { tta, threads })).loss),
    );
    expect(new Set(losses).size).toBe(1);
  });
});

describe('tta', () => {
  it('refuses names that are none, before anything is done', async () => {
    using model = xoModel();
    const error = await refusedLater(evaluate(model, data, { tta: 'miror' as never }));
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', hint: expect.stringMatching(/'?mirror'?/) });
    const ask = { imageShape: data.imageShape, tta: 2 as never };
    expect(refused(() => predictSync(model, data.images, ask)).expected).toMatch(/tta to be one of 'none'/);
  });

  it('cannot move images of one row', async () => {
    using model = new nn.Sequential(new nn.Flatten(), new nn.Linear(3, 2));
    const images = Float32Array.of(1, 2, 3);
    const error = await refusedLater(predict(model, images, { imageShape: [1, 3, 1], tta: 'mirror-shift' }));
    expect(error.code).toBe('ERR_ARGUMENT');
    const { classes } = await predict(model, images, { imageShape: [1, 3, 1], tta: 'mirror' });
    expect(classes).toHaveLength(1);
  });
});
