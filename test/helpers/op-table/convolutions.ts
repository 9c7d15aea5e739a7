// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: convolutions and matrix products. Their samples come from the tables of convolutions.
import { convTranspose2d } from '../../../lib/ops/conv-transpose2d.js';
import { conv1d } from '../../../lib/ops/conv1d.js';
import { type Conv2dOptions, conv2d } from '../../../lib/ops/conv2d.js';
import { linear } from '../../../lib/ops/linear.js';
import { matmul } from '../../../lib/ops/matmul.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { type ConvolutionCase, conv1dCases, conv2dCases, transposedCases } from '../convolution-cases.js';
import { of } from '../refusal-cases.js';
import { bad, constant, given, leaf, type Rows, type Sample, unknownOption } from './row.js';

type Convolution<Options> = (x: Tensor, weight: Tensor, bias: Tensor | null, options: Options) => Tensor;

/** Every third case, with and without a bias in turns. */
const samplesOf = <Options>(
  cases: readonly ConvolutionCase<Options>[],
  body: Convolution<Options>,
): Sample[] =>
  cases
    .filter((_, i) => i % 3 === 1)
    .map(({ name, x, weight, outC, options }, i) => ({
      name,
      operands: [leaf(x), leaf(weight, 1), ...(i % 2 === 0 ? [leaf([outC], 2)] : [])],
      run: (x, weight, bias) => body(x, weight, bias ?? null, options),
    }));

const image = (
  name: string,
  x: readonly number[],
  weight: readonly number[],
  options: Conv2dOptions = {},
): Sample => ({
  name,
  operands: [leaf(x), leaf(weight, 1), leaf([weight[0]], 2)],
  run: (x, weight, bias) => conv2d(x, weight, bias, options),
  isLarge: true,
});

/** One sample for each way to compute a convolution, of several tasks each. */
const ways: Sample[] = [
  image('few channels', [4, 28, 28, 1], [6, 5, 5, 1], { padding: 2 }),
  image('direct', [2, 23, 21, 24], [20, 3, 3, 24], { stride: 2, padding: 1, algorithm: 'direct' }),
  image('1x1', [2, 20, 20, 48], [33, 1, 1, 48]),
  image('depthwise', [2, 24, 20, 70], [70, 3, 3, 1], { padding: 1, groups: 70 }),
  image('groups of channels', [2, 14, 15, 36], [24, 3, 3, 12], { groups: 3, dilation: 2, padding: 2 }),
  image('im2col', [2, 12, 11, 9], [7, 3, 3, 9], { algorithm: 'im2col', padding: 1 }),
];

/** Transforms amplify roundings: F(4x4) by about 10 in single elements. */
const winograd: Sample = {
  ...image("Winograd's", [2, 18, 17, 32], [32, 3, 3, 32], { padding: 1, algorithm: 'winograd' }),
  terms: 100 * 2 * 18 * 17,
};

const nanImage = () => constant(given([NaN, 1, 1, 1, 1, 1, 1, 1, Infinity], [1, 3, 3, 1]));

export const convolutionOps: Rows = [
  {
    op: 'conv1d',
    accuracy: 'sums',
    spreads: [0, 1],
    samples: samplesOf(conv1dCases, conv1d),
    refusals: [
      unknownOption((options) => conv1d(of([1, 5, 2]), of([3, 3, 2]), null, options)),
      ['an image', () => conv1d(of([1, 5, 5, 2]), of([3, 3, 2])), 'ERR_SHAPE', { expected: /rank 3/ }],
      ['channels', () => conv1d(of([1, 5, 2]), of([3, 3, 4])), 'ERR_SHAPE', { expected: /4 channels/ }],
      ['a kernel beyond', () => conv1d(of([1, 2, 2]), of([3, 3, 2])), 'ERR_SHAPE', {}],
    ],
  },
  {
    op: 'conv2d',
    accuracy: 'sums',
    spreads: [0, 1],
    samples: [...samplesOf(conv2dCases, conv2d), ...ways, winograd],
    limits: [
      {
        name: 'NaN and ∞ reach the outputs that see them, and no others',
        operands: [nanImage(), constant(given([1, 2], [1, 1, 2, 1]))],
        run: (x, weight) => conv2d(x, weight, null, { algorithm: 'direct' }),
        expected: [NaN, 3, 3, 3, 3, Infinity],
      },
    ],
    refusals: [
      unknownOption((options) => conv2d(of([1, 5, 5, 2]), of([3, 3, 3, 2]), null, options)),
      ['a vector', () => conv2d(of([5]), of([3, 3, 3, 2])), 'ERR_SHAPE', { expected: /rank 4/ }],
      ['channels', () => conv2d(of([1, 5, 5, 2]), of([3, 3, 3, 4])), 'ERR_SHAPE', { expected: /4 channels/ }],
      [
        'channels first',
        () => conv2d(of([1, 4, 5, 5]), of([3, 3, 3, 4])),
        'ERR_SHAPE',
        { hint: /\[n, h, w, c\]/ },
      ],
      [
        'a bias',
        () => conv2d(of([1, 5, 5, 2]), of([3, 3, 3, 2]), of([2])),
        'ERR_SHAPE',
        { expected: /bias \[3\]/ },
      ],
      [
        'groups',
        () => conv2d(of([1, 5, 5, 4]), of([3, 3, 3, 2]), null, { groups: 2 }),
        'ERR_SHAPE',
        { expected: /2 groups/ },
      ],
      [
        'an algorithm',
        () => conv2d(of([1, 5, 5, 2]), of([3, 3, 3, 2]), null, { algorithm: bad('fast') }),
        'ERR_ARGUMENT',
        { received: '"fast"' },
      ],
      [
        "Winograd's at a stride",
        () => conv2d(of([1, 5, 5, 2]), of([3, 3, 3, 2]), null, { algorithm: 'winograd', stride: 2 }),
        'ERR_ARGUMENT',
        { hint: /auto/ },
      ],
    ],
  },
  {
    op: 'convTranspose2d',
    accuracy: 'sums',
    spreads: [0, 1],
    samples: [
      ...samplesOf(transposedCases, convTranspose2d),
      {
        name: 'several tasks',
        operands: [leaf([2, 15, 14, 24]), leaf([24, 3, 3, 20], 1), leaf([20], 2)],
        run: (x, weight, bias) => convTranspose2d(x, weight, bias, { stride: 2, padding: 1 }),
        isLarge: true,
      },
    ],
    refusals: [
      unknownOption((options) => convTranspose2d(of([1, 3, 3, 2]), of([2, 3, 3, 3]), null, options)),
      ['channels', () => convTranspose2d(of([1, 3, 3, 2]), of([4, 3, 3, 3])), 'ERR_SHAPE', {}],
      [
        'output padding',
        () => convTranspose2d(of([1, 3, 3, 2]), of([2, 3, 3, 3]), null, { outputPadding: 1 }),
        'ERR_ARGUMENT',
        { expected: /smaller than stride/ },
      ],
    ],
  },
  {
    op: 'linear',
    accuracy: 'sums',
    samples: [
      ...[
        [1, 1, 1],
        [2, 3, 4],
        [5, 1, 3],
        [1, 7, 2],
      ].map(
        ([rows, features, out]): Sample => ({
          name: `${rows} rows of ${features} to ${out}`,
          operands: [leaf([rows, features]), leaf([out, features], 1), leaf([out], 2)],
          run: linear,
        }),
      ),
      {
        name: 'without a bias',
        operands: [leaf([3, 5]), leaf([2, 5], 1)],
        run: (x, weight) => linear(x, weight),
      },
      {
        name: 'large',
        operands: [leaf([70, 130]), leaf([90, 130], 1), leaf([90], 2)],
        run: linear,
        isLarge: true,
      },
      {
        name: 'few rows',
        operands: [leaf([2, 400]), leaf([120, 400], 1), leaf([120], 2)],
        run: linear,
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'rows by themselves',
        operands: [
          constant(given([NaN, 1, 2, 3, Infinity, 1], [3, 2])),
          constant(given([1, 1, 0, 1], [2, 2])),
        ],
        run: (x, weight) => linear(x, weight),
        expected: [NaN, NaN, 5, 3, Infinity, NaN],
      },
    ],
    refusals: [
      ['features', () => linear(of([2, 5]), of([3, 4])), 'ERR_SHAPE', { hint: /h \* w \* c/ }],
      ['an image', () => linear(of([1, 2, 2, 4]), of([3, 4])), 'ERR_SHAPE', { expected: /rank 2/ }],
      ['a bias', () => linear(of([2, 4]), of([3, 4]), of([4])), 'ERR_SHAPE', { expected: /bias \[3\]/ }],
    ],
  },
  {
    op: 'matmul',
    accuracy: 'sums',
    samples: [
      ...[
        [1, 1, 1],
        [2, 3, 4],
        [3, 3, 3],
        [1, 7, 2],
      ].map(
        ([m, k, n]): Sample => ({
          name: `${m} x ${k} x ${n}`,
          operands: [leaf([m, k]), leaf([k, n], 1)],
          run: matmul,
        }),
      ),
      { name: 'large', operands: [leaf([75, 110]), leaf([110, 95], 1)], run: matmul, isLarge: true },
    ],
    limits: [
      {
        name: '∞ times 0',
        operands: [constant(given([Infinity, 1], [1, 2])), constant(given([0, 2, 1, 1], [2, 2]))],
        run: matmul,
        expected: [NaN, Infinity],
      },
    ],
    refusals: [
      ['sizes', () => matmul(of([2, 4]), of([3, 4])), 'ERR_SHAPE', { expected: /b \[4, n\]/ }],
      ['a vector', () => matmul(of([2, 4]), of([4])), 'ERR_SHAPE', { expected: /rank 2/ }],
    ],
  },
];
