// SPDX-License-Identifier: Apache-2.0
// Pooling: a window slides over each channel and keeps its largest value, its mean, or its p-norm.
import type { BackwardFunction } from '../autograd/node.js';
import { checkBooleans, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { type Window, type WindowOptions, windowOver } from '../tensor/conv-geometry.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { markPoolWindow } from './pool-window.js';
import { record } from './record.js';

/** How to pool. */
export interface Pool2dOptions extends WindowOptions {}

/** How to average. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /**
   * Whether the zeros of the padding count in the mean. Default true, as in PyTorch. What a window of `ceilMode` reaches
   * beyond them never counts.
   */
  readonly countIncludePad?: boolean;
}

/** How to take norms. */
export interface LPPool2dOptions extends Pool2dOptions {
  /** Which norm, a whole number from 1 to 64. Default 2, the Euclidean one. */
  readonly normType?: number;
}

interface PoolGeometry {
  /** In the order of native/plan/pool2d.cc. */
  readonly numbers: readonly number[];
  readonly outShape: readonly number[];
  readonly window: Window;
}

const OPTIONS = ['kernelSize', 'stride', 'padding', 'ceilMode'];
const AVERAGE_OPTIONS = [...OPTIONS, 'countIncludePad'];
const LP_OPTIONS = [...OPTIONS, 'normType'];

function geometryOf(
  op: string,
  x: Tensor,
  options: Pool2dOptions,
  known: readonly string[] = OPTIONS,
): PoolGeometry {
  checkOptions(op, options, known);
  checkBooleans(op, { ceilMode: options.ceilMode });
  checkFloat(op, 'input', x);
  checkRank(op, 'input', x, '[n, h, w, c]');
  const [n, inH, inW, c] = x.shape;
  const window = windowOver(op, inH, inW, { ...options, stride: options.stride ?? options.kernelSize });
  const { kernelH, kernelW, strideH, strideW, padTop, padLeft, outH, outW } = window;
  if (padTop > kernelH / 2 || padLeft > kernelW / 2) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `padding of at most half the kernel, ${kernelH}x${kernelW}`,
      received: `${padTop}x${padLeft}`,
      hint: 'with more, a window could lie in the padding alone',
    });
  }
  return {
    numbers: [n, inH, inW, c, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft],
    outShape: [n, outH, outW, c],
    window,
  };
}

/** Windows up to this size keep their winner in one byte. */
const MAX_BYTE_WINDOW = 256;

/** @internal `maxPool2d` under the name of whoever asks. */
export function maxPool(op: string, x: Tensor, options: Pool2dOptions): Tensor {
  const { numbers, outShape, window } = geometryOf(op, x, options);
  const y = Tensor.empty(outShape, x.dtype);
  const isSmall = window.kernelH * window.kernelW <= MAX_BYTE_WINDOW;
  const winners = Tensor.empty(outShape, isSmall ? 'uint8' : 'int32');
  compute('max_pool2d_forward', [y, winners], [x], numbers);
  const { shape } = x;
  const backward: BackwardFunction = (dy, [winners]) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit('max_pool2d_backward', [dx.handle, dy.handle, winners.handle], numbers);
    const { kernelH, kernelW, strideH, strideW, padTop, padLeft } = window;
    const isTiled = padTop === 0 && padLeft === 0 && options.ceilMode !== true;
    if (isTiled) markPoolWindow(dx, [kernelH, kernelW, strideH, strideW]);
    return [dx];
  };
  record(op, y, [x], [winners], backward, window);
  winners.dispose(); // the recorded operation holds them, if anyone does
  return y;
}

/** @internal `avgPool2d` under the name of whoever asks. */
export function avgPool(op: string, x: Tensor, options: AvgPool2dOptions): Tensor {
  const g = geometryOf(op, x, options, AVERAGE_OPTIONS);
  checkBooleans(op, { countIncludePad: options.countIncludePad });
  const numbers = [...g.numbers, options.countIncludePad === false ? 0 : 1];
  const y = Tensor.empty(g.outShape, x.dtype);
  compute('avg_pool2d_forward', [y], [x], numbers);
  const { shape } = x;
  const backward: BackwardFunction = (dy) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit('avg_pool2d_backward', [dx.handle, dy.handle], numbers);
    return [dx];
  };
  return record(op, y, [x], [], backward, g.window);
}

/** @internal `lpPool2d` under the name of whoever asks. */
export function lpPool(op: string, x: Tensor, options: LPPool2dOptions): Tensor {
  const g = geometryOf(op, x, options, LP_OPTIONS);
  const numbers = [...g.numbers, checkNorm(op, options.normType ?? 2)];
  const y = Tensor.empty(g.outShape, x.dtype);
  compute('lp_pool2d_forward', [y], [x], numbers);
  const backward: BackwardFunction = (dy, [x, y]) => {
    const dx = Tensor.empty(x.shape, x.dtype);
    emit('lp_pool2d_backward', [dx.handle, dy.handle, x.handle, y.handle], numbers);
    return [dx];
  };
  return record(op, y, [x], [x, y], backward, g.window);
}

/** Beyond this, float32 overflows at |x| = 4: the maximum is what is meant. */
const LARGEST_NORM = 64;

/** @internal Refuses what is no norm. */
export function checkNorm(op: string, normType: number): number {
  if (checkWhole(op, 'normType', normType) <= LARGEST_NORM) return normType;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `normType to be a whole number from 1 to ${LARGEST_NORM}`,
    received: describe(normType),
    hint: 'the largest magnitude is what the norms of large windows come to: maxPool2d',
  });
}

/**
 * The largest value of each window. Padding never wins; of equal values the first wins; NaN wins. The gradient goes to
 * the winner alone.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c] with outH = floor((h + 2 padding - kernel) / stride) + 1, rounded up
 * with `ceilMode`.
 *
 * @param options stride defaults to kernelSize, padding to 0, ceilMode to false
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  return maxPool('maxPool2d', x, options);
}

/**
 * The mean of each window.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 *
 * @param options stride defaults to kernelSize, padding to 0, ceilMode to false, countIncludePad to true
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  return avgPool('avgPool2d', x, options);
}

/**
 * The p-norm of each window, (sum of |x|^p)^(1/p); its gradient is 0 where the norm is 0. PyTorch's takes powers of x
 * itself, which is the same for an even p and behind a ReLU, and scales the windows that `ceilMode` cuts off.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 *
 * @param options normType defaults to 2, stride to kernelSize, padding to 0, ceilMode to false
 */
export function lpPool2d(x: Tensor, options: LPPool2dOptions): Tensor {
  return lpPool('lpPool2d', x, options);
}
