// SPDX-License-Identifier: Apache-2.0
// Residual networks (He, Zhang, Ren and Sun 2015) for CIFAR-size images, with torchvision's names.
import { checkOptions, describe, fail } from '../errors.js';
import { ReLU } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { Chain } from '../nn/chain.js';
import { checkCount } from '../nn/check.js';
import type { Conv2d } from '../nn/conv2d.js';
import { GlobalAvgPool2d } from '../nn/global-avg-pool2d.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { checkImageShape, type ImageShape } from './image-shape.js';
import { plainConv, ResidualBlock, type Shortcut } from './residual-block.js';

/** Which images and classes. */
export interface ResNetCifarOptions {
  /** [h, w, c], at least 8 x 8. Default [32, 32, 3]. */
  readonly inputShape?: ImageShape;
  /** Default 10. */
  readonly classes?: number;
}

interface Design {
  /** Of each stage; all but the first halve the image. */
  readonly channels: readonly number[];
  readonly blocks: number;
  readonly shortcut: Shortcut;
}

const DESIGNS: Readonly<Record<number, Design>> = {
  18: { channels: [64, 128, 256, 512], blocks: 2, shortcut: 'project' },
  20: { channels: [16, 32, 64], blocks: 3, shortcut: 'pad' },
};

/**
 * Depth 18: torchvision's ResNet-18 with a 3x3 stem of stride 1 and no max pool, 11,173,962 parameters for CIFAR-10.
 * Depth 20: the network of the paper's section 4.2, 16, 32 and 64 channels, shortcuts padded with zeros (option A), 269,722.
 *
 * Weights start as in torchvision: Kaiming normal by fanOut before a normalisation, whose weights are 1.
 *
 * Shapes: x [n, h, w, c]; result logits [n, classes].
 */
export class ResNetCifar extends Chain {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential | null;
  readonly avgpool = new GlobalAvgPool2d();
  readonly fc: Linear;

  /** @param depth layers with weights: 18 or 20 */
  constructor(depth: 18 | 20, options: ResNetCifarOptions = {}) {
    super();
    const design = Object.hasOwn(DESIGNS, depth) ? DESIGNS[depth] : undefined;
    if (design === undefined) {
      throw fail('ERR_ARGUMENT', {
        op: 'ResNetCifar',
        expected: 'depth 18 or 20',
        received: describe(depth),
      });
    }
    checkOptions('ResNetCifar', options, ['inputShape', 'classes']);
    const { inputShape = [32, 32, 3], classes = 10 } = options;
    const [, , c] = checkImageShape('ResNetCifar', inputShape, 8);
    checkCount('ResNetCifar', 'classes', classes);
    const { channels } = design;
    this.conv1 = plainConv(c, channels[0], 3);
    this.bn1 = new BatchNorm2d(channels[0]);
    this.layer1 = stage(design, 0);
    this.layer2 = stage(design, 1);
    this.layer3 = stage(design, 2);
    this.layer4 = channels.length > 3 ? stage(design, 3) : null;
    this.fc = new Linear(channels[channels.length - 1], classes);
  }

  override layers(): readonly Module[] {
    const { layer1, layer2, layer3, layer4 } = this;
    const stages = [layer1, layer2, layer3, ...(layer4 === null ? [] : [layer4])];
    return [this.conv1, this.bn1, this.relu, ...stages, this.avgpool, this.fc];
  }
}

/** The blocks of one stage; the first changes channels and, but for stage 0, the size. */
function stage({ channels, blocks, shortcut }: Design, index: number): Sequential {
  const inChannels = channels[Math.max(0, index - 1)];
  const outChannels = channels[index];
  return new Sequential(
    ...Array.from({ length: blocks }, (_, block) =>
      block === 0
        ? new ResidualBlock(inChannels, outChannels, index === 0 ? 1 : 2, shortcut)
        : new ResidualBlock(outChannels, outChannels, 1, shortcut),
    ),
  );
}
