// SPDX-License-Identifier: Apache-2.0
// The convolution layer of sequences: a weight and a bias for ops/conv1d.
import { checkOptions } from '../errors.js';
import { type Conv1dOptions as ConvolveOptions, conv1d } from '../ops/conv1d.js';
import { CONVOLUTION_OPTIONS } from '../ops/convolution.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Convolution } from './convolution.js';

/** How a convolution layer of sequences is built. */
export interface Conv1dOptions extends ConvolveOptions {
  readonly kernelSize: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * 1-D convolution with zero padding. Shapes: x [n, l, inC]; result [n, outL, outC]; weight [outC, k, inC / groups], bias
 * [outC].
 *
 * Weights start as PyTorch's do: uniform in ±1 / sqrt(inC / groups k).
 */
export class Conv1d extends Convolution<readonly [number]> {
  /**
   * @param options kernelSize is needed; stride 1, padding 0, dilation 1, groups 1, bias true, algorithm 'auto' are the
   * defaults
   */
  constructor(inChannels: number, outChannels: number, options: Conv1dOptions) {
    checkOptions('Conv1d', options, ['kernelSize', ...CONVOLUTION_OPTIONS, 'bias']);
    super({ op: 'Conv1d', axes: 1, transposed: false }, inChannels, outChannels, options);
  }

  override forward(x: Tensor): Tensor {
    const { padding, groups, algorithm } = this;
    return conv1d(x, this.weight, this.bias, {
      stride: this.stride[0],
      padding: typeof padding === 'string' ? padding : padding[0],
      dilation: this.dilation[0],
      groups,
      algorithm,
    });
  }

  override multiplyAdds(_inputShape: Shape, [n, l]: Shape): number {
    return n * l * this.weight.size;
  }
}
