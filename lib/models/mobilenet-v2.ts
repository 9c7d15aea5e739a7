// SPDX-License-Identifier: Apache-2.0
// MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov and Chen 2018), with torchvision's names and weights.
import { checkOptions } from '../errors.js';
import { ReLU6 } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import { Dropout } from '../nn/dropout.js';
import { GlobalAvgPool2d } from '../nn/global-avg-pool2d.js';
import { constant_, normal_ } from '../nn/init.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { add } from '../ops/arithmetic.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkImageShape, type ImageShape } from './image-shape.js';
import { plainConv } from './residual-block.js';

/** Which images and classes. */
export interface MobileNetV2Options {
  /** [h, w, c], at least 32 x 32. Default [224, 224, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 1000. */
  readonly classes?: number;
}

/** Table 2 of the paper: expansion, channels, blocks, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;
const [FIRST, LAST] = [32, 1280];

function convolution(inC: number, outC: number, kernel: number, stride = 1, groups = 1): Sequential {
  return new Sequential(plainConv(inC, outC, kernel, stride, groups), new BatchNorm2d(outC), new ReLU6());
}

/** 1x1 to more channels, 3x3 in each of them, 1x1 to fewer without activation; x is added where it fits. */
export class InvertedResidual extends Module {
  readonly conv: Sequential;
  readonly #adds: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number) {
    super();
    const hidden = inChannels * expansion;
    this.conv = new Sequential(
      ...(expansion === 1 ? [] : [convolution(inChannels, hidden, 1)]),
      convolution(hidden, hidden, 3, stride, hidden),
      plainConv(hidden, outChannels, 1),
      new BatchNorm2d(outChannels),
    );
    this.#adds = stride === 1 && inChannels === outChannels;
  }

  override forward(x: Tensor): Tensor {
    const y = this.conv.call(x);
    return this.#adds ? add(x, y) : y;
  }
}

/**
 * 3,504,872 parameters for ImageNet.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class MobileNetV2 extends Chain {
  readonly features: Sequential;
  readonly avgpool = new GlobalAvgPool2d();
  readonly classifier: Sequential;

  constructor(options: MobileNetV2Options = {}) {
    super();
    checkOptions('MobileNetV2', options, ['inputShape', 'classes']);
    const { inputShape = [224, 224, 3], classes = 1000 } = options;
    const [, , c] = checkImageShape('MobileNetV2', inputShape, 32);
    checkCount('MobileNetV2', 'classes', classes);
    const layers: Module[] = [convolution(c, FIRST, 3, 2)];
    let channels: number = FIRST;
    for (const [expansion, outChannels, blocks, stride] of STAGES) {
      for (let block = 0; block < blocks; block++) {
        layers.push(new InvertedResidual(channels, outChannels, block === 0 ? stride : 1, expansion));
        channels = outChannels;
      }
    }
    layers.push(convolution(channels, LAST, 1));
    this.features = new Sequential(...layers);
    const linear = new Linear(LAST, classes);
    normal_(linear.weight, 0, 0.01);
    if (linear.bias !== null) constant_(linear.bias, 0);
    this.classifier = new Sequential(new Dropout(0.2), linear);
  }

  override layers(): readonly Module[] {
    return [this.features, this.avgpool, this.classifier];
  }
}
