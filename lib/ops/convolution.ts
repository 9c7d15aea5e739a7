// SPDX-License-Identifier: Apache-2.0
// What convolutions of one and two axes, and transposed ones, have in common: the checks of their operands, and the
// numbers of their instructions. A sequence is an image of height 1.
import type { Reach } from '../autograd/node.js';
import { fail } from '../errors.js';
import {
  type ConvolutionAxis,
  FLAT_AXIS,
  LAYOUTS,
  type WindowSettings,
} from '../tensor/convolution-window.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { algorithmNumber, type Conv2dAlgorithm, checkAlgorithm } from './conv2d-algorithm.js';

/** How to convolve. */
export interface ConvolutionOptions extends WindowSettings {
  /** How to compute it, which may change rounding. Default 'auto'. */
  readonly algorithm?: Conv2dAlgorithm | undefined;
}

export const CONVOLUTION_OPTIONS = ['stride', 'padding', 'dilation', 'groups', 'algorithm'];

/** What all three passes are told. */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly inC: number;
  readonly outC: number;
  readonly groups: number;
  /** Height and width. */
  readonly axes: readonly [ConvolutionAxis, ConvolutionAxis];
  readonly algorithm: Conv2dAlgorithm;
}

/** The geometry of these axes, one or two. */
export function geometryOf(
  op: string,
  channels: Pick<ConvolutionGeometry, 'batch' | 'inC' | 'outC' | 'groups'>,
  axes: readonly ConvolutionAxis[],
  algorithm: Conv2dAlgorithm | undefined,
): ConvolutionGeometry {
  const both = [FLAT_AXIS, ...axes].slice(-2) as [ConvolutionAxis, ConvolutionAxis];
  return { ...channels, axes: both, algorithm: checkAlgorithm(op, algorithm, both, channels.groups) };
}

const NO_RELU = 0; // a captured step may fuse one
const NHWC = 0; // a captured step may keep images interleaved
const NO_POOL = [0, 0, 0, 0];

/** The numbers of an instruction, in the order of native/plan/conv2d.cc. */
export function numbersOf(g: ConvolutionGeometry, pool: readonly number[] = NO_POOL): number[] {
  const [h, w] = g.axes;
  const sizes = [g.batch, h.in, w.in, g.inC, h.out, w.out, g.outC, h.kernel, w.kernel];
  const window = [h.stride, w.stride, h.pad, w.pad, NO_RELU, algorithmNumber(g.algorithm), NHWC];
  return [...sizes, ...window, ...pool, 0, h.dilation, w.dilation, g.groups];
}

/** The pixels of an input that an output sees. */
export function reachOf({ axes: [h, w] }: ConvolutionGeometry): Reach {
  const span = ({ kernel, dilation }: ConvolutionAxis) => (kernel - 1) * dilation + 1;
  return {
    ...{ kernelH: span(h), kernelW: span(w) },
    ...{ strideH: h.stride, strideW: w.stride, padTop: h.pad, padLeft: w.pad },
  };
}

/** Pixels of the result. */
export function outputPixels({ batch, axes: [h, w] }: ConvolutionGeometry): number {
  return batch * h.out * w.out;
}

/** Refuses operands of other types and ranks. `weightLayout` names the weight's dimensions. */
export function checkOperands(
  op: string,
  axes: 1 | 2,
  x: Tensor,
  weight: Tensor,
  weightLayout: string,
  bias: Tensor | null,
): void {
  checkFloat(op, 'input', x);
  checkRank(op, 'input', x, LAYOUTS[axes].input);
  checkFloat(op, 'weight', weight, x);
  checkRank(op, 'weight', weight, weightLayout);
  if (bias !== null) checkFloat(op, 'bias', bias, x);
}

/** Refuses an input whose channels are not those of the weight. */
export function checkChannels(op: string, x: Tensor, weight: Tensor, inC: number, groups: number): void {
  if (x.shape[x.shape.length - 1] === inC) return;
  const inGroups = groups === 1 ? '' : ` in ${groups} groups`;
  throw fail('ERR_SHAPE', {
    op,
    expected: `input with ${inC} channels to match weight [${weight.shape.join(', ')}]${inGroups}`,
    received: `[${x.shape.join(', ')}]`,
    hint: x.shape[1] === inC ? LAYOUTS[(x.shape.length - 2) as 1 | 2].hint : undefined,
  });
}

/** Refuses a weight whose `noun` groups do not divide. */
export function checkGroups(op: string, weight: Tensor, noun: string, count: number, groups: number): void {
  if (count % groups === 0) return;
  throw fail('ERR_SHAPE', {
    op,
    expected: `a weight whose ${noun} ${groups} groups divide`,
    received: `${count} ${noun} of weight [${weight.shape.join(', ')}]`,
  });
}

/** Refuses a bias of another size. */
export function checkBias(op: string, bias: Tensor | null, weight: Tensor, outC: number): void {
  if (bias === null || (bias.shape.length === 1 && bias.size === outC)) return;
  throw fail('ERR_SHAPE', {
    op,
    expected: `bias [${outC}] to match weight [${weight.shape.join(', ')}]`,
    received: `[${bias.shape.join(', ')}]`,
  });
}
