// SPDX-License-Identifier: Apache-2.0
// AlexNet in one column (Krizhevsky 2014), as torchvision has it: no local response normalisation, five convolutions.
import { checkOptions } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { AdaptiveAvgPool2d } from '../nn/adaptive-pool2d.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Dropout } from '../nn/dropout.js';
import { Flatten } from '../nn/flatten.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which images and classes. */
export interface AlexNetOptions {
  /** [h, w, c], at least 63 x 63. Default [224, 224, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 1000. */
  readonly classes?: number;
}

/** What is left of an image of any size before the classifier. */
const FEATURES = [6, 6, 256] as const;

/**
 * 61,100,840 parameters for ImageNet. Names and first weights are torchvision's, whose weights load.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class AlexNet extends Chain {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d([FEATURES[0], FEATURES[1]]);
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  constructor(options: AlexNetOptions = {}) {
    super();
    checkOptions('AlexNet', options, ['inputShape', 'classes']);
    const { inputShape = [224, 224, 3], classes = 1000 } = options;
    const [, , c] = checkImageShape('AlexNet', inputShape, 63);
    checkCount('AlexNet', 'classes', classes);
    const pool = () => new MaxPool2d({ kernelSize: 3, stride: 2 });
    this.features = new Sequential(
      new Conv2d(c, 64, { kernelSize: 11, stride: 4, padding: 2 }),
      new ReLU(),
      pool(),
      new Conv2d(64, 192, { kernelSize: 5, padding: 2 }),
      new ReLU(),
      pool(),
      new Conv2d(192, 384, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      new Conv2d(384, 256, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      new Conv2d(256, 256, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      pool(),
    );
    this.classifier = new Sequential(
      new Dropout(),
      new Linear(FEATURES[0] * FEATURES[1] * FEATURES[2], 4096, { flattenedFrom: FEATURES }),
      new ReLU(),
      new Dropout(),
      new Linear(4096, 4096),
      new ReLU(),
      new Linear(4096, classes),
    );
  }

  override layers(): readonly Module[] {
    return [this.features, this.avgpool, this.flatten, this.classifier];
  }
}
