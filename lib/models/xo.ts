// SPDX-License-Identifier: Apache-2.0
// The small network that tells an X from an O, as introductions to convolutional networks draw it.
import { checkOptions } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Flatten } from '../nn/flatten.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which network. */
export interface XONetOptions {
  /** [h, w, c], at least 4 x 4. Default [24, 24, 1]. */
  readonly inputShape?: ImageShape;
  /** Default 2. */
  readonly classes?: number;
}

/**
 * conv 8 (5x5, padding 2), pool, conv 16 (3x3, padding 1), pool, linear 32, classes.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class XONet extends Chain {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly flatten = new Flatten();
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly activation = new ReLU();
  readonly pool = new MaxPool2d(2);

  constructor(options: XONetOptions = {}) {
    super();
    checkOptions('XONet', options, ['inputShape', 'classes']);
    const { inputShape = [24, 24, 1], classes = 2 } = options;
    const [h, w, c] = checkImageShape('XONet', inputShape, 4);
    checkCount('XONet', 'classes', classes);
    const features = [Math.floor(h / 4), Math.floor(w / 4), 16] as const;
    this.conv1 = new Conv2d(c, 8, { kernelSize: 5, padding: 2 });
    this.conv2 = new Conv2d(8, 16, { kernelSize: 3, padding: 1 });
    this.fc1 = new Linear(features[0] * features[1] * 16, 32, { flattenedFrom: features });
    this.fc2 = new Linear(32, classes);
  }

  override layers(): readonly Module[] {
    const { conv1, conv2, flatten, fc1, fc2, activation, pool } = this;
    return [conv1, activation, pool, conv2, activation, pool, flatten, fc1, activation, fc2];
  }
}
