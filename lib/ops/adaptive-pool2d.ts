// SPDX-License-Identifier: Apache-2.0
// Pooling to a size that is given, whatever the size of the image; and to several sizes at once, one vector.
import type { BackwardFunction, Reach } from '../autograd/node.js';
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { concat } from './concat.js';
import { record } from './record.js';
import { flatten } from './reshape.js';

/** A number for both axes, or [height, width]; null leaves an axis as it is. */
export type OutputSize = number | readonly [number | null, number | null];

/** Which pooling a pyramid is made of. */
export interface SpatialPyramidPool2dOptions {
  /** Default 'max', as in the paper. */
  readonly mode?: 'max' | 'avg';
}

interface Geometry {
  /** In the order of native/plan/adaptive_pool2d.cc. */
  readonly numbers: readonly number[];
  readonly outShape: readonly number[];
  readonly reach: Reach;
}

/** Both members of an output size. */
export function checkOutputSize(op: string, size: OutputSize): readonly [number | null, number | null] {
  const pair = typeof size === 'number' ? [size, size] : size;
  const fits = (part: unknown) => part === null || (Number.isSafeInteger(part) && Number(part) >= 1);
  if (Array.isArray(pair) && pair.length === 2 && fits(pair[0]) && fits(pair[1])) return [pair[0], pair[1]];
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'outputSize to be a whole number of at least 1, or a pair [height, width] of them or null',
    received: describe(size),
  });
}

/** The most pixels that one of `out` outputs over `size` pixels covers. */
function widest(size: number, out: number): number {
  let most = 0;
  for (let o = 0; o < out; o++) {
    most = Math.max(most, Math.ceil(((o + 1) * size) / out) - Math.floor((o * size) / out));
  }
  return most;
}

function geometryOf(op: string, x: Tensor, outputSize: OutputSize): Geometry {
  checkFloat(op, 'input', x);
  checkRank(op, 'input', x, '[n, h, w, c]');
  const [n, inH, inW, c] = x.shape;
  const [h, w] = checkOutputSize(op, outputSize);
  const [outH, outW] = [h ?? inH, w ?? inW];
  const kernels = { kernelH: widest(inH, outH), kernelW: widest(inW, outW) };
  return {
    numbers: [n, inH, inW, c, outH, outW],
    outShape: [n, outH, outW, c],
    reach: { ...kernels, strideH: inH / outH, strideW: inW / outW, padTop: 0, padLeft: 0 },
  };
}

/** What float32, through which winners pass, counts exactly. */
const MAX_PIXELS = 2 ** 24;

/** @internal `adaptiveMaxPool2d` under the name of whoever asks, with the result in another shape of its size. */
export function adaptiveMaxPool(op: string, x: Tensor, size: OutputSize, shape?: readonly number[]): Tensor {
  const { numbers, outShape, reach } = geometryOf(op, x, size);
  const [, inH, inW] = numbers;
  if (inH * inW > MAX_PIXELS) {
    throw fail('ERR_SHAPE', { op, expected: 'images of at most 2^24 pixels', received: `${inH}x${inW}` });
  }
  const y = Tensor.empty(shape ?? outShape, x.dtype);
  const winners = Tensor.empty(outShape, 'int32');
  compute('adaptive_max_pool2d_forward', [y, winners], [x], numbers);
  const { shape: before } = x;
  const backward: BackwardFunction = (dy, [winners]) => {
    const dx = Tensor.empty(before, dy.dtype);
    emit('adaptive_max_pool2d_backward', [dx.handle, dy.handle, winners.handle], numbers);
    return [dx];
  };
  record(op, y, [x], [winners], backward, reach);
  winners.dispose(); // the recorded operation holds them, if anyone does
  return y;
}

/** @internal `adaptiveAvgPool2d` under the name of whoever asks. */
export function adaptiveAvgPool(op: string, x: Tensor, size: OutputSize): Tensor {
  const { numbers, outShape, reach } = geometryOf(op, x, size);
  const y = Tensor.empty(outShape, x.dtype);
  // A mean over everything adds rows of pixels in the order in which they lie in memory.
  const isGlobal = outShape[1] === 1 && outShape[2] === 1;
  const name = isGlobal ? 'global_avg_pool' : 'adaptive_avg_pool2d';
  const [n, inH, inW, c] = numbers;
  const sizes = isGlobal ? [n, inH * inW, c] : numbers;
  compute(`${name}_forward`, [y], [x], sizes);
  const { shape } = x;
  const backward: BackwardFunction = (dy) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit(`${name}_backward`, [dx.handle, dy.handle], sizes);
    return [dx];
  };
  return record(op, y, [x], [], backward, reach);
}

/**
 * The largest value of each part of the image, which is cut as PyTorch cuts it: output o of n over a height h covers rows
 * floor(o h / n) to ceil((o + 1) h / n) - 1, and so for the width. Parts may overlap, and with n > h pixels repeat. Of equal
 * values the first wins; NaN wins.
 *
 * Shapes: x [n, h, w, c], at most 2^24 pixels; result [n, outH, outW, c].
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool2d', x, outputSize);
}

/**
 * The mean of each part of the image, cut as in `adaptiveMaxPool2d`.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool2d', x, outputSize);
}

/** The largest of all pixels, channel by channel. Shapes: x [n, h, w, c]; result [n, c]. */
export function globalMaxPool2d(x: Tensor): Tensor {
  checkFloat('globalMaxPool2d', 'input', x);
  checkRank('globalMaxPool2d', 'input', x, '[n, h, w, c]');
  return adaptiveMaxPool('globalMaxPool2d', x, 1, [x.shape[0], x.shape[3]]);
}

/** @internal Refuses what are no levels of a pyramid. */
export function checkPyramid(
  op: string,
  levels: readonly number[],
  options: SpatialPyramidPool2dOptions,
): 'max' | 'avg' {
  checkOptions(op, options, ['mode']);
  if (!Array.isArray(levels) || levels.length === 0) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'levels, an array of one or more sizes such as [1, 2, 4]',
      received: describe(levels),
    });
  }
  for (const level of levels) checkWhole(op, 'each level', level);
  const { mode = 'max' } = options;
  if (mode === 'max' || mode === 'avg') return mode;
  throw fail('ERR_ARGUMENT', { op, expected: "mode 'max' or 'avg'", received: describe(mode) });
}

/**
 * A vector of one length for images of any size (He, Zhang, Ren and Sun 2014): the image pooled to 1 x 1, 2 x 2 and 4 x 4,
 * say, one after the other, each [h, w, c] in its order.
 *
 * Shapes: x [n, h, w, c]; result [n, c times the sum of level²].
 *
 * @param levels sides of the pooled images
 * @param options mode defaults to 'max'
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function spatialPyramidPool2d(
  x: Tensor,
  levels: readonly number[],
  options: SpatialPyramidPool2dOptions = {},
): Tensor {
  const op = 'spatialPyramidPool2d';
  const pool = checkPyramid(op, levels, options) === 'max' ? adaptiveMaxPool : adaptiveAvgPool;
  checkFloat(op, 'input', x);
  checkRank(op, 'input', x, '[n, h, w, c]');
  const pooled = levels.map((level) => {
    using image = pool(op, x, level);
    return flatten(image); // a view: the memory stays
  });
  try {
    return concat(pooled);
  } finally {
    for (const part of pooled) part.dispose();
  }
}
