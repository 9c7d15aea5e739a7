// SPDX-License-Identifier: Apache-2.0
// Images in another size: the nearest pixel, or bilinear between four of them.
import type { BackwardFunction } from '../autograd/node.js';
import { checkBooleans, checkOptions, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** Which size, and what lies between pixels. One of `size` and `scaleFactor` is needed. */
export interface UpsampleOptions {
  /** Of the result. */
  readonly size?: Pair | undefined;
  /** How many outputs a pixel makes, above 0; outputs are rounded down. */
  readonly scaleFactor?: Pair | undefined;
  /** Default 'nearest'. */
  readonly mode?: 'nearest' | 'bilinear';
  /**
   * Of 'bilinear': the centres of corner pixels stay where they are. Default false: the outer edges do, and pixels beyond
   * them count as the outermost.
   */
  readonly alignCorners?: boolean | undefined;
}

/** Options that were checked. */
export interface Upsampling {
  readonly size: readonly [number, number] | undefined;
  readonly scaleFactor: readonly [number, number] | undefined;
  readonly mode: 'nearest' | 'bilinear';
  readonly alignCorners: boolean;
}

const OPTIONS = ['size', 'scaleFactor', 'mode', 'alignCorners'];

/** @internal Refuses options that do not say one size. */
export function checkUpsampling(op: string, options: UpsampleOptions): Upsampling {
  checkOptions(op, options, OPTIONS);
  checkBooleans(op, { alignCorners: options.alignCorners });
  const { size, scaleFactor, mode = 'nearest', alignCorners = false } = options;
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'one of size and scaleFactor',
      received: size === undefined ? 'neither' : 'both',
    });
  }
  if (mode !== 'nearest' && mode !== 'bilinear') {
    throw fail('ERR_ARGUMENT', { op, expected: "mode 'nearest' or 'bilinear'", received: describe(mode) });
  }
  if (alignCorners && mode === 'nearest') {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "alignCorners with mode 'bilinear' only",
      received: "mode 'nearest'",
    });
  }
  return {
    size: size === undefined ? undefined : checkPair(op, 'size', size, 1),
    scaleFactor: scaleFactor === undefined ? undefined : checkFactors(op, scaleFactor),
    mode,
    alignCorners,
  };
}

function checkFactors(op: string, factor: Pair): readonly [number, number] {
  const pair = typeof factor === 'number' ? [factor, factor] : factor;
  const isFactor = (part: unknown) => Number.isFinite(part) && Number(part) > 0;
  if (Array.isArray(pair) && pair.length === 2 && isFactor(pair[0]) && isFactor(pair[1])) {
    return [pair[0], pair[1]];
  }
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'scaleFactor to be a number above 0, or a pair [height, width] of them',
    received: describe(factor),
  });
}

/** One axis: how many outputs, and how many pixels lie between two of them, as a fraction. */
interface Axis {
  readonly out: number;
  readonly ratio: readonly [numerator: number, denominator: number];
}

function axisOf(length: number, at: 0 | 1, { size, scaleFactor, alignCorners }: Upsampling): Axis {
  const factor = scaleFactor?.[at];
  const out = size?.[at] ?? Math.floor(length * (factor ?? 1));
  if (alignCorners) return { out, ratio: out > 1 ? [length - 1, out - 1] : [0, 1] };
  return { out, ratio: factor === undefined ? [length, out] : [1, factor] };
}

/**
 * The image in another size, with PyTorch's coordinates: output o lies at (o + 0.5) / scale - 0.5 between the centres of
 * pixels, `alignCorners` at o (in - 1) / (out - 1); 'nearest' is the pixel floor(o / scale), which PyTorch looks for with
 * a rounded 1 / scale. The scale is `scaleFactor` where given, else out / in.
 *
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c] with outH = size, or floor(h scaleFactor).
 *
 * @param options see `UpsampleOptions`
 *
 * Throws ERR_SHAPE for a result without pixels, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function upsample(x: Tensor, options: UpsampleOptions): Tensor {
  const checked = checkUpsampling('upsample', options);
  checkFloat('upsample', 'input', x);
  checkRank('upsample', 'input', x, '[n, h, w, c]');
  const [n, h, w, c] = x.shape;
  const [rows, columns] = [axisOf(h, 0, checked), axisOf(w, 1, checked)];
  if (rows.out < 1 || columns.out < 1) {
    throw fail('ERR_SHAPE', {
      op: 'upsample',
      expected: 'a result of at least 1x1',
      received: `${rows.out}x${columns.out}, from ${h}x${w} by scaleFactor ${checked.scaleFactor?.join('x')}`,
    });
  }
  const { mode, alignCorners } = checked;
  const numbers = [n, h, w, c, rows.out, columns.out, ...rows.ratio, ...columns.ratio, alignCorners ? 1 : 0];
  const y = Tensor.empty([n, rows.out, columns.out, c], x.dtype);
  compute(`upsample_${mode}_forward`, [y], [x], numbers);
  const { shape } = x;
  const backward: BackwardFunction = (dy) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit(`upsample_${mode}_backward`, [dx.handle, dy.handle], numbers);
    return [dx];
  };
  const kernel = mode === 'nearest' ? 1 : 2;
  const [strideH, strideW] = [rows, columns].map(({ ratio }) => ratio[0] / ratio[1]);
  const reach = { kernelH: kernel, kernelW: kernel, strideH, strideW, padTop: 0, padLeft: 0 };
  return record('upsample', y, [x], [], backward, reach);
}
