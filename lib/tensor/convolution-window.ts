// SPDX-License-Identifier: Apache-2.0
// What a convolution reads, axis by axis: stride, padding and dilation. Pure functions; one axis for sequences, two for
// images.
import { checkWhole, describe, fail } from '../errors.js';
import { checkPair, type Pair } from './conv-geometry.js';

/** A number for all axes, one for each, or by rule: 'same' keeps the size (stride 1 only), 'valid' pads nothing. */
export type ConvolutionPadding = Pair | 'same' | 'valid';

/** Options of a convolution, as a caller gives them. */
export interface WindowSettings {
  readonly stride?: Pair | undefined;
  readonly padding?: ConvolutionPadding | undefined;
  readonly dilation?: Pair | undefined;
  readonly groups?: number | undefined;
}

/** The same, checked: a number for each axis. */
export interface CheckedSettings {
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** One axis in numbers: what instructions are given. */
export interface ConvolutionAxis {
  readonly in: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
}

/** An axis that is not there: sequences are images of height 1. */
export const FLAT_AXIS: ConvolutionAxis = { in: 1, out: 1, kernel: 1, stride: 1, pad: 0, dilation: 1 };

/** What an image, or a sequence, is called and how it lies in memory, by its axes. */
export const LAYOUTS = {
  1: { name: 'sequence', input: '[n, l, c]', hint: 'sequences are [n, l, c], channels last' },
  2: { name: 'image', input: '[n, h, w, c]', hint: 'images are [n, h, w, c], channels last' },
} as const;

/** A whole number of at least `low` for each axis. Throws ERR_ARGUMENT. */
export function checkAxes(
  op: string,
  name: string,
  value: Pair,
  low: number,
  axes: 1 | 2,
): readonly number[] {
  return axes === 1 ? [checkWhole(op, name, value as number, low)] : checkPair(op, name, value, low);
}

/** The settings of a convolution whose kernel has so many axes. Throws ERR_ARGUMENT for what is none. */
export function checkSettings(op: string, axes: 1 | 2, settings: WindowSettings): CheckedSettings {
  const stride = checkAxes(op, 'stride', settings.stride ?? 1, 1, axes);
  const dilation = checkAxes(op, 'dilation', settings.dilation ?? 1, 1, axes);
  const groups = checkWhole(op, 'groups', settings.groups ?? 1);
  const { padding = 0 } = settings;
  if (padding === 'same' && stride.some((step) => step !== 1)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "stride 1 for padding 'same'",
      received: `stride ${stride.join('x')}`,
      hint: 'give the padding in numbers',
    });
  }
  if (padding === 'same' || padding === 'valid') return { stride, dilation, groups, padding };
  if (typeof padding === 'string') {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "padding to be a whole number of at least 0, 'same' or 'valid'",
      received: describe(padding),
    });
  }
  return { stride, dilation, groups, padding: checkAxes(op, 'padding', padding, 0, axes) };
}

/**
 * The axes of a convolution over an input of this size. Sizes of the output are floor((in + 2 padding - dilation
 * (kernel - 1) - 1) / stride) + 1. 'same' pads dilation (kernel - 1) zeros in all, the odd one behind, as PyTorch does.
 * Throws ERR_SHAPE where the kernel is larger than the padded input.
 */
export function convolutionAxes(
  op: string,
  size: readonly number[],
  kernel: readonly number[],
  { stride, padding, dilation }: CheckedSettings,
): ConvolutionAxis[] {
  const spans = kernel.map((taps, axis) => (taps - 1) * dilation[axis] + 1);
  const pads = spans.map((span, axis) => {
    if (padding === 'same') return Math.floor((span - 1) / 2);
    return padding === 'valid' ? 0 : padding[axis];
  });
  const padded = size.map((length, axis) => length + (padding === 'same' ? spans[axis] - 1 : 2 * pads[axis]));
  if (spans.some((span, axis) => span > padded[axis])) {
    const isDilated = dilation.some((step) => step !== 1);
    const { name, input } = LAYOUTS[kernel.length as 1 | 2];
    throw fail('ERR_SHAPE', {
      op,
      expected: `a kernel no larger than the padded input, ${padded.join('x')}`,
      received: `kernelSize ${kernel.join('x')}${isDilated ? `, dilation ${dilation.join('x')}: ${spans.join('x')}` : ''}`,
      hint: `is the ${name} as large as the model expects, and ${input}?`,
    });
  }
  return kernel.map((taps, axis) => ({
    in: size[axis],
    out: Math.floor((padded[axis] - spans[axis]) / stride[axis]) + 1,
    kernel: taps,
    stride: stride[axis],
    pad: pads[axis],
    dilation: dilation[axis],
  }));
}

/**
 * The axes of the convolution that a transposed one over an input of this size is the adjoint of: `in` is the size of
 * its result, `out` that of its input. The result has (in - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding
 * + 1 pixels. Throws ERR_SHAPE where that is none.
 */
export function transposedAxes(
  op: string,
  size: readonly number[],
  kernel: readonly number[],
  settings: CheckedSettings,
  outputPadding: readonly number[],
): ConvolutionAxis[] {
  const axes = kernel.map((taps, axis) => {
    const [stride, dilation] = [settings.stride[axis], settings.dilation[axis]];
    const pad = (settings.padding as readonly number[])[axis];
    const result = (size[axis] - 1) * stride - 2 * pad + dilation * (taps - 1) + outputPadding[axis] + 1;
    return { in: result, out: size[axis], kernel: taps, stride, pad, dilation };
  });
  if (axes.every(({ in: result }) => result >= 1)) return axes;
  throw fail('ERR_SHAPE', {
    op,
    expected: 'a padding that leaves one pixel of the result or more',
    received: `padding ${axes.map(({ pad }) => pad).join('x')}, a result of ${axes.map((axis) => axis.in).join('x')}`,
  });
}
