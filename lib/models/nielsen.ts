// SPDX-License-Identifier: Apache-2.0
// The networks of chapter 6 of Michael Nielsen's "Neural Networks and Deep Learning" (2015), with the first weights of its
// program, network3.py.
import { checkOptions, describe, fail } from '../errors.js';
import { ReLU, Sigmoid } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Dropout } from '../nn/dropout.js';
import { Flatten } from '../nn/flatten.js';
import { constant_, normal_ } from '../nn/init.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which row of the chapter's experiments. */
export interface NielsenNetOptions {
  /** [h, w, c], at least 6 x 6 for one convolution, 16 x 16 for two. Default [28, 28, 1]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
  /** How many convolutions of 5x5, each with a pool that halves: none, one with 20 maps, or a second with 40. Default 1. */
  readonly convolutions?: 0 | 1 | 2;
  /** Sizes of the fully connected layers before the last one. Default [100]. */
  readonly hidden?: readonly number[];
  /** Default 'sigmoid'. */
  readonly activation?: 'sigmoid' | 'relu';
  /** Before each fully connected layer and the last one, from 0 to below 1. Default 0. */
  readonly dropout?: number;
}

const OPTIONS = ['inputShape', 'classes', 'convolutions', 'hidden', 'activation', 'dropout'];
const MAPS = [20, 40];
/** Outputs of a 2x2 pool for each value that comes out of it. */
const POOLED = 4;
/** From these sides on, something is left for the linear layers. */
const SMALLEST = [1, 6, 16];

/**
 * The defaults are the chapter's first convolutional network, 289,630 parameters for MNIST (98.78 %). With
 * `{ convolutions: 2, hidden: [1000, 1000], activation: 'relu', dropout: 0.5 }` it is the last one, 1,672,570 (99.60 %).
 *
 * Weights are normal with variance 1 / (how many outputs share an input), biases with variance 1, the last layer is 0.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class NielsenNet extends Chain {
  readonly features: Sequential;
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  constructor(options: NielsenNetOptions = {}) {
    super();
    checkOptions('NielsenNet', options, OPTIONS);
    const { inputShape = [28, 28, 1], classes = 10, convolutions = 1, hidden = [100] } = options;
    const { activation = 'sigmoid', dropout = 0 } = options;
    checkChoices(convolutions, hidden, activation);
    const [h, w, c] = checkImageShape('NielsenNet', inputShape, SMALLEST[convolutions]);
    checkCount('NielsenNet', 'classes', classes);
    const activate = () => (activation === 'relu' ? new ReLU() : new Sigmoid());

    let shape: readonly [number, number, number] = [h, w, c];
    const features: Module[] = [];
    for (const maps of MAPS.slice(0, convolutions)) {
      features.push(convolution(shape[2], maps), activate(), new MaxPool2d(2));
      shape = [Math.floor((shape[0] - 4) / 2), Math.floor((shape[1] - 4) / 2), maps];
    }
    this.features = new Sequential(...features);

    let inFeatures = shape[0] * shape[1] * shape[2];
    const layers: Module[] = [];
    for (const [i, size] of [...hidden, classes].entries()) {
      const layer = new Linear(inFeatures, size, i === 0 ? { flattenedFrom: shape } : {});
      if (dropout !== 0) layers.push(new Dropout(dropout));
      layers.push(layer);
      if (i < hidden.length) {
        normal_(layer.weight, 0, Math.sqrt(1 / size));
        if (layer.bias !== null) normal_(layer.bias, 0, 1);
        layers.push(activate());
      } else {
        constant_(layer.weight, 0);
        if (layer.bias !== null) constant_(layer.bias, 0);
      }
      inFeatures = size;
    }
    this.classifier = new Sequential(...layers);
  }

  override layers(): readonly Module[] {
    return [this.features, this.flatten, this.classifier];
  }
}

function convolution(inChannels: number, maps: number): Conv2d {
  const conv = new Conv2d(inChannels, maps, { kernelSize: 5 });
  normal_(conv.weight, 0, Math.sqrt(POOLED / (maps * 25)));
  if (conv.bias !== null) normal_(conv.bias, 0, 1);
  return conv;
}

function checkChoices(convolutions: unknown, hidden: unknown, activation: unknown): void {
  const op = 'NielsenNet';
  if (convolutions !== 0 && convolutions !== 1 && convolutions !== 2) {
    throw fail('ERR_ARGUMENT', { op, expected: '0, 1 or 2 convolutions', received: describe(convolutions) });
  }
  if (!Array.isArray(hidden)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'hidden, an array of sizes such as [100]',
      received: describe(hidden),
    });
  }
  for (const size of hidden) checkCount(op, 'each hidden size', size);
  if (activation !== 'sigmoid' && activation !== 'relu') {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "activation 'sigmoid' or 'relu'",
      received: describe(activation),
    });
  }
}
