// SPDX-License-Identifier: Apache-2.0
// What the losses refuse, in which words.
import { expect, test } from 'vitest';
import { binaryCrossEntropyWithLogits } from '../../lib/ops/binary-cross-entropy.js';
import { oneHot } from '../../lib/ops/classify.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { klDiv } from '../../lib/ops/kl-div.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../../lib/ops/pointwise-loss.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { describeRefusals, of, type RefusalCase, whole } from '../helpers/refusal-cases.js';

const labels = () => whole([0, 1, 2]);
const bce = binaryCrossEntropyWithLogits;

const PAIRS = { mseLoss, l1Loss, huberLoss, smoothL1Loss, klDiv, binaryCrossEntropyWithLogits };

/** What all losses of numbers refuse alike. */
const pairs = Object.entries(PAIRS).flatMap(([op, loss]): RefusalCase[] => [
  [
    `${op}: shapes`,
    () => loss(of([2, 3]), of([3, 2])),
    'ERR_SHAPE',
    { op, expected: 'two tensors of one shape', received: '[2, 3] and [3, 2]' },
  ],
  [`${op}: no broadcasting`, () => loss(of([2, 3]), of([3])), 'ERR_SHAPE', { op }],
  [
    `${op}: precision`,
    () => loss(of([3]), of([3], 'float64')),
    'ERR_DTYPE',
    { expected: 'target to be float32' },
  ],
  [`${op}: whole numbers`, () => loss(of([3]), of([3], 'int32')), 'ERR_DTYPE', { received: 'int32' }],
  [`${op}: one tensor`, () => loss(of([3]), undefined as never), 'ERR_ARGUMENT', { expected: /target/ }],
  [
    `${op}: reduction`,
    () => loss(of([3]), of([3]), { reduction: 'average' as 'mean' }),
    'ERR_ARGUMENT',
    { op, expected: /'mean'.*'sum', 'none'/, received: '"average"' },
  ],
  [
    `${op}: an unknown option`,
    () => loss(of([3]), of([3]), { reductions: 'sum' } as object),
    'ERR_ARGUMENT',
    { received: 'reductions', hint: 'did you mean reduction?' },
  ],
]);

describeRefusals({
  pairs,
  'cross-entropy': [
    [
      'class weights of another number',
      () => crossEntropy(of([3, 4]), labels(), { weight: of([3]) }),
      'ERR_SHAPE',
      { op: 'crossEntropy', expected: 'weight [4], one for each class of logits [3, 4]', received: '[3]' },
    ],
    [
      'class weights as a matrix',
      () => crossEntropy(of([3, 4]), of([3, 4]), { weight: of([1, 4]) }),
      'ERR_SHAPE',
      { received: '[1, 4]' },
    ],
    [
      'class weights in double precision',
      () => crossEntropy(of([3, 4]), labels(), { weight: of([4], 'float64') }),
      'ERR_DTYPE',
      { expected: 'weight to be float32' },
    ],
    [
      'class weights as a list',
      () => crossEntropy(of([3, 4]), labels(), { weight: [1, 1, 1, 1] as never }),
      'ERR_ARGUMENT',
      { expected: 'weight to be a Tensor' },
    ],
    [
      'class weights that are to learn',
      () =>
        tensorScope(() =>
          crossEntropy(of([3, 4]), labels(), { weight: tensor([1, 1, 1, 1], [4], { requiresGrad: true }) }),
        ),
      'ERR_ARGUMENT',
      { expected: 'weight without requiresGrad', hint: /detach/ },
    ],
    ...[1, -0.1, 1.5, Number.NaN, '0.1'].map(
      (labelSmoothing): RefusalCase => [
        `smoothing of ${labelSmoothing}`,
        () => crossEntropy(of([3, 4]), labels(), { labelSmoothing: labelSmoothing as number }),
        'ERR_ARGUMENT',
        { expected: 'labelSmoothing from 0 to below 1' },
      ],
    ),
    [
      'half a label to ignore',
      () => crossEntropy(of([3, 4]), labels(), { ignoreIndex: 0.5 }),
      'ERR_ARGUMENT',
      { expected: 'ignoreIndex to be a whole number' },
    ],
    [
      'a label to ignore among probabilities',
      () => crossEntropy(of([3, 4]), of([3, 4]), { ignoreIndex: 1 }),
      'ERR_ARGUMENT',
      { expected: 'ignoreIndex with whole-number labels only' },
    ],
    [
      'another reduction',
      () => crossEntropy(of([3, 4]), labels(), { reduction: 'batchmean' as 'mean' }),
      'ERR_ARGUMENT',
      { received: '"batchmean"' },
    ],
    [
      'an unknown option',
      () => crossEntropy(of([3, 4]), labels(), { label_smoothing: 0.1 } as object),
      'ERR_ARGUMENT',
      { hint: 'did you mean labelSmoothing?' },
    ],
    [
      'a label out of range, where others are ignored',
      () => crossEntropy(of([3, 4]), whole([1, -100, 4])),
      'ERR_DATA',
      { op: 'crossEntropy', expected: 'labels from 0 to 3', received: 'label 4 at row 2' },
    ],
    [
      'the default of ignoreIndex, where it is another',
      () => crossEntropy(of([3, 4]), whole([1, -100, 4]), { ignoreIndex: 4, reduction: 'none' }),
      'ERR_DATA',
      { received: 'label -100 at row 1' },
    ],
    [
      'probabilities of another shape',
      () => crossEntropy(of([3, 4]), of([3, 5])),
      'ERR_DTYPE',
      { expected: 'labels to be int32', hint: /probabilities \[3, 4\]/ },
    ],
    [
      'probabilities in double precision',
      () => crossEntropy(of([3, 4]), of([3, 4], 'float64')),
      'ERR_DTYPE',
      { received: 'float64' },
    ],
    [
      'a label for each image, where each pixel needs one',
      () => crossEntropy(of([2, 3, 3, 4]), of([2], 'int32')),
      'ERR_SHAPE',
      { expected: 'labels [2, 3, 3], one per row of logits', received: '[2]' },
    ],
  ],
  'binary cross-entropy': [
    ...([[2], [3, 1], [2, 3], [2, 4, 3], [2, 1, 1, 4]] as const).map(
      (shape): RefusalCase => [
        `weight of [${shape}]`,
        () => bce(of([4, 3]), of([4, 3]), { weight: of(shape) }),
        'ERR_SHAPE',
        {
          expected: 'weight in a shape that fits the end of input [4, 3]',
          received: `[${shape.join(', ')}]`,
        },
      ],
    ),
    [
      'posWeight of another number',
      () => bce(of([4, 3]), of([4, 3]), { posWeight: of([4]) }),
      'ERR_SHAPE',
      { expected: /^posWeight/ },
    ],
    [
      'posWeight of whole numbers',
      () => bce(of([4, 3]), of([4, 3]), { posWeight: of([3], 'int32') }),
      'ERR_DTYPE',
      { expected: 'posWeight to be float32' },
    ],
    [
      'posWeight that is to learn',
      () =>
        tensorScope(() =>
          bce(of([4, 3]), of([4, 3]), { posWeight: tensor([1, 1, 1], [3], { requiresGrad: true }) }),
        ),
      'ERR_ARGUMENT',
      { expected: 'posWeight without requiresGrad' },
    ],
  ],
  'options of the others': [
    ...[0, -1, Infinity, Number.NaN].map(
      (delta): RefusalCase => [
        `huberLoss: delta of ${delta}`,
        () => huberLoss(of([3]), of([3]), { delta }),
        'ERR_ARGUMENT',
        { expected: 'delta to be a number above 0' },
      ],
    ),
    [
      'smoothL1Loss: negative beta',
      () => smoothL1Loss(of([3]), of([3]), { beta: -1 }),
      'ERR_ARGUMENT',
      { expected: 'beta to be a number of at least 0' },
    ],
    [
      'klDiv: logTarget as text',
      () => klDiv(of([3]), of([3]), { logTarget: 'yes' as never }),
      'ERR_ARGUMENT',
      { expected: 'logTarget to be true or false' },
    ],
    ['mseLoss: delta', () => mseLoss(of([3]), of([3]), { delta: 1 } as object), 'ERR_ARGUMENT', {}],
    [
      'oneHot: a label out of range',
      () => oneHot(labels(), 2),
      'ERR_DATA',
      { op: 'oneHot', received: 'label 2 at row 2' },
    ],
    ['oneHot: labels of float32', () => oneHot(of([3]), 4), 'ERR_DTYPE', { expected: 'labels to be int32' }],
    ['oneHot: no classes', () => oneHot(labels(), 0), 'ERR_ARGUMENT', { expected: /classes/ }],
    ['oneHot: rows of int32', () => oneHot(labels(), 3, { dtype: 'int32' as never }), 'ERR_DTYPE', {}],
  ],
});

test('afterwards the same tensors work', () =>
  tensorScope(() => {
    expect(crossEntropy(of([3, 4]), labels(), { weight: of([4]).detach() }).shape).toEqual([]);
    expect(bce(of([4, 3]), of([4, 3]), { weight: of([3]), posWeight: of([4, 3]) }).shape).toEqual([]);
    expect(oneHot(labels(), 3).shape).toEqual([3, 3]);
  }));
