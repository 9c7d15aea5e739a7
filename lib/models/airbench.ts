// SPDX-License-Identifier: Apache-2.0
// The network of airbench (Jordan 2024, "94 % on CIFAR-10 in 3.29 seconds on a single GPU"): made to learn in few epochs.
import { checkOptions, fail } from '../errors.js';
import { GELU } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Flatten } from '../nn/flatten.js';
import { dirac_ } from '../nn/init.js';
import { whitening_ } from '../nn/init-whitening.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { globalMaxPool2d } from '../ops/adaptive-pool2d.js';
import { scale } from '../ops/arithmetic.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkImageShape, type ImageShape } from './image-shape.js';

/** Which network. */
export interface AirbenchOptions {
  /** [h, w, c], at least 9 x 9. Default [32, 32, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
  /** Channels of the three blocks. Default [64, 256, 256]: airbench94. */
  readonly widths?: readonly [number, number, number];
}

/** Side of the first convolution's window. */
const STEM = 2;
/** Logits are made small, so that the loss begins near that of guessing. */
const LOGIT_SCALE = 1 / 9;

/**
 * conv 2x2 (whitens, with each direction and its opposite), GELU; three blocks of conv 3x3, max pool, batch norm, GELU, conv 3x3,
 * batch norm, GELU; global max pool, linear, logits times 1/9. Convolutions have no bias but for the first; batch norms have no weight to
 * learn, eps 1e-12 and momentum 0.4 (0.6 of the running statistics stay). 3x3 convolutions hand on what they get (`dirac_`) in their first
 * outputs; the others start as PyTorch's. 1,972,792 parameters for CIFAR-10, of which 1,971,352 are trained after `whiten`.
 *
 * Its size halves as 32 → 31 → 15 → 7 → 3. Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class Airbench extends Module {
  readonly whitening: Conv2d;
  readonly activation = new GELU();
  readonly blocks: Sequential;
  readonly flatten = new Flatten();
  readonly classifier: Linear;

  constructor(options: AirbenchOptions = {}) {
    super();
    checkOptions('Airbench', options, ['inputShape', 'classes', 'widths']);
    const { inputShape = [32, 32, 3], classes = 10, widths = [64, 256, 256] } = options;
    const [, , c] = checkImageShape('Airbench', inputShape, 9);
    checkCount('Airbench', 'classes', classes);
    const stem = 2 * STEM * STEM * c;
    if (!Array.isArray(widths) || widths.length !== 3) {
      const expected = 'widths to be the channels of three blocks';
      throw fail('ERR_ARGUMENT', { op: 'Airbench', expected, received: JSON.stringify(widths) });
    }
    for (const width of widths) checkCount('Airbench', 'widths', width);
    this.whitening = new Conv2d(c, stem, { kernelSize: STEM });
    const inputs = [stem, ...widths];
    this.blocks = new Sequential(...widths.map((width, i) => new AirbenchBlock(inputs[i], width)));
    this.classifier = new Linear(widths[2], classes, { bias: false });
  }

  /**
   * Lets the first convolution whiten images such as these, for good: its weight is not trained any more, its bias is.
   *
   * Shapes: images float32 [n, h, w, c], normalised; a few thousand are enough. Throws what `nn.init.whitening_` does.
   */
  whiten(images: Tensor): void {
    const { weight } = this.whitening;
    whitening_(weight, images);
    weight.requiresGrad = false;
  }

  override forward(x: Tensor): Tensor {
    const y = this.blocks.call(this.activation.call(this.whitening.call(x)));
    return scale(this.classifier.call(this.flatten.call(globalMaxPool2d(y))), LOGIT_SCALE);
  }
}

/** Halves the size and changes the channels. Shapes: x [n, h, w, inC]; result [n, h / 2, w / 2, outC]. */
class AirbenchBlock extends Module {
  readonly conv1: Conv2d;
  readonly pool = new MaxPool2d(2);
  readonly norm1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly activation = new GELU();

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv1 = convolution(inChannels, outChannels);
    this.norm1 = normalization(outChannels);
    this.conv2 = convolution(outChannels, outChannels);
    this.norm2 = normalization(outChannels);
  }

  override forward(x: Tensor): Tensor {
    const y = this.activation.call(this.norm1.call(this.pool.call(this.conv1.call(x))));
    return this.activation.call(this.norm2.call(this.conv2.call(y)));
  }
}

/** A convolution whose first outputs are its inputs, as far as there are as many; the others start as PyTorch's. */
function convolution(inChannels: number, outChannels: number): Conv2d {
  const layer = new Conv2d(inChannels, outChannels, { kernelSize: 3, padding: 1, bias: false });
  dirac_(layer.weight, { keepRest: true });
  return layer;
}

function normalization(channels: number): BatchNorm2d {
  const layer = new BatchNorm2d(channels, { eps: 1e-12, momentum: 0.4 });
  if (layer.weight !== null) layer.weight.requiresGrad = false;
  return layer;
}
