// SPDX-License-Identifier: Apache-2.0
// All-CNN-C (Springenberg, Dosovitskiy, Brox and Riedmiller 2015): convolutions of stride 2 where others pool.
import { checkOptions } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Dropout } from '../nn/dropout.js';
import { GlobalAvgPool2d } from '../nn/global-avg-pool2d.js';
import { constant_, kaimingNormal_, normal_ } from '../nn/init.js';
import type { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which images and classes. */
export interface AllCnnCOptions {
  /** [h, w, c], at least 9 x 9. Default [32, 32, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
}

/**
 * 3x3 convolutions with 96, 96, 96 (stride 2), 192, 192, 192 (stride 2) and 192 channels, the last without padding, two 1x1
 * ones, a ReLU behind each, and the mean of what is left: 1,369,738 parameters for CIFAR-10. Dropout of 0.2 on images and
 * of 0.5 behind strides, as in the paper.
 *
 * The last 1x1 convolution has a ReLU, too, as in the paper's table: a class whose map is 0 everywhere gets no gradient any
 * more. Weights start as those of ReLU networks do, Kaiming normal with biases 0, but for that convolution: its weights are
 * small and its biases 1, so that every class is alive at every place. (The paper does not tell how it began. With Kaiming
 * normal there, too, or Xavier and biases of 0.1, all classes are dead after 30 steps of Adam at 1e-3.)
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class AllCnnC extends Chain {
  readonly features: Sequential;
  readonly avgpool = new GlobalAvgPool2d();

  constructor(options: AllCnnCOptions = {}) {
    super();
    checkOptions('AllCnnC', options, ['inputShape', 'classes']);
    const { inputShape = [32, 32, 3], classes = 10 } = options;
    const [, , c] = checkImageShape('AllCnnC', inputShape, 9);
    checkCount('AllCnnC', 'classes', classes);
    const scores = reluConv(192, classes, { kernelSize: 1, padding: 0 });
    normal_(scores[0].weight, 0, 0.01);
    if (scores[0].bias !== null) constant_(scores[0].bias, 1);
    this.features = new Sequential(
      new Dropout(0.2),
      ...reluConv(c, 96),
      ...reluConv(96, 96),
      ...reluConv(96, 96, { stride: 2 }),
      new Dropout(0.5),
      ...reluConv(96, 192),
      ...reluConv(192, 192),
      ...reluConv(192, 192, { stride: 2 }),
      new Dropout(0.5),
      ...reluConv(192, 192, { padding: 0 }),
      ...reluConv(192, 192, { kernelSize: 1, padding: 0 }),
      ...scores,
    );
  }

  override layers(): readonly Module[] {
    return [this.features, this.avgpool];
  }
}

function reluConv(
  inChannels: number,
  outChannels: number,
  options: { kernelSize?: number; stride?: number; padding?: number } = {},
): [Conv2d, ReLU] {
  const conv = new Conv2d(inChannels, outChannels, { kernelSize: 3, padding: 1, ...options });
  kaimingNormal_(conv.weight);
  if (conv.bias !== null) constant_(conv.bias, 0);
  return [conv, new ReLU()];
}
