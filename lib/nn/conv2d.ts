// SPDX-License-Identifier: Apache-2.0
// The convolution layer: a weight and a bias for ops/conv2d.
import { checkOptions } from '../errors.js';
import { type Conv2dOptions as ConvolveOptions, conv2d } from '../ops/conv2d.js';
import { CONVOLUTION_OPTIONS } from '../ops/convolution.js';
import type { Pair } from '../tensor/conv-geometry.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Convolution } from './convolution.js';

/** How a convolution layer is built. */
export interface Conv2dOptions extends ConvolveOptions {
  readonly kernelSize: Pair;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * 2-D convolution with zero padding. Shapes: x [n, h, w, inC]; result [n, outH, outW, outC]; weight
 * [outC, kH, kW, inC / groups], bias [outC]. `groups` equal to the input channels makes it depthwise.
 *
 * Weights start as PyTorch's do: uniform in ±1 / sqrt(inC / groups kH kW).
 */
export class Conv2d extends Convolution<readonly [number, number]> {
  /**
   * @param options kernelSize is needed; stride 1, padding 0, dilation 1, groups 1, bias true, algorithm 'auto' are the
   * defaults
   */
  constructor(inChannels: number, outChannels: number, options: Conv2dOptions) {
    checkOptions('Conv2d', options, ['kernelSize', ...CONVOLUTION_OPTIONS, 'bias']);
    super({ op: 'Conv2d', axes: 2, transposed: false }, inChannels, outChannels, options);
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups, algorithm } = this;
    return conv2d(x, this.weight, this.bias, { stride, padding, dilation, groups, algorithm });
  }

  override multiplyAdds(_inputShape: Shape, [n, h, w]: Shape): number {
    return n * h * w * this.weight.size;
  }
}
