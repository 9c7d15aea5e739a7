// SPDX-License-Identifier: Apache-2.0
// LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998), as it is built today: ReLU and max pooling, plain convolutions.
import { checkOptions, describe, fail } from '../errors.js';
import { ReLU, Tanh } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Flatten } from '../nn/flatten.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { AvgPool2d, MaxPool2d } from '../nn/pool2d.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which LeNet-5. */
export interface LeNet5Options {
  /** [h, w, c], at least 12 x 12. Default [28, 28, 1]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
  /** 'modern' (default): ReLU and max pooling. '1998': tanh and average pooling. The paper's own network is `LeNet5Of1998`. */
  readonly variant?: 'modern' | '1998';
}

/** Both pools halve, and the second convolution, which has no padding, takes 4 off in between. */
const afterPools = (size: number) => Math.floor((Math.floor(size / 2) - 4) / 2);

/**
 * conv 6 (5x5, padding 2), pool, conv 16 (5x5), pool, linear 120, 84, classes: 61,706 parameters for MNIST.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class LeNet5 extends Chain {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly flatten = new Flatten();
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly activation: Module;
  readonly pool: Module;

  constructor(options: LeNet5Options = {}) {
    super();
    checkOptions('LeNet5', options, ['inputShape', 'classes', 'variant']);
    const { inputShape = [28, 28, 1], classes = 10, variant = 'modern' } = options;
    const [h, w, c] = checkImageShape('LeNet5', inputShape, 12);
    checkCount('LeNet5', 'classes', classes);
    if (variant !== 'modern' && variant !== '1998') {
      const expected = "variant 'modern' or '1998'";
      throw fail('ERR_ARGUMENT', { op: 'LeNet5', expected, received: describe(variant) });
    }
    const features = [afterPools(h), afterPools(w), 16] as const;
    this.conv1 = new Conv2d(c, 6, { kernelSize: 5, padding: 2 });
    this.conv2 = new Conv2d(6, 16, { kernelSize: 5 });
    this.fc1 = new Linear(features[0] * features[1] * 16, 120, { flattenedFrom: features });
    this.fc2 = new Linear(120, 84);
    this.fc3 = new Linear(84, classes);
    this.activation = variant === '1998' ? new Tanh() : new ReLU();
    this.pool = variant === '1998' ? new AvgPool2d(2) : new MaxPool2d(2);
  }

  override layers(): readonly Module[] {
    const { conv1, conv2, flatten, fc1, fc2, fc3, activation, pool } = this;
    const features = [conv1, activation, pool, conv2, activation, pool, flatten];
    return [...features, fc1, activation, fc2, activation, fc3];
  }
}
