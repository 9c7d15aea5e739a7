// SPDX-License-Identifier: Apache-2.0
// Pooling of sequences: images of height 1.
import { checkOptions, checkWhole } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { adaptiveAvgPool, adaptiveMaxPool } from './adaptive-pool2d.js';
import { checkFloat, checkRank } from './check.js';
import { avgPool, lpPool, maxPool } from './pool2d.js';
import { reshape } from './reshape.js';

/** How to pool a sequence. */
export interface Pool1dOptions {
  readonly kernelSize: number;
  /** Default: kernelSize. */
  readonly stride?: number | undefined;
  /** Steps of padding on each side, at most half the kernel. Default 0. */
  readonly padding?: number | undefined;
  /** Whether a last window may reach beyond the padding. Default false. */
  readonly ceilMode?: boolean | undefined;
}

/** How to average a sequence. */
export interface AvgPool1dOptions extends Pool1dOptions {
  /** Whether the zeros of the padding count in the mean. Default true. */
  readonly countIncludePad?: boolean;
}

/** How to take norms of a sequence. */
export interface LPPool1dOptions extends Pool1dOptions {
  /** Which norm, a whole number from 1 to 64. Default 2. */
  readonly normType?: number;
}

const OPTIONS = ['kernelSize', 'stride', 'padding', 'ceilMode'];

/** Runs `pool` on a sequence as on an image of height 1. */
function asImage(op: string, x: Tensor, pool: (image: Tensor) => Tensor): Tensor {
  checkFloat(op, 'input', x);
  checkRank(op, 'input', x, '[n, l, c]');
  const [n, length, c] = x.shape;
  using image = reshape(x, [n, 1, length, c]);
  using y = pool(image);
  return reshape(y, [n, y.shape[2], c]); // a view: the memory stays
}

/** The options of a window as those of a window of height 1. */
function windowOf<Options extends Pool1dOptions>(op: string, options: Options, known: readonly string[]) {
  checkOptions(op, options, known);
  const { kernelSize, stride = kernelSize, padding = 0 } = options;
  return {
    ...options,
    kernelSize: [1, checkWhole(op, 'kernelSize', kernelSize)] as const,
    stride: [1, checkWhole(op, 'stride', stride)] as const,
    padding: [0, checkWhole(op, 'padding', padding, 0)] as const,
  };
}

/** The largest value of each window; see `maxPool2d`. Shapes: x [n, l, c]; result [n, outL, c]. */
export function maxPool1d(x: Tensor, options: Pool1dOptions): Tensor {
  const window = windowOf('maxPool1d', options, OPTIONS);
  return asImage('maxPool1d', x, (image) => maxPool('maxPool1d', image, window));
}

/** The mean of each window; see `avgPool2d`. Shapes: x [n, l, c]; result [n, outL, c]. */
export function avgPool1d(x: Tensor, options: AvgPool1dOptions): Tensor {
  const window = windowOf('avgPool1d', options, [...OPTIONS, 'countIncludePad']);
  return asImage('avgPool1d', x, (image) => avgPool('avgPool1d', image, window));
}

/** The p-norm of each window; see `lpPool2d`. Shapes: x [n, l, c]; result [n, outL, c]. */
export function lpPool1d(x: Tensor, options: LPPool1dOptions): Tensor {
  const window = windowOf('lpPool1d', options, [...OPTIONS, 'normType']);
  return asImage('lpPool1d', x, (image) => lpPool('lpPool1d', image, window));
}

/** The largest value of each of `outputSize` parts; see `adaptiveMaxPool2d`. Shapes: x [n, l, c]; result [n, outputSize, c]. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number): Tensor {
  const size = [1, checkWhole('adaptiveMaxPool1d', 'outputSize', outputSize)] as const;
  return asImage('adaptiveMaxPool1d', x, (image) => adaptiveMaxPool('adaptiveMaxPool1d', image, size));
}

/** The mean of each of `outputSize` parts; see `adaptiveAvgPool2d`. Shapes: x [n, l, c]; result [n, outputSize, c]. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  const size = [1, checkWhole('adaptiveAvgPool1d', 'outputSize', outputSize)] as const;
  return asImage('adaptiveAvgPool1d', x, (image) => adaptiveAvgPool('adaptiveAvgPool1d', image, size));
}
