// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: answers and targets, and batches out of data sets. They have no gradients.
import { type AugmentInstruction, augmentImages } from '../../../lib/ops/augment.js';
import { argmax, confidence, countCorrect, labelRank, oneHot } from '../../../lib/ops/classify.js';
import { gatherImages, gatherLabels } from '../../../lib/ops/gather.js';
import { shiftImages } from '../../../lib/ops/shift-images.js';
import { tensor } from '../../../lib/tensor/create.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { of, type RefusalCase, whole as wholeOf } from '../refusal-cases.js';
import {
  type Accuracy,
  bytes,
  constant,
  given,
  leaf,
  type Rows,
  type Sample,
  unknownOption,
  whole,
} from './row.js';

const logits = () => given([1, 3, 3, 5, 2, 5, -1, -2, -3], [3, 3]);

const vector = (body: (x: Tensor) => unknown): RefusalCase => [
  'a vector',
  () => body(of([4])),
  'ERR_SHAPE',
  { expected: /\[n, classes\]/ },
];

const labels = (body: (x: Tensor, labels: Tensor) => unknown): RefusalCase[] => [
  vector((x) => body(x, wholeOf([0]))),
  ['labels of float32', () => body(of([3, 4]), of([3])), 'ERR_DTYPE', { hint: /Int32Array/ }],
  ['labels too few', () => body(of([3, 4]), wholeOf([1])), 'ERR_SHAPE', { received: '[1]' }],
];

/** Best classes in turns over many rows. */
const many = () => leaf([3000, 11]);
const manyLabels = () => whole(Array.from({ length: 3000 }, (_, i) => (i * 7) % 11));

const thirty = Array.from({ length: 30 }, (_, i) => i * 3);

const byChannel = { mean: [0.5, 1], std: [0.5, 2] };
const one = { mean: [0], std: [1] };

/** Images [n, 6, 7, 2], changed by these instructions; the operation takes its images along. */
const changing = (name: string, accuracy: Accuracy, ...instructions: AugmentInstruction[]): Sample => ({
  name,
  accuracy,
  operands: [constant(leaf([3, 6, 7, 2])), whole([4, 0, 9])],
  run: (images, indices) => {
    const draw = { seed: 3, stream: 1, epoch: 2 };
    return augmentImages(images.clone(), indices, instructions, draw);
  },
});

const FILL = [0.25, -1];
const flip: AugmentInstruction = { instruction: 'flip_images', numbers: [0.5, 0, 0] };
const crop: AugmentInstruction = { instruction: 'crop_images', numbers: [2, 0, ...FILL] };

export const classifyOps: Rows = [
  {
    op: 'augmentImages',
    accuracy: 'exact',
    isConstant: true,
    isMaker: true, // of what a loader has checked
    spreads: [0], // warps take a pixel and a part of the difference to the next
    samples: [
      changing('flip_images', 'exact', flip),
      changing('crop_images', 'exact', crop),
      changing('cut_out', 'exact', { instruction: 'cut_out', numbers: [3, 0.7, ...FILL] }),
      changing('both', 'exact', flip, crop),
      changing('warp_affine', 'conditioned', {
        instruction: 'warp_affine',
        numbers: [0.3, 1, 1, 0.9, 1.1, 0.1, 0.1, 0, ...FILL],
      }),
      changing('warp_elastic', 'conditioned', { instruction: 'warp_elastic', numbers: [3, 1, 0, ...FILL] }),
      changing('jitter_colours', 'conditioned', {
        instruction: 'jitter_colours',
        numbers: [0.4, 0.4, 0.4, 0, 0.1, 0.2, 1, 0.5],
      }),
      {
        ...changing('rand_augment', 'exact', { instruction: 'rand_augment', numbers: [4, 15, 0.4, 0.3] }),
        operands: [constant(leaf([3, 9, 7, 1])), whole([4, 0, 9])],
      },
      {
        ...changing('several tasks', 'exact', flip, crop),
        operands: [constant(leaf([30, 28, 28, 2])), whole(thirty)],
        isLarge: true,
      },
    ],
    refusals: [],
  },
  {
    op: 'argmax',
    accuracy: 'exact',
    isConstant: true,
    samples: [
      { name: 'the first of equals', operands: [logits()], run: argmax, expected: [1, 0, 0] },
      { name: 'several tasks', operands: [many()], run: argmax, isLarge: true },
    ],
    limits: [
      {
        name: 'the first NaN wins',
        operands: [constant(given([1, NaN, 3, NaN, Infinity, NaN], [2, 3]))],
        run: argmax,
        expected: [1, 0],
      },
    ],
    refusals: [vector(argmax)],
  },
  {
    op: 'countCorrect',
    accuracy: 'exact',
    isConstant: true,
    isEager: true,
    samples: [
      {
        name: 'two of three',
        operands: [logits(), whole([1, 2, 0])],
        run: (x, labels) => tensor([countCorrect(x, labels)]),
        expected: [2],
      },
    ],
    refusals: labels(countCorrect),
  },
  {
    op: 'labelRank',
    accuracy: 'exact',
    isConstant: true,
    samples: [
      { name: 'with ties', operands: [logits(), whole([2, 1, 0])], run: labelRank, expected: [1, 2, 0] },
      { name: 'several tasks', operands: [many(), manyLabels()], run: labelRank, isLarge: true },
    ],
    limits: [
      {
        name: 'NaN is the best',
        operands: [constant(given([1, NaN, 3], [1, 3])), whole([2])],
        run: labelRank,
        expected: [1],
      },
    ],
    refusals: labels(labelRank),
  },
  {
    op: 'confidence',
    accuracy: 'conditioned',
    isConstant: true,
    samples: [
      { name: 'of three', operands: [logits()], run: confidence },
      { name: 'several tasks', operands: [many()], run: confidence, isLarge: true },
    ],
    limits: [
      {
        name: 'sure, NaN, ∞',
        operands: [constant(given([1e30, 0, NaN, 1, Infinity, 0], [3, 2]))],
        run: confidence,
        expected: [1, NaN, NaN],
      },
    ],
    refusals: [vector(confidence)],
  },
  {
    op: 'oneHot',
    accuracy: 'exact',
    isConstant: true,
    samples: [
      { name: 'of [2]', operands: [whole([2, 0])], run: (x) => oneHot(x, 3), expected: [0, 0, 1, 1, 0, 0] },
      {
        name: 'of [1, 2]',
        operands: [whole([1, 1], [1, 2])],
        run: (x) => oneHot(x, 2),
        expected: [0, 1, 0, 1],
      },
      {
        name: 'in double precision',
        operands: [whole([1])],
        run: (x) => oneHot(x, 2, { dtype: 'float64' }),
        expected: [0, 1],
      },
    ],
    refusals: [
      unknownOption((options) => oneHot(wholeOf([0]), 2, options)),
      [
        'a label out of range',
        () => oneHot(wholeOf([0, 3]), 3),
        'ERR_DATA',
        { received: /label 3 at row 1/ },
      ],
      ['no classes', () => oneHot(wholeOf([0]), 0), 'ERR_ARGUMENT', { expected: /classes/ }],
    ],
  },
  {
    op: 'gatherImages',
    accuracy: 'exact',
    isConstant: true,
    isSingle: true,
    samples: [
      {
        name: 'of bytes',
        operands: [bytes([0, 255, 255, 0], [2, 1, 1, 2]), whole([1, 0, 1])],
        run: (images, indices) => gatherImages(images, indices, byChannel),
        expected: [1, -0.5, -1, 0, 1, -0.5],
      },
      {
        name: 'of floats',
        operands: [given([3, 5, 1, 2], [2, 1, 1, 2]), whole([1, 0])],
        run: (images, indices) => gatherImages(images, indices, byChannel),
        expected: [1, 0.5, 5, 2],
      },
      {
        name: 'several tasks',
        operands: [leaf([9, 28, 28, 3]), whole([8, 2, 2, 0, 7, 5, 1, 3, 8, 6, 4, 0])],
        run: (images, indices) => gatherImages(images, indices, { mean: [0, 0.5, 1], std: [1, 2, 0.3] }),
        isLarge: true,
      },
    ],
    refusals: [
      [
        'an index out of range',
        () => gatherImages(of([2, 2, 2, 1]), wholeOf([0, 2]), one),
        'ERR_DATA',
        { received: 'index 2 at position 1' },
      ],
      ['images of rank 3', () => gatherImages(of([2, 2, 2]), wholeOf([0]), one), 'ERR_SHAPE', {}],
      [
        'a std of 0',
        () => gatherImages(of([2, 2, 2, 1]), wholeOf([0]), { mean: [0], std: [0] }),
        'ERR_ARGUMENT',
        { received: /std \[0\]/ },
      ],
    ],
  },
  {
    op: 'gatherLabels',
    accuracy: 'exact',
    isConstant: true,
    isSingle: true,
    samples: [
      { name: 'of three', operands: [whole([7, 8, 9]), whole([2, 0])], run: gatherLabels, expected: [9, 7] },
    ],
    refusals: [
      [
        'an index out of range',
        () => gatherLabels(wholeOf([7]), wholeOf([1])),
        'ERR_DATA',
        { received: /index 1/ },
      ],
      [
        'labels of uint8',
        () => gatherLabels(of([3], 'uint8'), wholeOf([0])),
        'ERR_DTYPE',
        { expected: /labels/ },
      ],
    ],
  },
  {
    op: 'shiftImages',
    accuracy: 'exact',
    isConstant: true,
    samples: [
      {
        name: 'down and right, over the edge in a mirror',
        operands: [given([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])],
        run: (images) => shiftImages(images, { down: 1, right: 2 }),
        expected: [6, 5, 4, 3, 2, 1, 6, 5, 4],
      },
      {
        name: 'up and left, of the mirror image',
        operands: [given([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])],
        run: (images) => shiftImages(images, { mirror: true, down: -1, right: -1 }),
        expected: [5, 4, 5, 2, 1, 2],
      },
      {
        name: 'mirrored, of two channels',
        operands: [given([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 2, 2])],
        run: (images) => shiftImages(images, { mirror: true }),
        expected: [3, 4, 1, 2, 7, 8, 5, 6],
      },
      {
        name: 'several tasks',
        operands: [leaf([30, 33, 31, 3])],
        run: (images) => shiftImages(images, { mirror: true, down: 2, right: -3 }),
        isLarge: true,
      },
      {
        name: 'whole rows, several tasks',
        operands: [leaf([30, 33, 31, 3])],
        run: (images) => shiftImages(images, { down: -5 }),
        isLarge: true,
      },
    ],
    refusals: [
      unknownOption((options) => shiftImages(of([1, 2, 2, 1]), options)),
      ['images of rank 3', () => shiftImages(of([2, 2, 2])), 'ERR_SHAPE', {}],
      [
        'a shift as large as a side',
        () => shiftImages(of([1, 2, 3, 1]), { down: 2 }),
        'ERR_ARGUMENT',
        { expected: /down to be a whole number between -2 and 2/ },
      ],
      [
        'half a pixel',
        () => shiftImages(of([1, 2, 3, 1]), { right: 0.5 }),
        'ERR_ARGUMENT',
        { expected: /right/ },
      ],
      ['bytes', () => shiftImages(of([1, 2, 2, 1], 'uint8')), 'ERR_DTYPE', {}],
    ],
  },
];
