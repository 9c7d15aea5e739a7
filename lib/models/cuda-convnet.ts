// SPDX-License-Identifier: Apache-2.0
// The network of Krizhevsky's cuda-convnet that has 18 % of error on CIFAR-10 (layers-18pct.cfg, 2011; Caffe's cifar10_full).
import { checkOptions } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Flatten } from '../nn/flatten.js';
import { constant_, kaimingNormal_ } from '../nn/init.js';
import { Linear } from '../nn/linear.js';
import { LocalResponseNorm } from '../nn/local-response-norm.js';
import type { Module } from '../nn/module.js';
import { AvgPool2d, MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which images and classes. */
export interface CudaConvNetOptions {
  /** [h, w, c], at least 12 x 12. Default [32, 32, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
}

/**
 * Three 5x5 convolutions of 32, 32 and 64 channels, behind each a pool of 3x3 and stride 2 that covers the whole image: of the
 * largest value, then twice of the mean; behind the first two response normalisation within 3x3 pixels of a map; one
 * linear layer: 89,578 parameters for CIFAR-10. The first ReLU stands behind its pool, as published.
 *
 * Weights start as those of ReLU networks do: Kaiming normal, biases 0. The published ones (normal, 0.0001 in the first layer,
 * 0.01 in the others) are for pixels from -128 to 127.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class CudaConvNet extends Chain {
  readonly features: Sequential;
  readonly flatten = new Flatten();
  readonly fc10: Linear;

  constructor(options: CudaConvNetOptions = {}) {
    super();
    checkOptions('CudaConvNet', options, ['inputShape', 'classes']);
    const { inputShape = [32, 32, 3], classes = 10 } = options;
    const [h, w, c] = checkImageShape('CudaConvNet', inputShape, 12);
    checkCount('CudaConvNet', 'classes', classes);
    const pool = { kernelSize: 3, stride: 2, ceilMode: true };
    const norm = () => new LocalResponseNorm(3, { alpha: 5e-5, region: 'withinChannel' });
    this.features = new Sequential(
      conv(c, 32),
      new MaxPool2d(pool),
      new ReLU(),
      norm(),
      conv(32, 32),
      new ReLU(),
      new AvgPool2d(pool),
      norm(),
      conv(32, 64),
      new ReLU(),
      new AvgPool2d(pool),
    );
    const shape = [pooledThrice(h), pooledThrice(w), 64] as const;
    this.fc10 = new Linear(shape[0] * shape[1] * shape[2], classes, { flattenedFrom: shape });
  }

  override layers(): readonly Module[] {
    return [this.features, this.flatten, this.fc10];
  }
}

function conv(inChannels: number, outChannels: number): Conv2d {
  const layer = new Conv2d(inChannels, outChannels, { kernelSize: 5, padding: 2 });
  kaimingNormal_(layer.weight);
  if (layer.bias !== null) constant_(layer.bias, 0);
  return layer;
}

/** Half the size, rounded down, three times: ceil((size - 3) / 2) + 1 is that. */
function pooledThrice(size: number): number {
  return Math.floor(size / 8);
}
