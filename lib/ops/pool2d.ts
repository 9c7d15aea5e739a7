// SPDX-License-Identifier: Apache-2.0
// Pooling: a window slides over each channel and keeps its largest value, its mean, or its Euclidean norm.
import { checkOptions, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { type WindowOptions, windowOver } from '../tensor/conv-geometry.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { markPoolWindow } from './pool-window.js';
import { record } from './record.js';

/** How to pool. */
export interface Pool2dOptions extends WindowOptions {}

/** How to average. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether the zeros of the padding count in the mean. Default true, as in PyTorch. */
  readonly countIncludePad?: boolean;
}

/** How to take norms. */
export interface LPPool2dOptions extends Pool2dOptions {
  /** Only 2, the Euclidean norm. */
  readonly normType?: 2;
}

interface PoolGeometry {
  /** In the order of native/plan/pool2d.cc. */
  readonly numbers: readonly number[];
  readonly outShape: readonly number[];
  readonly windowSize: number;
}

const OPTIONS = ['kernelSize', 'stride', 'padding'];
const AVERAGE_OPTIONS = [...OPTIONS, 'countIncludePad'];
const LP_OPTIONS = [...OPTIONS, 'normType'];

function geometryOf(
  op: string,
  x: Tensor,
  options: Pool2dOptions,
  known: readonly string[] = OPTIONS,
): PoolGeometry {
  checkOptions(op, options, known);
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
    windowSize: kernelH * kernelW,
  };
}

/** Windows up to this size keep their winner in one byte. */
const MAX_BYTE_WINDOW = 256;

/**
 * The largest value of each window. Padding never wins; of equal values the first wins; NaN wins. The gradient goes to
 * the winner alone.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c] with outH = floor((h + 2 padding - kernel) / stride) + 1.
 *
 * @param options stride defaults to kernelSize, padding to 0
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const g = geometryOf('maxPool2d', x, options);
  const y = Tensor.empty(g.outShape, x.dtype);
  const winners = Tensor.empty(g.outShape, g.windowSize <= MAX_BYTE_WINDOW ? 'uint8' : 'int32');
  compute('max_pool2d_forward', [y, winners], [x], g.numbers);
  const { shape } = x;
  record('maxPool2d', y, [x], [winners], (dy, [winners]) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit('max_pool2d_backward', [dx.handle, dy.handle, winners.handle], g.numbers);
    const [kernelH, kernelW, strideH, strideW, padTop, padLeft] = g.numbers.slice(6);
    if (padTop === 0 && padLeft === 0) markPoolWindow(dx, [kernelH, kernelW, strideH, strideW]);
    return [dx];
  });
  winners.dispose(); // the recorded operation holds them, if anyone does
  return y;
}

/**
 * The mean of each window.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 *
 * @param options stride defaults to kernelSize, padding to 0, countIncludePad to true
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const g = geometryOf('avgPool2d', x, options, AVERAGE_OPTIONS);
  const numbers = [...g.numbers, options.countIncludePad === false ? 0 : 1];
  const y = Tensor.empty(g.outShape, x.dtype);
  compute('avg_pool2d_forward', [y], [x], numbers);
  const { shape } = x;
  return record('avgPool2d', y, [x], [], (dy) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit('avg_pool2d_backward', [dx.handle, dy.handle], numbers);
    return [dx];
  });
}

/**
 * The Euclidean norm of each window, sqrt(sum of squares); its gradient is 0 where the norm is 0.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 *
 * @param options stride defaults to kernelSize, padding to 0
 */
export function lpPool2d(x: Tensor, options: LPPool2dOptions): Tensor {
  const g = geometryOf('lpPool2d', x, options, LP_OPTIONS);
  if ((options.normType ?? 2) !== 2) {
    throw fail('ERR_ARGUMENT', {
      op: 'lpPool2d',
      expected: 'normType 2',
      received: describe(options.normType),
    });
  }
  const y = Tensor.empty(g.outShape, x.dtype);
  compute('lp_pool2d_forward', [y], [x], g.numbers);
  return record('lpPool2d', y, [x], [x, y], (dy, [x, y]) => {
    const dx = Tensor.empty(x.shape, x.dtype);
    emit('lp_pool2d_backward', [dx.handle, dy.handle, x.handle, y.handle], g.numbers);
    return [dx];
  });
}
