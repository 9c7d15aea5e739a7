// SPDX-License-Identifier: Apache-2.0
// Models learn 32 images of noise by heart: nothing in forward, backward or update stands in the way. Those with over 30
// million weights (AlexNet, VGG) would take minutes, and ResNet-34 is made of the blocks of ResNet-18.
import { expect, it } from 'vitest';
import { ArrayDataset } from '../../lib/data/dataset.js';
import { createModel } from '../../lib/models/registry.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { pattern } from '../helpers/pattern.js';

/** Name, image, steps on all 32 images, learning rate of AdamW. */
const MODELS: [name: string, inputShape: [number, number, number], steps: number, lr: number][] = [
  ['lenet5', [28, 28, 1], 60, 0.003],
  ['lenet5-1998', [32, 32, 1], 80, 0.002],
  ['xo', [24, 24, 1], 150, 0.003],
  ['nielsen-conv', [28, 28, 1], 60, 0.003],
  ['nielsen-dropout', [16, 16, 1], 200, 0.001],
  ['deotte', [16, 16, 1], 100, 0.003],
  ['all-cnn-c', [10, 10, 3], 100, 0.001],
  ['cuda-convnet', [16, 16, 3], 80, 0.003],
  ['vgg-cifar', [16, 16, 3], 60, 0.001],
  ['resnet20-cifar', [12, 12, 3], 60, 0.003],
  ['resnet18-cifar', [8, 8, 3], 30, 0.001],
  ['airbench94', [12, 12, 3], 60, 0.01],
  ['resnet18', [32, 32, 3], 30, 0.001],
  ['resnet50', [32, 32, 3], 60, 0.001],
  ['mobilenet-v2', [32, 32, 3], 130, 0.001],
];

function noise(inputShape: [number, number, number], classes: number): ArrayDataset {
  const size = inputShape[0] * inputShape[1] * inputShape[2];
  return new ArrayDataset({
    images: Float32Array.from(pattern(7, 32 * size), (value) => 1.7 * value),
    labels: Int32Array.from({ length: 32 }, (_, i) => i % classes),
    imageShape: inputShape,
    classNames: Array.from({ length: classes }, (_, c) => `${c}`),
  });
}

it.each(MODELS)('%s', { timeout: 60_000 }, async (name, inputShape, epochs, lr) => {
  manualSeed(3);
  const classes = name === 'xo' ? 2 : 10;
  using model = createModel(name, { inputShape, classes }).model;
  const images = noise(inputShape, classes);
  const { history } = await fit(model, images, { epochs, batchSize: 32, optimizer: 'adamw', lr, seed: 1 });
  const { accuracy, loss } = await evaluate(model, images);
  expect({ name, accuracy }).toEqual({ name, accuracy: 1 });
  expect(loss, name).toBeLessThan(0.1);
  expect(history[epochs - 1].loss, name).toBeLessThan(history[0].loss / 4);
});
