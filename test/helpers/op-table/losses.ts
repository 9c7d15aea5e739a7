// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: losses.
import { binaryCrossEntropyWithLogits } from '../../../lib/ops/binary-cross-entropy.js';
import { crossEntropy } from '../../../lib/ops/cross-entropy.js';
import { klDiv } from '../../../lib/ops/kl-div.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../../../lib/ops/pointwise-loss.js';
import type { Reduction } from '../../../lib/ops/reduction.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { of, type RefusalCase, whole as wholeOf } from '../refusal-cases.js';
import {
  bad,
  constant,
  given,
  type Limit,
  leaf,
  positive,
  type Row,
  type Rows,
  type Sample,
  times,
  unknownOption,
  whole,
} from './row.js';

type Loss = (input: Tensor, target: Tensor, options?: never) => Tensor;

const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

const labelsFor = (rows: number, classes: number) =>
  whole(Array.from({ length: rows }, (_, i) => (i * 3) % classes));

const pairRefusals = (body: Loss): RefusalCase[] => [
  unknownOption((options) => body(of([3]), of([3]), options)),
  ['two shapes', () => body(of([2, 3]), of([3])), 'ERR_SHAPE', { received: '[2, 3] and [3]' }],
  ['a reduction', () => body(of([3]), of([3]), bad({ reduction: 'man' })), 'ERR_ARGUMENT', { hint: /mean/ }],
];

/** Each reduction, for options of the loss. */
const pairs = (body: Loss, options: object = {}, target = leaf([4, 3], 1)): Sample[] =>
  reductions.map((reduction) => ({
    name: JSON.stringify({ reduction, ...options }),
    operands: [times(3, leaf([4, 3])), target],
    run: (input, target) => body(input, target, bad({ reduction, ...options })),
  }));

const many = (body: Loss): Sample => ({
  name: 'several tasks',
  operands: [times(3, leaf([2000, 17])), leaf([2000, 17], 1)],
  run: (input, target) => body(input, target),
  isLarge: true,
});

const three = () => constant(given([NaN, Infinity, -Infinity]));
const zeros = () => constant(given([0, 0, 0]));
const one = (body: Loss, expected: readonly number[]): Limit => ({
  name: 'NaN, ∞ and -∞ against 0',
  operands: [three(), zeros()],
  run: (input, target) => body(input, target, bad({ reduction: 'none' })),
  expected,
});

const differences: Row[] = [
  {
    op: 'mseLoss',
    accuracy: 'conditioned',
    samples: [...pairs(mseLoss as Loss), many(mseLoss as Loss)],
    limits: [one(mseLoss as Loss, [NaN, Infinity, Infinity])],
    refusals: pairRefusals(mseLoss as Loss),
  },
  {
    op: 'l1Loss',
    accuracy: 'conditioned',
    samples: [...pairs(l1Loss as Loss), many(l1Loss as Loss)],
    limits: [one(l1Loss as Loss, [NaN, Infinity, Infinity])],
    refusals: pairRefusals(l1Loss as Loss),
  },
  {
    op: 'huberLoss',
    accuracy: 'conditioned',
    samples: [
      ...pairs(huberLoss as Loss),
      ...pairs(huberLoss as Loss, { delta: 0.7 }),
      many(huberLoss as Loss),
    ],
    limits: [one(huberLoss as Loss, [NaN, Infinity, Infinity])],
    refusals: [
      ...pairRefusals(huberLoss as Loss),
      [
        'a delta of 0',
        () => huberLoss(of([3]), of([3]), { delta: 0 }),
        'ERR_ARGUMENT',
        { expected: /delta/ },
      ],
    ],
  },
  {
    op: 'smoothL1Loss',
    accuracy: 'conditioned',
    samples: [
      ...pairs(smoothL1Loss as Loss),
      ...pairs(smoothL1Loss as Loss, { beta: 0.6 }),
      ...pairs(smoothL1Loss as Loss, { beta: 0 }),
      many(smoothL1Loss as Loss),
    ],
    limits: [one(smoothL1Loss as Loss, [NaN, Infinity, Infinity])],
    refusals: [
      ...pairRefusals(smoothL1Loss as Loss),
      [
        'beta below 0',
        () => smoothL1Loss(of([3]), of([3]), { beta: -1 }),
        'ERR_ARGUMENT',
        { expected: /beta/ },
      ],
    ],
  },
  {
    op: 'klDiv',
    accuracy: 'conditioned',
    samples: [
      ...pairs(klDiv as Loss, {}, positive([4, 3], 1)),
      ...pairs(klDiv as Loss, { logTarget: true }),
      {
        name: 'batchmean',
        operands: [leaf([4, 3]), positive([4, 3], 1)],
        run: (input, target) => klDiv(input, target, { reduction: 'batchmean' }),
      },
      {
        name: 'several tasks',
        operands: [times(3, leaf([2000, 17])), positive([2000, 17], 1)],
        run: (input, target) => klDiv(input, target),
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'a target of 0 counts for nothing',
        operands: [constant(given([-1, -2])), constant(given([0, 1]))],
        run: (input, target) => klDiv(input, target, { reduction: 'none' }),
        expected: [0, 2],
      },
    ],
    refusals: [
      ...pairRefusals(klDiv as Loss),
      [
        'a logTarget of 1',
        () => klDiv(of([3]), of([3]), { logTarget: bad(1) }),
        'ERR_ARGUMENT',
        { expected: /logTarget/ },
      ],
    ],
  },
];

const bce = binaryCrossEntropyWithLogits;

const binary: Row = {
  op: 'binaryCrossEntropyWithLogits',
  accuracy: 'conditioned',
  samples: [
    ...pairs(bce as Loss, {}, positive([4, 3], 1)),
    {
      name: 'weights of classes and of samples',
      operands: [
        leaf([4, 3]),
        positive([4, 3], 1),
        constant(positive([4, 1], 2)),
        constant(positive([3], 3)),
      ],
      run: (input, target, weight, posWeight) => bce(input, target, { weight, posWeight }),
    },
    {
      name: 'weights of pixels, none reduced',
      operands: [leaf([2, 3, 2]), positive([2, 3, 2], 1), constant(positive([3, 1], 2))],
      run: (input, target, weight) => bce(input, target, { weight, reduction: 'none' }),
    },
    {
      name: 'several tasks',
      operands: [times(9, leaf([2000, 17])), positive([2000, 17], 1)],
      run: (input, target) => bce(input, target),
      isLarge: true,
    },
  ],
  limits: [
    {
      name: 'large logits neither overflow nor vanish',
      operands: [constant(given([1000, -1000, 1000])), constant(given([1, 0, 0]))],
      run: (input, target) => bce(input, target, { reduction: 'none' }),
      expected: [0, 0, 1000],
    },
    {
      name: 'NaN',
      operands: [constant(given([NaN, 0])), constant(given([1, 1]))],
      run: (input, target) => bce(input, target, { reduction: 'none' }),
      expected: [NaN, Math.LN2],
    },
  ],
  refusals: [
    ...pairRefusals(bce as Loss),
    [
      'weights that do not fit',
      () => bce(of([2, 3]), of([2, 3]), { posWeight: of([2]) }),
      'ERR_SHAPE',
      { expected: /posWeight/ },
    ],
  ],
};

const ce = crossEntropy;
const logits = () => times(3, leaf([6, 5]));

const classes: Row = {
  op: 'crossEntropy',
  accuracy: 'conditioned',
  spreads: [1, 2], // infinite soft labels and weights
  samples: [
    ...reductions.map(
      (reduction): Sample => ({
        name: reduction,
        operands: [logits(), labelsFor(6, 5)],
        run: (x, labels) => ce(x, labels, { reduction }),
      }),
    ),
    ...reductions.map(
      (reduction): Sample => ({
        name: `${reduction}, with weights, smoothing and a label that does not count`,
        operands: [logits(), whole([0, 3, -1, 4, -1, 2]), constant(positive([5], 2))],
        run: (x, labels, weight) =>
          ce(x, labels, { reduction, weight, labelSmoothing: 0.2, ignoreIndex: -1 }),
      }),
    ),
    ...reductions.map(
      (reduction): Sample => ({
        name: `${reduction}, of soft labels, with weights and smoothing`,
        operands: [logits(), positive([6, 5], 1), constant(positive([5], 2))],
        run: (x, labels, weight) => ce(x, labels, { reduction, weight, labelSmoothing: 0.1 }),
      }),
    ),
    {
      name: 'of pixels',
      operands: [leaf([2, 2, 1, 3]), whole([0, 2, 1, 1], [2, 2, 1])],
      run: (x, labels) => ce(x, labels),
    },
    { name: 'of one class', operands: [leaf([2, 1]), whole([0, 0])], run: (x, labels) => ce(x, labels) },
    {
      name: 'several tasks',
      operands: [times(3, leaf([3000, 11])), labelsFor(3000, 11)],
      run: (x, labels) => ce(x, labels),
      isLarge: true,
    },
  ],
  limits: [
    {
      name: 'a label without a chance',
      operands: [constant(given([0, -Infinity, 5, 5], [2, 2])), whole([1, 0])],
      run: (x, labels) => ce(x, labels, { reduction: 'none' }),
      expected: [Infinity, Math.LN2],
    },
    {
      name: 'NaN in one row',
      operands: [constant(given([0, NaN, 5, 5], [2, 2])), whole([1, 0])],
      run: (x, labels) => ce(x, labels, { reduction: 'none' }),
      expected: [NaN, Math.LN2],
    },
    {
      name: 'a mean over nothing',
      operands: [constant(given([1, 2], [1, 2])), whole([-100])],
      run: (x, labels) => ce(x, labels),
      expected: [NaN],
    },
  ],
  refusals: [
    unknownOption((options) => ce(of([3, 4]), wholeOf([0, 1, 2]), options)),
    [
      'a label out of range',
      () => ce(of([3, 4]), wholeOf([0, 4, 1])),
      'ERR_DATA',
      { received: 'label 4 at row 1' },
    ],
    ['labels of float32', () => ce(of([3, 4]), of([3])), 'ERR_DTYPE', { hint: /Int32Array/ }],
    ['too few labels', () => ce(of([3, 4]), wholeOf([0, 1])), 'ERR_SHAPE', { received: '[2]' }],
    ['a vector', () => ce(of([4]), wholeOf([0])), 'ERR_SHAPE', { expected: /\[n, classes\]/ }],
    [
      'weights of another length',
      () => ce(of([3, 4]), wholeOf([0, 1, 2]), { weight: of([3]) }),
      'ERR_SHAPE',
      { expected: /weight \[4\]/ },
    ],
    [
      'a smoothing of 1',
      () => ce(of([3, 4]), wholeOf([0, 1, 2]), { labelSmoothing: 1 }),
      'ERR_ARGUMENT',
      { expected: 'labelSmoothing from 0 to below 1' },
    ],
    [
      'soft labels to be ignored',
      () => ce(of([3, 4]), of([3, 4]), { ignoreIndex: 1 }),
      'ERR_ARGUMENT',
      { hint: /zeros/ },
    ],
  ],
};

export const lossOps: Rows = [...differences, binary, classes];
