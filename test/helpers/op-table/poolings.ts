// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: poolings of images and sequences, and resizing.
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalMaxPool2d,
  spatialPyramidPool2d,
} from '../../../lib/ops/adaptive-pool2d.js';
import { globalAvgPool2d } from '../../../lib/ops/global-avg-pool.js';
import {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  lpPool1d,
  maxPool1d,
  type Pool1dOptions,
} from '../../../lib/ops/pool1d.js';
import { avgPool2d, lpPool2d, maxPool2d, type Pool2dOptions } from '../../../lib/ops/pool2d.js';
import { type UpsampleOptions, upsample } from '../../../lib/ops/upsample.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { of, type RefusalCase } from '../refusal-cases.js';
import {
  apart,
  bad,
  constant,
  given,
  type Limit,
  leaf,
  type Operand,
  type Row,
  type Rows,
  type Sample,
  unknownOption,
} from './row.js';

const windows: Pool2dOptions[] = [
  { kernelSize: 2 },
  { kernelSize: 3, stride: 2 },
  { kernelSize: 3, stride: 1, padding: 1 },
  { kernelSize: [3, 2], stride: [1, 3], padding: [1, 0] },
  { kernelSize: 3, stride: 2, padding: 1, ceilMode: true },
  { kernelSize: 8, ceilMode: true, padding: 2 },
];
const sequences: Pool1dOptions[] = [
  { kernelSize: 2 },
  { kernelSize: 3, stride: 2, padding: 1 },
  { kernelSize: 3, stride: 2, ceilMode: true },
];

const small = () => apart([2, 5, 6, 3]);
const many = () => leaf([3, 43, 41, 9]);
const text = (options: object) => JSON.stringify(options);

/** A sample for each of the options, and one of several tasks. */
const samplesOf = <Options extends object>(
  operand: Operand,
  list: readonly Options[],
  run: (x: Tensor, options: Options) => Tensor,
  terms = 64,
): Sample[] =>
  list.map((options) => ({
    ...{ name: text(options), operands: [operand], run: (x) => run(x, options), terms },
  }));

const large = (run: Sample['run'], terms = 64): Sample => ({
  ...{ name: 'several tasks', operands: [many()], run, isLarge: true, terms },
});

const limit = (
  name: string,
  x: readonly number[],
  run: Limit['run'],
  expected: readonly number[],
): Limit => ({
  ...{ name, operands: [constant(given(x, [1, 1, x.length, 1]))], run, expected },
});

type Pool<Options> = (x: Tensor, options: Options) => Tensor;

const windowRefusals = (body: Pool<Pool2dOptions>): RefusalCase[] => [
  unknownOption((options) => body(of([1, 4, 4, 2]), { kernelSize: 2, ...(options as object) })),
  [
    'a kernel of 0',
    () => body(of([1, 4, 4, 2]), { kernelSize: 0 }),
    'ERR_ARGUMENT',
    { expected: /kernelSize/ },
  ],
  ['a kernel beyond', () => body(of([1, 4, 4, 2]), { kernelSize: 5 }), 'ERR_SHAPE', {}],
  [
    'too much padding',
    () => body(of([1, 4, 4, 2]), { kernelSize: 2, padding: 2 }),
    'ERR_ARGUMENT',
    { hint: /padding alone/ },
  ],
  ['a matrix', () => body(of([4, 4]), { kernelSize: 2 }), 'ERR_SHAPE', { expected: /\[n, h, w, c\]/ }],
];

const sequenceRefusals = (body: Pool<Pool1dOptions>): RefusalCase[] => [
  unknownOption((options) => body(of([1, 4, 2]), { kernelSize: 2, ...(options as object) })),
  [
    'a pair',
    () => body(of([1, 4, 2]), { kernelSize: bad([1, 2]) }),
    'ERR_ARGUMENT',
    { expected: /kernelSize/ },
  ],
  ['an image', () => body(of([1, 4, 4, 2]), { kernelSize: 2 }), 'ERR_SHAPE', { expected: /\[n, l, c\]/ }],
];

const four = { kernelSize: [1, 4] as const };
const two = { kernelSize: [1, 2] as const };
const nan = [NaN, 1, 2, 3];
const infinite = [-Infinity, 1, 2, Infinity];

const inside = { countIncludePad: false };

const windowed: Row[] = [
  {
    op: 'maxPool2d',
    accuracy: 'winners',
    samples: [
      ...samplesOf(small(), windows, maxPool2d),
      large((x) => maxPool2d(x, { kernelSize: 3, stride: 2 })),
    ],
    limits: [
      limit('NaN wins', nan, (x) => maxPool2d(x, two), [NaN, 3]),
      limit('∞ wins, -∞ loses', infinite, (x) => maxPool2d(x, two), [1, Infinity]),
      limit('nothing but -∞', [-Infinity, -Infinity], (x) => maxPool2d(x, two), [-Infinity]),
      limit('padding loses to -∞', [-Infinity], (x) => maxPool2d(x, { kernelSize: 3, padding: 1 }), [
        -Infinity,
      ]),
    ],
    refusals: windowRefusals(maxPool2d),
  },
  {
    op: 'avgPool2d',
    accuracy: 'sums',
    samples: [
      ...samplesOf(small(), windows, avgPool2d),
      ...samplesOf(
        small(),
        windows.slice(2).map((window) => ({ ...window, ...inside })),
        avgPool2d,
      ),
      large((x) => avgPool2d(x, { kernelSize: 3, stride: 2, padding: 1 })),
    ],
    limits: [
      limit('NaN', nan, (x) => avgPool2d(x, two), [NaN, 2.5]),
      limit('infinities', infinite, (x) => avgPool2d(x, two), [-Infinity, Infinity]),
      limit('∞ and -∞', infinite, (x) => avgPool2d(x, four), [NaN]),
    ],
    refusals: windowRefusals(avgPool2d),
  },
  {
    op: 'lpPool2d',
    accuracy: 'conditioned',
    samples: [
      ...samplesOf(small(), windows, lpPool2d),
      ...samplesOf(
        small(),
        [1, 3, 4, 7].map((normType) => ({ kernelSize: 3, stride: 2, normType })),
        lpPool2d,
      ),
      large((x) => lpPool2d(x, { kernelSize: 3, stride: 2, padding: 1 })),
    ],
    limits: [
      limit('NaN', nan, (x) => lpPool2d(x, { ...two, normType: 1 }), [NaN, 5]),
      limit('infinities', infinite, (x) => lpPool2d(x, two), [Infinity, Infinity]),
    ],
    refusals: [
      ...windowRefusals(lpPool2d),
      [
        'a norm of 0',
        () => lpPool2d(of([1, 4, 4, 2]), { kernelSize: 2, normType: 0 }),
        'ERR_ARGUMENT',
        { expected: /normType/ },
      ],
    ],
  },
  {
    op: 'maxPool1d',
    accuracy: 'winners',
    samples: samplesOf(apart([2, 8, 3]), sequences, maxPool1d),
    refusals: sequenceRefusals(maxPool1d),
  },
  {
    op: 'avgPool1d',
    accuracy: 'sums',
    samples: samplesOf(apart([2, 8, 3]), [...sequences, { ...sequences[1], ...inside }], avgPool1d),
    refusals: sequenceRefusals(avgPool1d),
  },
  {
    op: 'lpPool1d',
    accuracy: 'conditioned',
    samples: samplesOf(apart([2, 8, 3]), [...sequences, { ...sequences[1], normType: 3 }], lpPool1d),
    refusals: sequenceRefusals(lpPool1d),
  },
];

type Size = number | readonly [number | null, number | null];
const sizes: readonly Size[] = [1, 2, [4, 5], [7, 9], [null, 2]];

const sizeSamples = (body: (x: Tensor, size: Size) => Tensor): Sample[] => [
  ...sizes.map((size) => ({
    name: `to ${text(size as object)}`,
    operands: [small()],
    run: (x: Tensor) => body(x, size),
    terms: 64,
  })),
  large((x) => body(x, [20, 17])),
];

const sizeRefusals = (body: (x: Tensor, size: Size) => Tensor): RefusalCase[] => [
  ['a size of 0', () => body(of([1, 4, 4, 2]), 0), 'ERR_ARGUMENT', { expected: /outputSize/ }],
  ['a matrix', () => body(of([4, 4]), 1), 'ERR_SHAPE', { expected: /\[n, h, w, c\]/ }],
];

const sequenceSize = (body: (x: Tensor, size: number) => Tensor): Pick<Row, 'samples' | 'refusals'> => ({
  samples: [1, 3, 9].map((size) => ({
    ...{ name: `to ${size}`, operands: [apart([2, 7, 3])], run: (x: Tensor) => body(x, size), terms: 64 },
  })),
  refusals: [
    ['a size of 0', () => body(of([1, 4, 2]), 0), 'ERR_ARGUMENT', { expected: /outputSize/ }],
    ['an image', () => body(of([1, 4, 4, 2]), 1), 'ERR_SHAPE', { expected: /\[n, l, c\]/ }],
  ],
});

const global = (body: (x: Tensor) => Tensor): Pick<Row, 'samples' | 'refusals'> => ({
  samples: [
    { name: 'of an image', operands: [small()], run: body, terms: 64 },
    { name: 'of one pixel', operands: [apart([2, 1, 1, 17])], run: body },
    large(body, 43 * 41),
  ],
  refusals: [['a matrix', () => body(of([4, 4])), 'ERR_SHAPE', { expected: /\[n, h, w, c\]/ }]],
});

const adaptive: Row[] = [
  {
    op: 'adaptiveMaxPool2d',
    accuracy: 'winners',
    samples: sizeSamples(adaptiveMaxPool2d),
    limits: [limit('NaN wins', nan, (x) => adaptiveMaxPool2d(x, [1, 2]), [NaN, 3])],
    refusals: sizeRefusals(adaptiveMaxPool2d),
  },
  {
    op: 'adaptiveAvgPool2d',
    accuracy: 'sums',
    samples: sizeSamples(adaptiveAvgPool2d),
    limits: [limit('NaN', nan, (x) => adaptiveAvgPool2d(x, [1, 2]), [NaN, 2.5])],
    refusals: sizeRefusals(adaptiveAvgPool2d),
  },
  { op: 'adaptiveMaxPool1d', accuracy: 'winners', ...sequenceSize(adaptiveMaxPool1d) },
  { op: 'adaptiveAvgPool1d', accuracy: 'sums', ...sequenceSize(adaptiveAvgPool1d) },
  {
    op: 'globalMaxPool2d',
    accuracy: 'winners',
    ...global(globalMaxPool2d),
    limits: [limit('NaN wins', nan, globalMaxPool2d, [NaN])],
  },
  {
    op: 'globalAvgPool2d',
    accuracy: 'sums',
    ...global(globalAvgPool2d),
    limits: [limit('∞ and -∞', infinite, globalAvgPool2d, [NaN])],
  },
  {
    op: 'spatialPyramidPool2d',
    accuracy: 'sums',
    samples: (['max', 'avg'] as const).flatMap((mode) =>
      samplesOf(small(), [[1, 2, 4], [5]], (x, levels) => spatialPyramidPool2d(x, levels, { mode })).map(
        (sample) => ({
          ...sample,
          name: `${mode} ${sample.name}`,
          accuracy: mode === 'max' ? 'winners' : 'sums',
        }),
      ),
    ),
    refusals: [
      unknownOption((options) => spatialPyramidPool2d(of([1, 4, 4, 2]), [1], options)),
      ['no level', () => spatialPyramidPool2d(of([1, 4, 4, 2]), []), 'ERR_ARGUMENT', { expected: /levels/ }],
      [
        'a mode',
        () => spatialPyramidPool2d(of([1, 4, 4, 2]), [1], { mode: bad('min') }),
        'ERR_ARGUMENT',
        { received: '"min"' },
      ],
    ],
  },
];

const resizes: UpsampleOptions[] = [
  { scaleFactor: 2 },
  { scaleFactor: [1.5, 0.6] },
  { size: [3, 9] },
  { size: 1 },
];

const resizing: Row = {
  op: 'upsample',
  // Places between pixels are rounded to float32.
  accuracy: 'conditioned',
  samples: [
    ...samplesOf(small(), resizes, upsample).map((sample) => ({ ...sample, accuracy: 'sums' as const })),
    ...[false, true].flatMap((alignCorners) =>
      samplesOf(
        small(),
        resizes.map((options) => ({ ...options, mode: 'bilinear' as const, alignCorners })),
        upsample,
      ),
    ),
    large((x) => upsample(x, { scaleFactor: 2 })),
    large((x) => upsample(x, { size: [60, 31], mode: 'bilinear' })),
  ],
  limits: [limit('NaN', nan, (x) => upsample(x, { scaleFactor: [1, 2] }), [NaN, NaN, 1, 1, 2, 2, 3, 3])],
  refusals: [
    unknownOption((options) => upsample(of([1, 4, 4, 2]), options)),
    ['no size', () => upsample(of([1, 4, 4, 2]), {}), 'ERR_ARGUMENT', { received: 'neither' }],
    [
      'a factor of 0',
      () => upsample(of([1, 4, 4, 2]), { scaleFactor: 0 }),
      'ERR_ARGUMENT',
      { received: '0' },
    ],
    [
      'corners of the nearest',
      () => upsample(of([1, 4, 4, 2]), { size: 3, alignCorners: true }),
      'ERR_ARGUMENT',
      { expected: /bilinear/ },
    ],
    [
      'nothing left',
      () => upsample(of([1, 4, 4, 2]), { scaleFactor: 0.1 }),
      'ERR_SHAPE',
      { received: /0x0/ },
    ],
  ],
};

export const poolingOps: Rows = [...windowed, ...adaptive, resizing];
