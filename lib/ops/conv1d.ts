// SPDX-License-Identifier: Apache-2.0
// 1-D convolution of sequences.
import type { Tensor } from '../tensor/tensor.js';
import type { Conv2dAlgorithm } from './conv2d-algorithm.js';
import { convolve } from './convolve.js';

/** How to convolve a sequence. */
export interface Conv1dOptions {
  /** Default 1. */
  readonly stride?: number;
  /**
   * Zeros at both ends. 'same' keeps the length (stride 1 only; where the zeros are odd in number, the last is behind),
   * 'valid' is 0. Default 0.
   */
  readonly padding?: number | 'same' | 'valid';
  /** Steps from one element of the kernel to the next. Default 1. */
  readonly dilation?: number;
  /** Groups of channels that do not see each other; as many as channels: a depthwise convolution. Default 1. */
  readonly groups?: number;
  /** How to compute it, as `conv2d`. Default 'auto'. */
  readonly algorithm?: Conv2dAlgorithm;
}

/**
 * 1-D convolution (cross-correlation) with zero padding.
 *
 * Shapes: x [n, l, inC], weight [outC, k, inC / groups], bias [outC] or null; result [n, outL, outC] with
 * outL = floor((l + 2 padding - dilation (k - 1) - 1) / stride) + 1.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv1dOptions = {},
): Tensor {
  return convolve('conv1d', 1, x, weight, bias, options);
}
