// SPDX-License-Identifier: Apache-2.0
// 2-D convolution: check, run, record. Its three passes are three instructions.
import type { BackwardFunction } from '../autograd/node.js';
import { checkOptions, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { type Pair, type Window, windowOver } from '../tensor/conv-geometry.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { algorithmNumber, type Conv2dAlgorithm, checkAlgorithm } from './conv2d-algorithm.js';
import { im2colForward, im2colGradInput, im2colGradWeight } from './conv2d-im2col.js';
import { poolWindowOf } from './pool-window.js';
import { record } from './record.js';

/** How to convolve. */
export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /** Zeros around the image. Default 0. */
  readonly padding?: Pair;
  /** How to compute it, which may change rounding. Default 'auto'. */
  readonly algorithm?: Conv2dAlgorithm;
}

/** What all three passes are told: sizes and algorithm in the order of native/plan/conv2d.cc. */
export interface Conv2dGeometry {
  readonly numbers: readonly number[];
  readonly pixels: number;
  readonly patch: number;
  readonly outShape: readonly number[];
  readonly window: Window;
}

const NO_RELU = 0; // a captured step may fuse one
const NHWC = 0; // a captured step may keep images interleaved
const OPTIONS = ['stride', 'padding', 'algorithm'];

function geometryOf(x: Tensor, weight: Tensor, bias: Tensor | null, options: Conv2dOptions): Conv2dGeometry {
  checkOptions('conv2d', options, OPTIONS);
  checkFloat('conv2d', 'input', x);
  checkRank('conv2d', 'input', x, '[n, h, w, c]');
  checkFloat('conv2d', 'weight', weight, x);
  checkRank('conv2d', 'weight', weight, '[outC, kH, kW, inC]');
  const [n, inH, inW, inC] = x.shape;
  const [outC, kernelH, kernelW, weightC] = weight.shape;
  if (inC !== weightC) {
    throw fail('ERR_SHAPE', {
      op: 'conv2d',
      expected: `input with ${weightC} channels to match weight [${weight.shape.join(', ')}]`,
      received: `[${x.shape.join(', ')}]`,
      hint: inH === weightC ? 'images are [n, h, w, c], channels last' : undefined,
    });
  }
  if (bias !== null) {
    checkFloat('conv2d', 'bias', bias, x);
    if (bias.size !== outC || bias.shape.length !== 1) {
      throw fail('ERR_SHAPE', {
        op: 'conv2d',
        expected: `bias [${outC}] to match weight [${weight.shape.join(', ')}]`,
        received: `[${bias.shape.join(', ')}]`,
      });
    }
  }
  const window = windowOver('conv2d', inH, inW, { ...options, kernelSize: [kernelH, kernelW] });
  const { outH, outW, strideH, strideW, padTop, padLeft } = window;
  const algorithm = checkAlgorithm('conv2d', options.algorithm, [kernelH, kernelW], [strideH, strideW]);
  const sizes = [n, inH, inW, inC, outH, outW, outC, kernelH, kernelW, strideH, strideW, padTop, padLeft];
  return {
    numbers: [...sizes, NO_RELU, algorithmNumber(algorithm)],
    pixels: n * outH * outW,
    patch: kernelH * kernelW * inC,
    outShape: [n, outH, outW, outC],
    window,
  };
}

/** What the gradients are told: the same, and the windows of the max pool that dy came through. */
function gradientNumbers(g: Conv2dGeometry, dy: Tensor): readonly number[] {
  const window = poolWindowOf(dy);
  return window === undefined ? g.numbers : [...g.numbers, NHWC, ...window];
}

const direct = {
  forward(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, g: Conv2dGeometry): void {
    compute('conv2d_forward', [y], [x, weight, bias], g.numbers);
  },
  gradInput(dx: Tensor, dy: Tensor, weight: Tensor, g: Conv2dGeometry): void {
    emit('conv2d_grad_input', [dx.handle, dy.handle, weight.handle], gradientNumbers(g, dy));
  },
  gradWeight(dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, g: Conv2dGeometry): void {
    const handles = [dWeight.handle, dBias?.handle ?? -1, dy.handle, x.handle];
    emit('conv2d_grad_weight', handles, gradientNumbers(g, dy));
  },
};

const im2col = { forward: im2colForward, gradInput: im2colGradInput, gradWeight: im2colGradWeight };

/**
 * 2-D convolution (cross-correlation) with zero padding.
 *
 * Shapes: x [n, h, w, inC], weight [outC, kH, kW, inC], bias [outC] or null; result [n, outH, outW, outC] with
 * outH = floor((h + 2 padding - kH) / stride) + 1.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions = {},
): Tensor {
  const g = geometryOf(x, weight, bias, options);
  const passes = options.algorithm === 'im2col' ? im2col : direct;
  const y = Tensor.empty(g.outShape, x.dtype);
  passes.forward(y, x, weight, bias, g);
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  const backward: BackwardFunction = (dy, [x, weight], needs) => {
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needs[1] ? Tensor.empty(weight.shape, x.dtype) : null;
    const dBias = needs[2] ? Tensor.empty([weight.shape[0]], x.dtype) : null;
    if (dx !== null) passes.gradInput(dx, dy, weight, g);
    if (dWeight !== null) passes.gradWeight(dWeight, dBias, dy, x, g);
    else if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [g.pixels, dBias.size]);
    return [dx, dWeight, dBias];
  };
  return record('conv2d', y, inputs, [x, weight], backward, g.window);
}
