// SPDX-License-Identifier: Apache-2.0
// Residual networks (He, Zhang, Ren and Sun 2015) for ImageNet, with torchvision's names and weights.
import { checkOptions, describe, fail } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import type { Conv2d } from '../nn/conv2d.js';
import { GlobalAvgPool2d } from '../nn/global-avg-pool2d.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { MaxPool2d } from '../nn/pool2d.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';
import { BottleneckBlock, plainConv, ResidualBlock } from './residual-block.js';

/** Which images and classes. */
export interface ResNetOptions {
  /** [h, w, c], at least 32 x 32. Default [224, 224, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 1000. */
  readonly classes?: number;
}

interface Design {
  /** Of each stage; all but the first halve the image. */
  readonly blocks: readonly number[];
  readonly bottleneck: boolean;
}

const DESIGNS: Readonly<Record<number, Design>> = {
  18: { blocks: [2, 2, 2, 2], bottleneck: false },
  34: { blocks: [3, 4, 6, 3], bottleneck: false },
  50: { blocks: [3, 4, 6, 3], bottleneck: true },
};

const CHANNELS = [64, 128, 256, 512];

/**
 * Depth 18: 11,689,512 parameters for ImageNet. Depth 34: 21,797,672. Depth 50, of bottlenecks: 25,557,032.
 *
 * Weights start as in torchvision: Kaiming normal by fanOut before a normalisation, whose weights are 1.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class ResNet extends Chain {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly maxpool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new GlobalAvgPool2d();
  readonly fc: Linear;

  /** @param depth layers with weights: 18, 34 or 50 */
  constructor(depth: 18 | 34 | 50, options: ResNetOptions = {}) {
    super();
    const design = Object.hasOwn(DESIGNS, depth) ? DESIGNS[depth] : undefined;
    if (design === undefined) {
      const expected = 'depth 18, 34 or 50';
      throw fail('ERR_ARGUMENT', { op: 'ResNet', expected, received: describe(depth) });
    }
    checkOptions('ResNet', options, ['inputShape', 'classes']);
    const { inputShape = [224, 224, 3], classes = 1000 } = options;
    const [, , c] = checkImageShape('ResNet', inputShape, 32);
    checkCount('ResNet', 'classes', classes);
    this.conv1 = plainConv(c, 64, 7, 2);
    this.bn1 = new BatchNorm2d(64);
    [this.layer1, this.layer2, this.layer3, this.layer4] = CHANNELS.map((_, index) => stage(design, index));
    this.fc = new Linear(outChannelsOf(design, 3), classes);
  }

  override layers(): readonly Module[] {
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    return [this.conv1, this.bn1, this.relu, this.maxpool, ...stages, this.avgpool, this.fc];
  }
}

function outChannelsOf({ bottleneck }: Design, index: number): number {
  return bottleneck ? 4 * CHANNELS[index] : CHANNELS[index];
}

/** The blocks of one stage; the first changes channels and, but for stage 0, the size. */
function stage(design: Design, index: number): Sequential {
  const inChannels = index === 0 ? 64 : outChannelsOf(design, index - 1);
  return new Sequential(
    ...Array.from({ length: design.blocks[index] }, (_, block) => {
      const channels = block === 0 ? inChannels : outChannelsOf(design, index);
      const stride = block === 0 && index > 0 ? 2 : 1;
      return design.bottleneck
        ? new BottleneckBlock(channels, CHANNELS[index], stride)
        : new ResidualBlock(channels, CHANNELS[index], stride, 'project');
    }),
  );
}
