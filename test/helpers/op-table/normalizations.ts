// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: normalisations.
import {
  type BatchNorm2dOptions,
  batchNorm1d,
  batchNorm2d,
  increment_,
} from '../../../lib/ops/batch-norm.js';
import { groupNorm } from '../../../lib/ops/group-norm.js';
import { layerNorm } from '../../../lib/ops/layer-norm.js';
import { localResponseNorm } from '../../../lib/ops/local-response-norm.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { of, type RefusalCase } from '../refusal-cases.js';
import {
  constant,
  given,
  leaf,
  positive,
  type Rows,
  type Sample,
  state,
  times,
  unknownOption,
  whole,
} from './row.js';

type BatchNorm = (
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  options?: BatchNorm2dOptions,
) => Tensor;

/** While training, moving running statistics and without; in use, with weight and bias and without. */
function batchNormSamples(body: BatchNorm, shapes: readonly (readonly number[])[], large: readonly number[]) {
  const train = (shape: readonly number[], c = shape[shape.length - 1]): Sample => ({
    name: `training, of [${shape}]`,
    operands: [
      times(3, leaf(shape)),
      positive([c], 1),
      leaf([c], 2),
      state(leaf([c], 3)),
      state(positive([c], 4)),
    ],
    run: (x, weight, bias, runningMean, runningVar) =>
      body(x, weight, bias, { runningMean, runningVar, training: true, momentum: 0.3, eps: 1e-3 }),
  });
  const use = (shape: readonly number[], c = shape[shape.length - 1]): Sample => ({
    name: `in use, of [${shape}]`,
    operands: [
      ...[times(3, leaf(shape)), positive([c], 1), leaf([c], 2)],
      ...[constant(leaf([c], 3)), constant(positive([c], 4))],
    ],
    run: (x, weight, bias, runningMean, runningVar) => body(x, weight, bias, { runningMean, runningVar }),
  });
  const [first] = shapes;
  const bare: Sample = {
    name: 'training, without weight, bias and running statistics',
    operands: [leaf(first)],
    run: (x) => body(x, null, null, { training: true }),
  };
  const many = { ...train(large), isLarge: true };
  return [...shapes.map((shape) => train(shape)), ...shapes.map((shape) => use(shape)), bare, many];
}

const batchNormRefusals = (body: BatchNorm, shape: readonly number[]): RefusalCase[] => [
  unknownOption((options) => body(of(shape), null, null, options)),
  ['no statistics', () => body(of(shape), null, null), 'ERR_ARGUMENT', { received: 'neither' }],
  [
    'one value a channel',
    () =>
      body(of(shape.map((length, i) => (i === shape.length - 1 ? length : 1))), null, null, {
        training: true,
      }),
    'ERR_SHAPE',
    { hint: /larger batch/ },
  ],
  ['weights', () => body(of(shape), of([99]), null, { training: true }), 'ERR_SHAPE', { expected: /weight/ }],
  [
    'a momentum of 2',
    () => body(of(shape), null, null, { training: true, momentum: 2 }),
    'ERR_ARGUMENT',
    { expected: /momentum/ },
  ],
];

const affine = (shape: readonly number[], of = shape.slice(-1)) => [
  times(3, leaf(shape)),
  positive(of, 1),
  leaf(of, 2),
];

const nanRow = () => constant(given([NaN, 1, 2, -1, 1, 3], [2, 3]));
/** Of 1 and 3, the mean and its sides. */
const sides = (eps: number) => [-1, 1].map((side) => side / Math.sqrt(1 + eps));

export const normalizationOps: Rows = [
  {
    op: 'batchNorm1d',
    accuracy: 'conditioned',
    spreads: [0, 1, 3],
    samples: batchNormSamples(
      batchNorm1d,
      [
        [5, 3],
        [2, 4, 3],
      ],
      [900, 33],
    ),
    limits: [
      {
        name: 'NaN spoils its own channel',
        operands: [constant(given([NaN, 1, 1, 3], [2, 2]))],
        run: (x) => batchNorm1d(x, null, null, { training: true, eps: 1e-5 }),
        expected: [NaN, sides(1e-5)[0], NaN, sides(1e-5)[1]],
      },
    ],
    refusals: [
      ...batchNormRefusals(batchNorm1d, [4, 3]),
      ['an image', () => batchNorm1d(of([1, 4, 4, 3]), null, null), 'ERR_SHAPE', { hint: /batchNorm2d/ }],
    ],
  },
  {
    op: 'batchNorm2d',
    accuracy: 'conditioned',
    spreads: [0, 1, 3],
    samples: batchNormSamples(
      batchNorm2d,
      [
        [2, 3, 2, 2],
        [1, 2, 3, 5],
      ],
      [3, 25, 24, 17],
    ),
    limits: [
      {
        name: 'infinities in use',
        operands: [
          constant(given([Infinity, NaN, -Infinity], [1, 1, 3, 1])),
          constant(given([0])),
          constant(given([1])),
        ],
        run: (x, runningMean, runningVar) => batchNorm2d(x, null, null, { runningMean, runningVar }),
        expected: [Infinity, NaN, -Infinity],
      },
    ],
    refusals: [
      ...batchNormRefusals(batchNorm2d, [2, 4, 4, 3]),
      ['a matrix', () => batchNorm2d(of([4, 3]), null, null), 'ERR_SHAPE', { expected: /\[n, h, w, c\]/ }],
    ],
  },
  {
    op: 'increment_',
    accuracy: 'exact',
    isConstant: true,
    isMaker: true, // of a counter that modules make; nobody else calls it
    samples: [{ name: 'of 6', operands: [state(whole([6]))], run: increment_, expected: [7] }],
    refusals: [],
  },
  {
    op: 'groupNorm',
    accuracy: 'conditioned',
    spreads: [1],
    samples: [
      { name: 'two groups', operands: affine([2, 3, 4]), run: (x, w, b) => groupNorm(x, 2, w, b) },
      { name: 'a group a channel', operands: affine([2, 2, 2, 3]), run: (x, w, b) => groupNorm(x, 3, w, b) },
      { name: 'one group', operands: [leaf([3, 5])], run: (x) => groupNorm(x, 1, null, null, { eps: 1e-3 }) },
      {
        name: 'several tasks',
        operands: affine([4, 31, 17, 12]),
        run: (x, w, b) => groupNorm(x, 3, w, b),
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'NaN spoils its own sample',
        operands: [constant(given([NaN, 1, 1, 3], [2, 2]))],
        run: (x) => groupNorm(x, 1),
        expected: [NaN, NaN, ...sides(1e-5)],
      },
    ],
    refusals: [
      unknownOption((options) => groupNorm(of([2, 4]), 2, null, null, options)),
      ['groups', () => groupNorm(of([2, 4]), 3), 'ERR_ARGUMENT', { expected: /divides 4/, received: '3' }],
      ['a vector', () => groupNorm(of([4]), 1), 'ERR_SHAPE', { expected: /rank 2 or more/ }],
      ['weights', () => groupNorm(of([2, 4]), 2, of([2])), 'ERR_SHAPE', { expected: /weight \[4\]/ }],
    ],
  },
  {
    op: 'layerNorm',
    accuracy: 'conditioned',
    samples: [
      { name: 'of rows', operands: affine([4, 5]), run: (x, w, b) => layerNorm(x, 5, w, b) },
      {
        name: 'of images',
        operands: affine([2, 3, 2, 2], [3, 2, 2]),
        run: (x, w, b) => layerNorm(x, [3, 2, 2], w, b),
      },
      { name: 'bare', operands: [leaf([3, 7])], run: (x) => layerNorm(x, 7, null, null, { eps: 1e-3 }) },
      {
        name: 'many rows',
        operands: affine([700, 37]),
        run: (x, w, b) => layerNorm(x, 37, w, b),
        isLarge: true,
      },
      {
        name: 'wide rows',
        operands: affine([5, 5000]),
        run: (x, w, b) => layerNorm(x, 5000, w, b),
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'NaN spoils its own row',
        operands: [nanRow()],
        run: (x) => layerNorm(x, 3),
        expected: [NaN, NaN, NaN, -2, 0, 2].map((side) => side / Math.sqrt(8 / 3 + 1e-5)),
      },
    ],
    refusals: [
      unknownOption((options) => layerNorm(of([2, 4]), 4, null, null, options)),
      ['another shape', () => layerNorm(of([2, 4]), 5), 'ERR_SHAPE', { expected: /\[\.\.\., 5\]/ }],
      ['no shape', () => layerNorm(of([2, 4]), []), 'ERR_ARGUMENT', { received: '[]' }],
      ['weights', () => layerNorm(of([2, 4]), 4, of([2])), 'ERR_SHAPE', { expected: /weight \[4\]/ }],
    ],
  },
  {
    op: 'localResponseNorm',
    accuracy: 'conditioned',
    samples: [
      ...[1, 2, 3, 5, 9].map(
        (size): Sample => ({
          name: `over ${size}`,
          operands: [times(2, leaf([2, 3, 5], size))],
          run: (x) => localResponseNorm(x, size, { alpha: 0.5, beta: 0.6, k: 1.5 }),
        }),
      ),
      { name: 'as it comes', operands: [leaf([4, 3])], run: (x) => localResponseNorm(x, 3) },
      ...[1, 2, 3, 5].map(
        (size): Sample => ({
          name: `within channels, over ${size} x ${size}`,
          operands: [times(2, leaf([2, 4, 3, 2], size))],
          run: (x) => localResponseNorm(x, size, { alpha: 0.5, beta: 0.6, k: 1.5, region: 'withinChannel' }),
        }),
      ),
      {
        name: 'within channels, several tasks',
        operands: [leaf([3, 27, 31, 17])],
        run: (x) => localResponseNorm(x, 3, { alpha: 0.5, region: 'withinChannel' }),
        isLarge: true,
      },
      {
        name: 'several tasks',
        operands: [leaf([3, 27, 31, 17])],
        run: (x) => localResponseNorm(x, 5, { alpha: 0.5 }),
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'NaN spoils its neighbours',
        operands: [constant(given([NaN, 0, 0, 0], [1, 4]))],
        run: (x) => localResponseNorm(x, 3),
        expected: [NaN, NaN, 0, 0],
      },
    ],
    refusals: [
      unknownOption((options) => localResponseNorm(of([2, 4]), 3, options)),
      ['a size of 0', () => localResponseNorm(of([2, 4]), 0), 'ERR_ARGUMENT', { expected: /size/ }],
      [
        'alpha below 0',
        () => localResponseNorm(of([2, 4]), 3, { alpha: -1 }),
        'ERR_ARGUMENT',
        { expected: /alpha/ },
      ],
      ['a scalar', () => localResponseNorm(of([]), 3), 'ERR_SHAPE', { received: 'a scalar' }],
      [
        'a matrix within channels',
        () => localResponseNorm(of([2, 4]), 3, { region: 'withinChannel' }),
        'ERR_SHAPE',
        { expected: /\[n, h, w, c\]/ },
      ],
    ],
  },
];
