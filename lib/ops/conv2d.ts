// SPDX-License-Identifier: Apache-2.0
// 2-D convolution of images.
import type { Pair } from '../tensor/conv-geometry.js';
import type { ConvolutionPadding } from '../tensor/convolution-window.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Conv2dAlgorithm } from './conv2d-algorithm.js';
import { convolve } from './convolve.js';

/** How to convolve. */
export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /**
   * Zeros around the image: a number, or [height, width]. 'same' keeps the size (stride 1 only; where the zeros are odd in
   * number, the last is below and on the right), 'valid' is 0. Default 0.
   */
  readonly padding?: ConvolutionPadding;
  /** Pixels from one element of the kernel to the next. Default 1. */
  readonly dilation?: Pair;
  /** Groups of channels that do not see each other; as many as channels: a depthwise convolution. Default 1. */
  readonly groups?: number;
  /** How to compute it, which may change rounding. Default 'auto'. */
  readonly algorithm?: Conv2dAlgorithm;
}

/**
 * 2-D convolution (cross-correlation) with zero padding.
 *
 * Shapes: x [n, h, w, inC], weight [outC, kH, kW, inC / groups], bias [outC] or null; result [n, outH, outW, outC] with
 * outH = floor((h + 2 padding - dilation (kH - 1) - 1) / stride) + 1. Output channel o belongs to group
 * floor(o groups / outC) and reads the inC / groups input channels of that group.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions = {},
): Tensor {
  return convolve('conv2d', 2, x, weight, bias, options);
}
