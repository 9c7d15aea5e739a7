// SPDX-License-Identifier: Apache-2.0
// VGG (Simonyan and Zisserman 2015) for ImageNet: 3x3 convolutions, ReLU, pools, with torchvision's names and weights.
import { checkOptions, describe, fail } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { AdaptiveAvgPool2d } from '../nn/adaptive-pool2d.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Dropout } from '../nn/dropout.js';
import { Flatten } from '../nn/flatten.js';
import { constant_, kaimingNormal_, normal_ } from '../nn/init.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which images and classes. */
export interface VggOptions {
  /** [h, w, c], at least 32 x 32. Default [224, 224, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 1000. */
  readonly classes?: number;
}

/** Channels of the convolutions, configurations A and D of the paper; a pool ends each group. */
const GROUPS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
};

/**
 * Groups of 3x3 convolutions with padding 1, each with a ReLU, and a pool that halves the image behind each group.
 * Convolutions start as in torchvision: Kaiming normal by fanOut, biases 0.
 */
export function vggFeatures(groups: readonly (readonly number[])[], inChannels: number): Sequential {
  const layers: Module[] = [];
  let channels = inChannels;
  for (const group of groups) {
    for (const outChannels of group) {
      const conv = new Conv2d(channels, outChannels, { kernelSize: 3, padding: 1 });
      kaimingNormal_(conv.weight, { mode: 'fanOut' });
      if (conv.bias !== null) constant_(conv.bias, 0);
      layers.push(conv, new ReLU());
      channels = outChannels;
    }
    layers.push(new MaxPool2d(2));
  }
  return new Sequential(...layers);
}

/** Weights of a normal distribution with deviation 0.01, biases 0. */
function classifierLinear(
  inFeatures: number,
  outFeatures: number,
  flattenedFrom?: readonly [number, number, number],
): Linear {
  const layer = new Linear(inFeatures, outFeatures, flattenedFrom && { flattenedFrom });
  normal_(layer.weight, 0, 0.01);
  if (layer.bias !== null) constant_(layer.bias, 0);
  return layer;
}

/** What is left of an image of any size before the classifier. */
const FEATURES = [7, 7, 512] as const;

/**
 * Depth 11: 132,863,336 parameters for ImageNet. Depth 16: 138,357,544.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class Vgg extends Chain {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d([FEATURES[0], FEATURES[1]]);
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  /** @param depth layers with weights: 11 or 16 */
  constructor(depth: 11 | 16, options: VggOptions = {}) {
    super();
    const groups = Object.hasOwn(GROUPS, depth) ? GROUPS[depth] : undefined;
    if (groups === undefined) {
      throw fail('ERR_ARGUMENT', { op: 'Vgg', expected: 'depth 11 or 16', received: describe(depth) });
    }
    checkOptions('Vgg', options, ['inputShape', 'classes']);
    const { inputShape = [224, 224, 3], classes = 1000 } = options;
    const [, , c] = checkImageShape('Vgg', inputShape, 32);
    checkCount('Vgg', 'classes', classes);
    this.features = vggFeatures(groups, c);
    this.classifier = new Sequential(
      classifierLinear(FEATURES[0] * FEATURES[1] * FEATURES[2], 4096, FEATURES),
      new ReLU(),
      new Dropout(),
      classifierLinear(4096, 4096),
      new ReLU(),
      new Dropout(),
      classifierLinear(4096, classes),
    );
  }

  override layers(): readonly Module[] {
    return [this.features, this.avgpool, this.flatten, this.classifier];
  }
}
