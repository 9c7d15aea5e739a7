// SPDX-License-Identifier: Apache-2.0
// A small VGG (Simonyan and Zisserman 2015) for CIFAR-size images: 3x3 convolutions, ReLU, pools, no normalisation.
import { checkOptions } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Flatten } from '../nn/flatten.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';
import { vggFeatures } from './vgg.js';

/** Which VGG. */
export interface VggCifarOptions {
  /** [h, w, c], at least 16 x 16. Default [32, 32, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
}

/** Channels of the convolutions; a pool between two groups, and one at the end. */
const GROUPS = [[64], [128], [256, 256], [512, 512]];

/**
 * conv 64, pool, conv 128, pool, conv 256 twice, pool, conv 512 twice, pool (3x3, padding 1, ReLU), linear 512, classes:
 * 5,555,082 parameters for CIFAR-10. Convolutions start as in torchvision's VGG: Kaiming normal by fanOut, biases 0.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class VggCifar extends Chain {
  readonly features: Sequential;
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  constructor(options: VggCifarOptions = {}) {
    super();
    checkOptions('VggCifar', options, ['inputShape', 'classes']);
    const { inputShape = [32, 32, 3], classes = 10 } = options;
    const [h, w, c] = checkImageShape('VggCifar', inputShape, 16);
    checkCount('VggCifar', 'classes', classes);
    this.features = vggFeatures(GROUPS, c);
    const shape = [Math.floor(h / 16), Math.floor(w / 16), 512] as const;
    this.classifier = new Sequential(
      new Linear(shape[0] * shape[1] * shape[2], 512, { flattenedFrom: shape }),
      new ReLU(),
      new Linear(512, classes),
    );
  }

  override layers(): readonly Module[] {
    return [this.features, this.flatten, this.classifier];
  }
}
