// SPDX-License-Identifier: Apache-2.0
// Fixed cases of the convolution family with dilation, groups and padding by rule: tables of options, whose sizes take turns.

import type { ConvTranspose2dOptions } from '../../lib/ops/conv-transpose2d.js';
import type { Conv1dOptions } from '../../lib/ops/conv1d.js';
import type { Conv2dOptions } from '../../lib/ops/conv2d.js';

export interface ConvolutionCase<Options> {
  readonly name: string;
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly outC: number;
  readonly options: Options;
}

type Channels = readonly [groups: number, groupIn: number, groupOut: number];

/** One group; depthwise; with a multiplier; several channels a group; whole vectors of channels a group. */
const channels: readonly Channels[] = [
  [1, 2, 3],
  [4, 1, 1],
  [17, 1, 1],
  [2, 1, 3],
  [2, 3, 2],
  [3, 2, 1],
];

const windows: readonly (Conv2dOptions & { readonly kernel: readonly [number, number] })[] = [
  { kernel: [1, 1] },
  { kernel: [1, 1], stride: 2, padding: 1 },
  { kernel: [3, 3], padding: 1 },
  { kernel: [3, 3], stride: 2, padding: 1 },
  { kernel: [3, 3], dilation: 2, padding: 2 },
  { kernel: [3, 3], dilation: [1, 3], padding: [0, 3], stride: [2, 1] },
  { kernel: [3, 3], dilation: [3, 2], stride: [3, 2], padding: [3, 1] },
  { kernel: [3, 3], dilation: [2, 4], stride: [4, 2], padding: [2, 4] },
  { kernel: [2, 3], padding: 'same' },
  { kernel: [4, 2], padding: 'same', dilation: [1, 2] },
  { kernel: [2, 2], padding: 'valid', stride: [1, 2] },
  { kernel: [5, 4], padding: [2, 4] },
  { kernel: [1, 4], dilation: [5, 1], stride: [1, 3], padding: [0, 2] },
];

/** The kernel over an image of at least one output. */
const lengthFor = (kernel: number, dilation: number, turn: number) =>
  Math.max(3 + (turn % 3), (kernel - 1) * dilation + 1);

const pair = (value: number | readonly [number, number] = 1): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

const nameOf = (x: readonly number[], weight: readonly number[], options: object) =>
  `[${x}] * [${weight}] ${JSON.stringify(options)}`;

export const conv2dCases: readonly ConvolutionCase<Conv2dOptions>[] = windows.flatMap(
  ({ kernel, ...window }, w) =>
    channels.map(([groups, groupIn, groupOut], c) => {
      const turn = w * 5 + c;
      const [dH, dW] = pair(window.dilation);
      const size = [lengthFor(kernel[0], dH, turn), lengthFor(kernel[1], dW, turn + 1)];
      const x = [1 + (turn % 2), ...size, groups * groupIn];
      const weight = [groups * groupOut, ...kernel, groupIn];
      const options = { ...window, groups };
      return { name: nameOf(x, weight, options), x, weight, outC: groups * groupOut, options };
    }),
);

const sequences: readonly (Conv1dOptions & { readonly kernel: number })[] = [
  { kernel: 1 },
  { kernel: 3, padding: 1 },
  { kernel: 3, stride: 2, padding: 2 },
  { kernel: 4, dilation: 2, padding: 'same' },
  { kernel: 5, dilation: 3, stride: 2, padding: 6 },
  { kernel: 2, padding: 'valid', stride: 3 },
];

export const conv1dCases: readonly ConvolutionCase<Conv1dOptions>[] = sequences.flatMap(
  ({ kernel, ...window }, w) =>
    channels.map(([groups, groupIn, groupOut], c) => {
      const x = [1 + ((w + c) % 2), lengthFor(kernel, window.dilation ?? 1, w + c) + 2, groups * groupIn];
      const weight = [groups * groupOut, kernel, groupIn];
      const options = { ...window, groups };
      return { name: nameOf(x, weight, options), x, weight, outC: groups * groupOut, options };
    }),
);

const transposed: readonly (ConvTranspose2dOptions & { readonly kernel: readonly [number, number] })[] = [
  { kernel: [1, 1], stride: 2 },
  { kernel: [3, 3] },
  { kernel: [3, 3], stride: 2, padding: 1, outputPadding: 1 },
  { kernel: [2, 4], stride: [2, 3], padding: [0, 1], outputPadding: [1, 2] },
  { kernel: [3, 2], dilation: [2, 3], padding: [2, 1], outputPadding: [1, 2] },
  { kernel: [3, 3], dilation: 2, stride: [3, 1], padding: 2, outputPadding: [2, 1] },
  { kernel: [4, 4], stride: 2, padding: 1 },
];

export const transposedCases: readonly ConvolutionCase<ConvTranspose2dOptions>[] = transposed.flatMap(
  ({ kernel, ...window }, w) =>
    channels.map(([groups, groupIn, groupOut], c) => {
      const x = [1 + ((w + c) % 2), 2 + (c % 2), 3 - (w % 2), groups * groupIn];
      const weight = [groups * groupIn, ...kernel, groupOut];
      const options = { ...window, groups };
      return { name: nameOf(x, weight, options), x, weight, outC: groups * groupOut, options };
    }),
);
