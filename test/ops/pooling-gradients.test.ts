// SPDX-License-Identifier: Apache-2.0
// Gradients of poolings with all their options, of resizing and of dropout in groups, against finite differences in double
// precision: a row a case.
import { describe, expect, test } from 'vitest';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalMaxPool2d,
  type OutputSize,
  spatialPyramidPool2d,
} from '../../lib/ops/adaptive-pool2d.js';
import { dropout2d, stochasticDepth } from '../../lib/ops/dropout-groups.js';
import {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  lpPool1d,
  maxPool1d,
  type Pool1dOptions,
} from '../../lib/ops/pool1d.js';
import { avgPool2d, lpPool2d, maxPool2d, type Pool2dOptions } from '../../lib/ops/pool2d.js';
import { type UpsampleOptions, upsample } from '../../lib/ops/upsample.js';
import { Generator } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { gradcheck } from '../helpers/gradients.js';
import { distinct } from '../helpers/operands.js';
import { expectFlatMemory } from '../helpers/refusal.js';

type Row = [name: string, body: (x: Tensor) => Tensor, shape: readonly number[]];

const shapes = [
  [1, 5, 6, 1],
  [2, 4, 7, 3],
];
const over = (name: string, body: (x: Tensor) => Tensor, at = shapes): Row[] =>
  at.map((shape) => [`${name} over [${shape}]`, body, shape]);

const ceilWindows: Pool2dOptions[] = [
  { kernelSize: 2, ceilMode: true },
  { kernelSize: 3, stride: 2, ceilMode: true },
  { kernelSize: 3, stride: 2, padding: 1, ceilMode: true },
  { kernelSize: [3, 2], stride: [2, 3], padding: [1, 0], ceilMode: true },
  { kernelSize: 4, stride: 3, padding: 2, ceilMode: true },
  { kernelSize: 8, ceilMode: true },
];
const windows: Pool2dOptions[] = [
  { kernelSize: 2 },
  { kernelSize: 3, stride: 1, padding: 1 },
  { kernelSize: [2, 3], stride: [3, 1] },
];
const sizes: OutputSize[] = [1, 2, 3, [4, 5], [7, 9], [null, 2], [3, null]];
const sequences: Pool1dOptions[] = [
  { kernelSize: 2 },
  { kernelSize: 3, stride: 2, padding: 1 },
  { kernelSize: 3, stride: 2, ceilMode: true },
];
const resizes: UpsampleOptions[] = [
  { scaleFactor: 2 },
  { scaleFactor: [1.5, 0.6] },
  { size: [3, 9] },
  { size: [1, 1] },
  { size: [8, 2] },
];

const rows: Row[] = [
  ...ceilWindows.flatMap((options) => {
    const text = JSON.stringify(options);
    return [
      ...over(`maxPool2d ${text}`, (x) => maxPool2d(x, options)),
      ...over(`avgPool2d ${text}`, (x) => avgPool2d(x, options)),
      ...over(`avgPool2d inside ${text}`, (x) => avgPool2d(x, { ...options, countIncludePad: false })),
      ...over(`lpPool2d ${text}`, (x) => lpPool2d(x, options)),
    ];
  }),
  ...windows.flatMap((options) =>
    [1, 3, 4, 7].flatMap((normType) =>
      over(`lpPool2d ${normType} ${JSON.stringify(options)}`, (x) => lpPool2d(x, { ...options, normType })),
    ),
  ),
  ...sizes.flatMap((size) => [
    ...over(`adaptiveMaxPool2d ${JSON.stringify(size)}`, (x) => adaptiveMaxPool2d(x, size)),
    ...over(`adaptiveAvgPool2d ${JSON.stringify(size)}`, (x) => adaptiveAvgPool2d(x, size)),
  ]),
  ...over('globalMaxPool2d', globalMaxPool2d),
  ...(['max', 'avg'] as const).flatMap((mode) => [
    ...over(`spatialPyramidPool2d 1, 2, 4 ${mode}`, (x) => spatialPyramidPool2d(x, [1, 2, 4], { mode })),
    ...over(`spatialPyramidPool2d 5 ${mode}`, (x) => spatialPyramidPool2d(x, [5], { mode })),
  ]),
  ...sequences.flatMap((options) => {
    const text = JSON.stringify(options);
    const at = [
      [1, 7, 1],
      [2, 8, 3],
    ];
    return [
      ...over(`maxPool1d ${text}`, (x) => maxPool1d(x, options), at),
      ...over(`avgPool1d ${text}`, (x) => avgPool1d(x, options), at),
      ...over(`avgPool1d inside ${text}`, (x) => avgPool1d(x, { ...options, countIncludePad: false }), at),
      ...over(`lpPool1d ${text}`, (x) => lpPool1d(x, { ...options, normType: 3 }), at),
    ];
  }),
  ...over('adaptiveMaxPool1d 3', (x) => adaptiveMaxPool1d(x, 3), [[2, 7, 3]]),
  ...over('adaptiveAvgPool1d 3', (x) => adaptiveAvgPool1d(x, 3), [[2, 7, 3]]),
  ...resizes.flatMap((options) => [
    ...over(`nearest ${JSON.stringify(options)}`, (x) => upsample(x, options)),
    ...[false, true].flatMap((alignCorners) =>
      over(`bilinear ${JSON.stringify(options)}, corners ${alignCorners}`, (x) =>
        upsample(x, { ...options, mode: 'bilinear', alignCorners }),
      ),
    ),
  ]),
  ...over('dropout2d', (x) => dropout2d(x, 0.4, new Generator(5))),
  ...over('stochasticDepth, row', (x) => stochasticDepth(x, 0.4, 'row', new Generator(6)), [
    [5, 2, 2],
    [9, 1],
  ]),
  ...over('stochasticDepth, batch', (x) => stochasticDepth(x, 0.4, 'batch', new Generator(8)), [[5, 3]]),
];

describe('gradients', () => {
  test('of at least 150 cases', () => expect(rows.length).toBeGreaterThanOrEqual(150));

  test.each(rows)('%s', (_name, body, shape) => {
    expectFlatMemory(() => tensorScope(() => void gradcheck(body, [distinct(shape)])));
  });

  test('of what is made outside of a scope leave nothing behind', () => {
    const x = distinct([2, 4, 5, 3]);
    const bodies = [(x: Tensor) => spatialPyramidPool2d(x, [1, 2]), globalMaxPool2d, adaptive];
    expectFlatMemory(() => {
      for (const body of bodies) {
        const y = body(x);
        y.backward(new Float64Array(y.size).fill(1));
        y.dispose();
        x.grad?.dispose();
        x.grad = null;
      }
    });
    x.dispose();
  });
});

const adaptive = (x: Tensor) => adaptiveAvgPool2d(x, 3);
