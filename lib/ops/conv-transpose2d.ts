// SPDX-License-Identifier: Apache-2.0
// Transposed convolution: the adjoint of a convolution, by its instructions with the roles exchanged. Its forward pass is
// the gradient with respect to the input there, and that gradient here is the forward pass there.
import type { BackwardFunction } from '../autograd/node.js';
import { checkOptions, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import { checkSettings, transposedAxes } from '../tensor/convolution-window.js';
import { Tensor } from '../tensor/tensor.js';
import { compute } from './compute.js';
import type { Conv2dAlgorithm } from './conv2d-algorithm.js';
import {
  type ConvolutionGeometry,
  checkBias,
  checkChannels,
  checkGroups,
  checkOperands,
  geometryOf,
} from './convolution.js';
import { type Passes, passesOf } from './convolution-passes.js';
import { record } from './record.js';

/** How to convolve. */
export interface ConvTranspose2dOptions {
  /** Pixels of the result from one pixel of the input to the next. Default 1. */
  readonly stride?: Pair;
  /** Pixels that the result lacks on each side. Default 0. */
  readonly padding?: Pair;
  /**
   * Pixels that the result has more of, below and on the right: with a stride, results of several sizes belong to one
   * input. Smaller than the stride or the dilation. Default 0.
   */
  readonly outputPadding?: Pair;
  /** Pixels from one element of the kernel to the next. Default 1. */
  readonly dilation?: Pair;
  /** Groups of channels that do not see each other. Default 1. */
  readonly groups?: number;
  /** How to compute it, as `conv2d`. Default 'auto'. */
  readonly algorithm?: Conv2dAlgorithm;
}

export const TRANSPOSED_OPTIONS = ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'algorithm'];

/** Refuses an output padding with which the result would not belong to the input. */
export function checkOutputPadding(
  op: string,
  value: Pair,
  { stride, dilation }: { readonly stride: readonly number[]; readonly dilation: readonly number[] },
): readonly [number, number] {
  const pair = checkPair(op, 'outputPadding', value, 0);
  if (pair.every((pad, axis) => pad < Math.max(stride[axis], dilation[axis]))) return pair;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `outputPadding smaller than stride ${stride.join('x')} or dilation ${dilation.join('x')}`,
    received: pair.join('x'),
  });
}

/** Fills y, and disposes it where native code refuses. */
function forward(
  passes: Passes,
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  g: ConvolutionGeometry,
): void {
  try {
    if (bias === null) {
      passes.gradInput(y, x, weight, g);
      return;
    }
    using product = Tensor.empty(y.shape, y.dtype);
    passes.gradInput(product, x, weight, g);
    compute('add_bias', [y], [product, bias], [y.size / bias.size, bias.size]);
  } catch (error) {
    y.dispose();
    throw error;
  }
}

/**
 * 2-D transposed convolution: each pixel of the input adds the kernel, times itself, to the result at its place.
 *
 * Shapes: x [n, h, w, inC], weight [inC, kH, kW, outC / groups], bias [outC] or null; result [n, outH, outW, outC] with
 * outH = (h - 1) stride - 2 padding + dilation (kH - 1) + outputPadding + 1. It is the gradient of `conv2d` with this
 * weight, stride, padding, dilation and groups with respect to its input.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  const op = 'convTranspose2d';
  checkOptions(op, options, TRANSPOSED_OPTIONS);
  checkOperands(op, 2, x, weight, '[inC, kH, kW, outC / groups]', bias);
  const { stride, dilation, groups } = checkSettings(op, 2, { ...options, padding: 0 });
  const padding = checkPair(op, 'padding', options.padding ?? 0, 0);
  const outputPadding = checkOutputPadding(op, options.outputPadding ?? 0, { stride, dilation });
  const [batch, h, w] = x.shape;
  const [inC, kernelH, kernelW] = weight.shape;
  const outC = weight.shape[3] * groups;
  checkChannels(op, x, weight, inC, 1);
  checkGroups(op, weight, 'inputs', inC, groups);
  checkBias(op, bias, weight, outC);
  const settings = { stride, padding, dilation, groups };
  const axes = transposedAxes(op, [h, w], [kernelH, kernelW], settings, outputPadding);
  // Of the convolution that this is the adjoint of: our result is its input.
  const g = geometryOf(op, { batch, inC: outC, outC: inC, groups }, axes, options.algorithm);
  const passes = passesOf(g);
  const y = Tensor.empty([batch, axes[0].in, axes[1].in, outC], x.dtype);
  forward(passes, y, x, weight, bias, g);
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  const backward: BackwardFunction = (dy, [x, weight], needs) => {
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needs[1] ? Tensor.empty(weight.shape, x.dtype) : null;
    const dBias = needs[2] ? Tensor.empty([outC], x.dtype) : null;
    if (dx !== null) passes.forward(dx, dy, weight, null, g);
    if (dWeight !== null) passes.gradWeight(dWeight, null, x, dy, g);
    if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [dy.size / outC, outC]);
    return [dx, dWeight, dBias];
  };
  return record(op, y, inputs, [x, weight], backward, 'all'); // in fractions of a pixel, which no window tells
}
