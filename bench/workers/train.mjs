// SPDX-License-Identifier: Apache-2.0
// Whole trainings through `fit` and `fitMany`, timed from the call to the result: recording, planning and progress included.
import {
  ArrayDataset,
  createModel,
  fit,
  fitMany,
  manualSeed,
  mnist,
  weightsSha256,
} from '../../dist/index.js';
import { nativeInfo } from '../../dist/native/bindings.js';
import { seededRandom } from '../harness/statistics.mjs';
import { Refusal, serve } from './serve.mjs';

let dataset = null;

function randomDataset(length) {
  const random = seededRandom(1);
  const images = Uint8Array.from({ length: length * 28 * 28 }, () => random() * 256);
  const labels = Int32Array.from({ length }, () => random() * 10);
  const classNames = Array.from({ length: 10 }, (_, i) => String(i));
  return new ArrayDataset({ images, labels, imageShape: [28, 28, 1], classNames });
}

/** Models that start from seeds of their own. */
function seededModels(count) {
  return Array.from({ length: count }, (_, seed) => {
    manualSeed(seed);
    return createModel('lenet5').model;
  });
}

const together = (models, options) => fitMany(models.map((model) => ({ model, dataset, options })));

async function oneByOne(models, options) {
  for (const model of models) {
    manualSeed(1000);
    await fit(model, dataset, options);
  }
}

serve({
  hello() {
    return { name: 'receptive', isa: nativeInfo().isa };
  },
  /** MNIST from its folder, or random images of its size. */
  async load({ dataDir, length }) {
    if (dataDir === undefined) {
      dataset = randomDataset(length);
      return {};
    }
    try {
      dataset = (await mnist({ dataDir })).train;
    } catch (error) {
      throw new Refusal('missing', error.message);
    }
    return {};
  },
  async epoch({ batchSize }) {
    manualSeed(1);
    const { model } = createModel('lenet5');
    const start = performance.now();
    const { imagesPerSecond } = await fit(model, dataset, {
      epochs: 1,
      batchSize,
      optimizer: 'sgd',
      lr: 0.01,
    });
    const value = performance.now() - start;
    model.dispose();
    return { value, imagesPerSecond };
  },
  /** Trains models from the same starts, together or one after the other; what they end with is told as hashes. */
  async many({ count, epochs, batchSize, isTogether }) {
    const models = seededModels(count);
    const options = { epochs, batchSize, optimizer: 'sgd', lr: 0.01 };
    manualSeed(1000);
    const start = performance.now();
    await (isTogether ? together : oneByOne)(models, options);
    const value = performance.now() - start;
    const hashes = models.map((model) => weightsSha256(model));
    for (const model of models) model.dispose();
    return { value, hashes };
  },
});
