// SPDX-License-Identifier: Apache-2.0
// `worst` of evaluate: the images with the largest loss are those that a plain loop over all predictions finds.
import { describe, expect, it } from 'vitest';
import { evaluate, predict } from '../../lib/index.js';
import { WorstSamples } from '../../lib/train/worst-samples.js';
import { refusedLater } from '../helpers/refused.js';
import { someXo, xoModel } from './tiny.js';

const data = someXo(70);

describe('the images that a model loses most on', () => {
  it.each([true, false])('are found with their classes and probabilities, captured: %s', async (capture) => {
    using model = xoModel();
    const { worst = [], ...rest } = await evaluate(model, data, { worst: 5, batchSize: 16, capture });
    const plain = await evaluate(model, data, { batchSize: 16, capture });
    expect([rest.loss, rest.confusion, rest.captured]).toEqual([plain.loss, plain.confusion, capture]);
    expect(plain.worst).toBeUndefined();
    const { imageShape, normalization } = data;
    const { probabilities, classes } = await predict(model, data.images, { imageShape, normalization });
    const all = Array.from(data.labels, (label, index) => ({
      index,
      label,
      p: probabilities[2 * index + label],
    }));
    const wanted = all.sort((a, b) => a.p - b.p || a.index - b.index).slice(0, 5);
    expect(worst.map(({ index, label }) => [index, label])).toEqual(
      wanted.map(({ index, label }) => [index, label]),
    );
    for (const [i, { index, predicted, loss, probability, labelProbability }] of worst.entries()) {
      expect(predicted).toBe(classes[index]);
      expect(labelProbability).toBeCloseTo(wanted[i].p, 5);
      expect(loss).toBeCloseTo(-Math.log(wanted[i].p), 5);
      expect(probability).toBeCloseTo(probabilities[2 * index + predicted], 5);
    }
  });

  it('are all of them where there are fewer', async () => {
    using model = xoModel();
    expect((await evaluate(model, someXo(3), { worst: 100 })).worst).toHaveLength(3);
  });

  it('are kept in order, equal ones by their place, what is not a number first', () => {
    const kept = new WorstSamples(4);
    const losses = [1, 3, Number.NaN, 2, 3, 0, Infinity, ...new Array<number>(100).fill(0.5)];
    for (const [index, loss] of losses.entries()) {
      kept.add({ index, label: 0, predicted: 1, loss, probability: 0.5, labelProbability: 0.5 });
    }
    expect(kept.worst.map(({ index }) => index)).toEqual([2, 6, 1, 4]);
  });

  it.each([0, 1.5, 'ten'])('are not %s', async (worst) => {
    using model = xoModel();
    expect((await refusedLater(evaluate(model, data, { worst: worst as number }))).code).toBe('ERR_ARGUMENT');
  });
});
