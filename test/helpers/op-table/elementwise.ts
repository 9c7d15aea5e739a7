// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: arithmetic, conversion, reductions, shapes, and what drops elements at random.
import { add, cast, multiply, scale } from '../../../lib/ops/arithmetic.js';
import { concat, padChannels } from '../../../lib/ops/concat.js';
import { dropout } from '../../../lib/ops/dropout.js';
import { dropout2d, stochasticDepth } from '../../../lib/ops/dropout-groups.js';
import { mean, sum } from '../../../lib/ops/reduce.js';
import { flatten, reshape } from '../../../lib/ops/reshape.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { of, type RefusalCase } from '../refusal-cases.js';
import { bad, bytes, constant, given, leaf, type Row, type Rows, type Sample, whole } from './row.js';

const shapes = [[], [7], [2, 1, 3, 2], [3, 17]];
const large = [2, 131, 67, 3];
const three = () => constant(given([NaN, Infinity, -Infinity]));

/** A pair of operands of each shape, and a large one. */
const pairs = (run: Sample['run']): Sample[] => [
  ...shapes.map((shape) => ({ name: `of [${shape}]`, operands: [leaf(shape), leaf(shape, 1)], run })),
  { name: 'several tasks', operands: [leaf(large), leaf(large, 1)], run, isLarge: true },
];

const each = (run: Sample['run'], name = ''): Sample[] =>
  shapes.map((shape) => ({ name: `${name}of [${shape}]`, operands: [leaf(shape)], run }));

const many = (run: Sample['run']): Sample => ({
  ...{ name: 'several tasks', operands: [leaf(large)], run, isLarge: true },
});

const otherShapes = (body: (a: Tensor, b: Tensor) => Tensor): RefusalCase => [
  'two shapes',
  () => body(of([2, 3]), of([3])),
  'ERR_SHAPE',
  { op: body.name, received: '[2, 3] and [3]' },
];

const probabilities = (body: (p: number) => Tensor): RefusalCase[] =>
  [1, -0.1, NaN, '0.5'].map((p) => [
    `p of ${p}`,
    () => body(bad(p)),
    'ERR_ARGUMENT',
    { expected: /^p from 0/ },
  ]);

const arithmetic: Row[] = [
  {
    op: 'add',
    accuracy: 'exact',
    isElementwise: true,
    samples: pairs(add),
    limits: [
      {
        name: '∞ and -∞',
        operands: [three(), constant(given([1, -Infinity, 5]))],
        run: add,
        expected: [NaN, NaN, -Infinity],
      },
    ],
    refusals: [otherShapes(add)],
  },
  {
    op: 'multiply',
    accuracy: 'exact',
    isElementwise: true,
    samples: pairs(multiply),
    limits: [
      {
        name: '∞ times 0',
        operands: [three(), constant(given([0, 0, -2]))],
        run: multiply,
        expected: [NaN, NaN, Infinity],
      },
    ],
    refusals: [otherShapes(multiply)],
  },
  {
    op: 'scale',
    accuracy: 'exact',
    isElementwise: true,
    samples: [
      ...each((x) => scale(x, -2.5)),
      ...each((x) => scale(x, 0), 'by 0, '),
      many((x) => scale(x, 0.375)),
    ],
    limits: [
      { name: 'by 0', operands: [three()], run: (x) => scale(x, 0), expected: [NaN, NaN, NaN] },
      { name: 'by -1', operands: [three()], run: (x) => scale(x, -1), expected: [NaN, -Infinity, Infinity] },
    ],
    refusals: [
      ['text', () => scale(of([3]), bad('2')), 'ERR_ARGUMENT', { received: '"2"', hint: /multiply/ }],
    ],
  },
  {
    op: 'cast',
    accuracy: 'exact',
    isElementwise: true,
    samples: [
      ...each((x) => cast(x, 'float64')),
      many((x) => cast(x, 'float64')),
      {
        name: 'of int32',
        operands: [whole([-5, 0, 2 ** 24])],
        run: (x) => cast(x, 'float32'),
        expected: [-5, 0, 2 ** 24],
      },
      {
        name: 'of uint8',
        operands: [bytes([0, 7, 255])],
        run: (x) => cast(x, 'float32'),
        expected: [0, 7, 255],
      },
      {
        name: 'to float32',
        operands: [constant(given([0.1, -3, 1e-3]))],
        run: (x) => cast(x, 'float32'),
        expected: [0.1, -3, 1e-3].map(Math.fround),
      },
    ],
    limits: [
      {
        name: 'to float64',
        operands: [three()],
        run: (x) => cast(x, 'float64'),
        expected: [NaN, Infinity, -Infinity],
      },
      {
        name: 'to float32',
        operands: [three()],
        run: (x) => cast(x, 'float32'),
        expected: [NaN, Infinity, -Infinity],
      },
    ],
    refusals: [['int32', () => cast(of([3]), bad('int32')), 'ERR_DTYPE', { received: '"int32"' }]],
  },
];

const reductions: Row[] = [sum, mean].map((body) => ({
  op: body.name,
  accuracy: 'sums',
  samples: [
    ...each(body).map((sample) => ({ ...sample, terms: 64 })),
    { ...many(body), terms: 1e5 },
    { name: 'a thousand', operands: [leaf([1000])], run: body, terms: 1000, isLarge: true },
  ],
  limits: [
    { name: 'NaN', operands: [constant(given([1, NaN, 2]))], run: body, expected: [NaN] },
    { name: '∞', operands: [constant(given([1, Infinity, 2]))], run: body, expected: [Infinity] },
    { name: '∞ and -∞', operands: [three()], run: body, expected: [NaN] },
  ],
  refusals: [['whole numbers', () => body(of([3], 'int32')), 'ERR_DTYPE', { op: body.name, hint: /cast/ }]],
}));

const dropping: Row[] = [
  {
    op: 'dropout',
    accuracy: 'sums',
    isRandom: true,
    samples: [
      ...each((x) => dropout(x, 0.4)),
      { name: 'of 0', operands: [leaf([9])], run: (x) => dropout(x, 0) },
      many((x) => dropout(x, 0.7)),
    ],
    refusals: [
      ...probabilities((p) => dropout(of([3]), p)),
      ['no generator', () => dropout(of([3]), 0.5, bad(7)), 'ERR_ARGUMENT', { expected: /Generator/ }],
    ],
  },
  {
    op: 'dropout2d',
    accuracy: 'sums',
    isRandom: true,
    samples: [
      { name: 'of [2, 3, 2, 5]', operands: [leaf([2, 3, 2, 5])], run: (x) => dropout2d(x, 0.4) },
      { name: 'of 0', operands: [leaf([1, 2, 2, 1])], run: (x) => dropout2d(x, 0) },
      many((x) => dropout2d(x, 0.5)),
    ],
    refusals: [
      ...probabilities((p) => dropout2d(of([1, 2, 2, 3]), p)),
      ['a matrix', () => dropout2d(of([3, 2]), 0.5), 'ERR_SHAPE', { expected: /\[n, h, w, c\]/ }],
    ],
  },
  {
    op: 'stochasticDepth',
    accuracy: 'sums',
    isRandom: true,
    samples: [
      { name: 'of rows', operands: [leaf([6, 2, 3])], run: (x) => stochasticDepth(x, 0.4) },
      { name: 'of the batch', operands: [leaf([4, 3])], run: (x) => stochasticDepth(x, 0.4, 'batch') },
      many((x) => stochasticDepth(x, 0.5)),
    ],
    refusals: [
      ...probabilities((p) => stochasticDepth(of([2, 3]), p)),
      ['a mode', () => stochasticDepth(of([2, 3]), 0.5, bad('all')), 'ERR_ARGUMENT', { received: '"all"' }],
      ['a scalar', () => stochasticDepth(of([]), 0.5), 'ERR_SHAPE', { received: 'a scalar' }],
    ],
  },
];

const joined = (...parts: Tensor[]) => concat(parts);

const shaping: Row[] = [
  {
    op: 'reshape',
    accuracy: 'exact',
    samples: [
      { name: 'of [2, 6]', operands: [leaf([2, 6])], run: (x) => reshape(x, [3, 4]) },
      { name: 'of a scalar', operands: [leaf([])], run: (x) => reshape(x, [1, 1]) },
    ],
    refusals: [['another size', () => reshape(of([2, 3]), [4]), 'ERR_SHAPE', { received: '[4]' }]],
  },
  {
    op: 'flatten',
    accuracy: 'exact',
    samples: [{ name: 'of an image', operands: [leaf([2, 2, 3, 2])], run: flatten }],
    refusals: [['a scalar', () => flatten(of([])), 'ERR_SHAPE', { received: 'a scalar' }]],
  },
  {
    op: 'concat',
    accuracy: 'exact',
    samples: [
      { name: 'of three', operands: [leaf([2, 3]), leaf([2, 1], 1), leaf([2, 17], 2)], run: joined },
      { name: 'of one', operands: [leaf([4])], run: joined },
      { name: 'of two images', operands: [leaf([1, 2, 3, 2]), leaf([1, 2, 3, 2], 1)], run: joined },
      {
        name: 'several tasks',
        operands: [leaf([2, 67, 41, 3]), leaf([2, 67, 41, 5], 1)],
        run: joined,
        isLarge: true,
      },
    ],
    refusals: [
      ['nothing', () => concat([]), 'ERR_ARGUMENT', { expected: /one or more tensors/ }],
      ['other rows', () => concat([of([2, 3]), of([3, 3])]), 'ERR_SHAPE', { received: '[3, 3]' }],
      ['a scalar', () => concat([of([])]), 'ERR_SHAPE', { received: 'a scalar' }],
    ],
  },
  {
    op: 'padChannels',
    accuracy: 'exact',
    samples: [
      { name: 'on both sides', operands: [leaf([2, 3, 2])], run: (x) => padChannels(x, 2, 1) },
      { name: 'nowhere', operands: [leaf([3, 2])], run: (x) => padChannels(x, 0, 0) },
      many((x) => padChannels(x, 5, 8)),
    ],
    refusals: [
      ['fewer than none', () => padChannels(of([2, 3]), -1, 0), 'ERR_ARGUMENT', { received: '-1' }],
      ['a scalar', () => padChannels(of([]), 1, 1), 'ERR_SHAPE', { received: 'a scalar' }],
    ],
  },
];

export const elementwiseOps: Rows = [...arithmetic, ...reductions, ...dropping, ...shaping];
