// SPDX-License-Identifier: Apache-2.0
// Sizes of sliding windows, for convolution and pooling alike: pure functions, the one place where they are computed.
import { describe, fail } from '../errors.js';

/** A number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

/** How a window slides over an image. */
export interface WindowOptions {
  readonly kernelSize: Pair;
  /** Default: 1 for convolutions, `kernelSize` for pooling. */
  readonly stride?: Pair | undefined;
  /** Zeros around the image, on each side. Default 0. */
  readonly padding?: Pair | undefined;
  /** Whether a last window may reach beyond the padding. It begins in the image or in the padding before it. Default false. */
  readonly ceilMode?: boolean | undefined;
}

/** A window in numbers: what instructions are given. */
export interface Window {
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outH: number;
  readonly outW: number;
}

/** Both members of a pair, each a whole number of at least `low`. */
export function checkPair(op: string, name: string, value: Pair, low: number): readonly [number, number] {
  const pair = typeof value === 'number' ? [value, value] : value;
  const valid =
    Array.isArray(pair) &&
    pair.length === 2 &&
    [pair[0], pair[1]].every((part) => Number.isSafeInteger(part) && part >= low);
  if (valid) return [pair[0], pair[1]];
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `${name} to be a whole number of at least ${low}, or a pair [height, width] of them`,
    received: describe(value),
  });
}

/** How many windows fit side by side. */
function windowsOver(size: number, kernel: number, stride: number, pad: number, ceilMode: boolean): number {
  const room = size + 2 * pad - kernel;
  if (!ceilMode) return Math.floor(room / stride) + 1;
  const windows = Math.ceil(room / stride) + 1;
  return (windows - 1) * stride >= size + pad ? windows - 1 : windows;
}

/**
 * The window of an op over an image of inH x inW. Output sizes are floor((in + 2 padding - kernel) / stride) + 1; with
 * `ceilMode` rounded up, except for a window that would begin in the padding behind the image.
 * Throws ERR_ARGUMENT for options that are no sizes, ERR_SHAPE where the kernel is larger than the padded image.
 */
export function windowOver(op: string, inH: number, inW: number, options: WindowOptions): Window {
  const [kernelH, kernelW] = checkPair(op, 'kernelSize', options.kernelSize, 1);
  const [strideH, strideW] = checkPair(op, 'stride', options.stride ?? 1, 1);
  const [padTop, padLeft] = checkPair(op, 'padding', options.padding ?? 0, 0);
  const ceilMode = options.ceilMode === true;
  const outH = windowsOver(inH, kernelH, strideH, padTop, ceilMode);
  const outW = windowsOver(inW, kernelW, strideW, padLeft, ceilMode);
  if (outH < 1 || outW < 1) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `a kernel no larger than the padded input, ${inH + 2 * padTop}x${inW + 2 * padLeft}`,
      received: `kernelSize ${kernelH}x${kernelW}`,
      hint: 'is the image as large as the model expects, and [n, h, w, c]?',
    });
  }
  return { kernelH, kernelW, strideH, strideW, padTop, padLeft, outH, outW };
}
