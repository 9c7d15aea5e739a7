// SPDX-License-Identifier: Apache-2.0
// Fixed convolution cases: every mix of these kernels, strides and paddings that fits, on small odd images.
import type { Pair } from '../../lib/tensor/conv-geometry.js';

export interface ConvCase {
  readonly name: string;
  readonly x: readonly [number, number, number, number];
  readonly weight: readonly [number, number, number, number];
  readonly hasBias: boolean;
  readonly stride: Pair;
  readonly padding: Pair;
}

const kernels = [
  [1, 1],
  [2, 2],
  [3, 3],
  [1, 3],
  [4, 2],
] as const;
const strides: readonly Pair[] = [1, 2, [2, 1], [1, 3], 4];
const paddings: readonly Pair[] = [0, 1, [2, 0], [1, 2], 3];

const pairOf = (value: Pair): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

/** Cases whose batch, channels and image sizes take turns, so that each option meets several of them. */
export const convCases: readonly ConvCase[] = kernels.flatMap(([kh, kw], k) =>
  strides.flatMap((stride, s) =>
    paddings.flatMap((padding, p) => {
      const turn = k * 7 + s * 3 + p;
      const x = [1 + (turn % 2), 3 + (turn % 3), 3 + (turn % 4), 1 + (turn % 3)] as const;
      const weight = [1 + (turn % 4), kh, kw, x[3]] as const;
      const [padH, padW] = pairOf(padding);
      if (kh > x[1] + 2 * padH || kw > x[2] + 2 * padW) return [];
      const name = `[${x}] * [${weight}], stride ${stride}, padding ${padding}`;
      return [{ name, x, weight, hasBias: turn % 2 === 0, stride, padding }];
    }),
  ),
);
