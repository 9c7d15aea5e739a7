// SPDX-License-Identifier: Apache-2.0
// The blocks of residual networks (He, Zhang, Ren and Sun 2015): two or three convolutions, and a shortcut around them.
import { ReLU } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { Conv2d } from '../nn/conv2d.js';
import { kaimingNormal_ } from '../nn/init.js';
import { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { add } from '../ops/arithmetic.js';
import { padChannels } from '../ops/concat.js';
import { avgPool2d } from '../ops/pool2d.js';
import type { Tensor } from '../tensor/tensor.js';

/** A convolution before batch normalisation: no bias, padding that keeps the size, Kaiming normal weights by fanOut. */
export function plainConv(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  stride = 1,
  groups = 1,
): Conv2d {
  const padding = (kernelSize - 1) / 2;
  const conv = new Conv2d(inChannels, outChannels, { kernelSize, stride, padding, groups, bias: false });
  kaimingNormal_(conv.weight, { mode: 'fanOut' });
  return conv;
}

/** How a shortcut changes size and channels: the paper's option A, without parameters, or B, a 1x1 convolution. */
export type Shortcut = 'pad' | 'project';

/** Every second pixel, with zeros for the channels that are missing, as many before as after. */
class PadShortcut extends Module {
  constructor(
    readonly missingChannels: number,
    readonly stride: number,
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const { stride, missingChannels } = this;
    const pixels = stride === 1 ? x : avgPool2d(x, { kernelSize: 1, stride });
    const before = Math.floor(missingChannels / 2);
    return padChannels(pixels, before, missingChannels - before);
  }

  override extraRepr(): string {
    return `${this.missingChannels}, stride=${this.stride}`;
  }
}

/** What fits x to the sum; null where it fits as it is. */
function shortcutFor(
  inChannels: number,
  outChannels: number,
  stride: number,
  shortcut: Shortcut,
): Module | null {
  if (stride === 1 && inChannels === outChannels) return null;
  if (shortcut === 'pad') return new PadShortcut(outChannels - inChannels, stride);
  return new Sequential(plainConv(inChannels, outChannels, 1, stride), new BatchNorm2d(outChannels));
}

/** relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)). Shapes: x [n, h, w, inC]; result [n, h / stride, w / stride, outC]. */
export class ResidualBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  /** Null where the input fits as it is. torchvision's name. */
  readonly downsample: Module | null;

  constructor(inChannels: number, outChannels: number, stride: number, shortcut: Shortcut) {
    super();
    this.conv1 = plainConv(inChannels, outChannels, 3, stride);
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = plainConv(outChannels, outChannels, 3);
    this.bn2 = new BatchNorm2d(outChannels);
    this.downsample = shortcutFor(inChannels, outChannels, stride, shortcut);
  }

  override forward(x: Tensor): Tensor {
    let y = this.relu.call(this.bn1.call(this.conv1.call(x)));
    y = this.bn2.call(this.conv2.call(y));
    return this.relu.call(add(y, this.downsample === null ? x : this.downsample.call(x)));
  }
}

/** How many times the channels inside of a bottleneck come out of it. */
const EXPANSION = 4;

/**
 * A 1x1 convolution to `channels`, a 3x3 one, and a 1x1 one to four times as many, around which the shortcut goes. The
 * stride is that of the 3x3 convolution, as in torchvision; the paper's was in the first.
 *
 * Shapes: x [n, h, w, inC]; result [n, h / stride, w / stride, 4 channels].
 */
export class BottleneckBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu = new ReLU();
  /** Null where the input fits as it is. torchvision's name. */
  readonly downsample: Module | null;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    const outChannels = EXPANSION * channels;
    this.conv1 = plainConv(inChannels, channels, 1);
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = plainConv(channels, channels, 3, stride);
    this.bn2 = new BatchNorm2d(channels);
    this.conv3 = plainConv(channels, outChannels, 1);
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = shortcutFor(inChannels, outChannels, stride, 'project');
  }

  override forward(x: Tensor): Tensor {
    let y = this.relu.call(this.bn1.call(this.conv1.call(x)));
    y = this.relu.call(this.bn2.call(this.conv2.call(y)));
    y = this.bn3.call(this.conv3.call(y));
    return this.relu.call(add(y, this.downsample === null ? x : this.downsample.call(x)));
  }
}
