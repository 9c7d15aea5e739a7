// SPDX-License-Identifier: Apache-2.0
// What the other operations refuse, in which words; and that afterwards the same tensors work.
import { expect, test } from 'vitest';
import { relu } from '../../lib/ops/activations.js';
import { add, cast, multiply, scale } from '../../lib/ops/arithmetic.js';
import { argmax, countCorrect } from '../../lib/ops/classify.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { dropout } from '../../lib/ops/dropout.js';
import { gatherImages, gatherLabels } from '../../lib/ops/gather.js';
import { linear } from '../../lib/ops/linear.js';
import { matmul } from '../../lib/ops/matmul.js';
import { sum } from '../../lib/ops/reduce.js';
import { flatten, reshape } from '../../lib/ops/reshape.js';
import { softmax } from '../../lib/ops/softmax.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { describeRefusals, of, whole } from '../helpers/refusal-cases.js';

const one = { mean: [0], std: [1] };

describeRefusals({
  matrices: [
    [
      'linear: features',
      () => linear(of([2, 5]), of([3, 4])),
      'ERR_SHAPE',
      { expected: 'input [n, 4] to match weight [3, 4]', received: '[2, 5]', hint: /h \* w \* c/ },
    ],
    ['linear: an image', () => linear(of([1, 8, 8, 3]), of([3, 4])), 'ERR_SHAPE', { expected: /rank 2/ }],
    ['linear: bias', () => linear(of([2, 4]), of([3, 4]), of([4])), 'ERR_SHAPE', { expected: /bias \[3\]/ }],
    [
      'linear: precision',
      () => linear(of([2, 4], 'float64'), of([3, 4])),
      'ERR_DTYPE',
      { expected: 'weight to be float64' },
    ],
    [
      'matmul: sizes',
      () => matmul(of([2, 4]), of([3, 4])),
      'ERR_SHAPE',
      { expected: 'b [4, n] to match a [2, 4]', received: '[3, 4]' },
    ],
    ['matmul: rank', () => matmul(of([2, 4]), of([4])), 'ERR_SHAPE', { expected: /b of rank 2/ }],
    ['matmul: whole numbers', () => matmul(of([2, 4], 'int32'), of([4, 2])), 'ERR_DTYPE', {}],
    [
      'matmul: a result beyond 2^31',
      () => matmul(of([65536, 1]), of([1, 65536])),
      'ERR_SHAPE',
      { expected: /2\^31/ },
    ],
  ],
  elementwise: [
    [
      'add: shapes',
      () => add(of([2, 3]), of([3, 2])),
      'ERR_SHAPE',
      { expected: 'two tensors of one shape', received: '[2, 3] and [3, 2]' },
    ],
    ['add: no broadcasting', () => add(of([2, 3]), of([3])), 'ERR_SHAPE', {}],
    ['add: precision', () => add(of([3]), of([3], 'float64')), 'ERR_DTYPE', { expected: 'b to be float32' }],
    [
      'multiply: whole numbers',
      () => multiply(of([3], 'uint8'), of([3], 'uint8')),
      'ERR_DTYPE',
      { hint: /cast/ },
    ],
    ['relu: whole numbers', () => relu(of([3], 'int32')), 'ERR_DTYPE', { op: 'relu', received: 'int32' }],
    ['scale: text', () => scale(of([3]), '2' as unknown as number), 'ERR_ARGUMENT', { received: '"2"' }],
    [
      'scale: a tensor',
      () => scale(of([3]), of([3]) as unknown as number),
      'ERR_ARGUMENT',
      { received: 'Tensor', hint: /multiply/ },
    ],
    ['cast: whole numbers', () => cast(of([3]), 'int32' as 'float32'), 'ERR_DTYPE', { received: '"int32"' }],
    [
      'dropout: p of 1',
      () => dropout(of([3]), 1),
      'ERR_ARGUMENT',
      { expected: 'p from 0 to below 1', received: '1' },
    ],
    ['dropout: negative p', () => dropout(of([3]), -0.1), 'ERR_ARGUMENT', {}],
    ['dropout: p is no number', () => dropout(of([3]), Number.NaN), 'ERR_ARGUMENT', {}],
    ['dropout: p is text', () => dropout(of([3]), '0.5' as unknown as number), 'ERR_ARGUMENT', {}],
    [
      'dropout: generator',
      () => dropout(of([3]), 0.5, 7 as never),
      'ERR_ARGUMENT',
      { expected: /Generator/ },
    ],
    ['sum: whole numbers', () => sum(of([3], 'int32')), 'ERR_DTYPE', {}],
    [
      'reshape: size',
      () => reshape(of([2, 3]), [4]),
      'ERR_SHAPE',
      { expected: 'a shape of 6 elements, as [2, 3] has', received: '[4]' },
    ],
    ['reshape: -1', () => reshape(of([2, 3]), [-1]), 'ERR_SHAPE', { received: '[-1]' }],
    ['flatten: a scalar', () => flatten(of([])), 'ERR_SHAPE', { received: 'a scalar' }],
    ['softmax: a scalar', () => softmax(of([])), 'ERR_SHAPE', { received: 'a scalar' }],
  ],
  labels: [
    [
      'out of range',
      () => crossEntropy(of([3, 4]), whole([0, 4, 1])),
      'ERR_DATA',
      { op: 'crossEntropy', expected: 'labels from 0 to 3', received: 'label 4 at row 1' },
    ],
    [
      'negative',
      () => crossEntropy(of([3, 4]), whole([0, 1, -1])),
      'ERR_DATA',
      { received: 'label -1 at row 2' },
    ],
    [
      'in double precision',
      () => crossEntropy(of([3, 4], 'float64'), whole([9, 0, 0])),
      'ERR_DATA',
      { received: 'label 9 at row 0' },
    ],
    [
      'of float32',
      () => crossEntropy(of([3, 4]), of([3])),
      'ERR_DTYPE',
      { expected: 'labels to be int32', received: 'float32', hint: /Int32Array/ },
    ],
    ['of uint8', () => crossEntropy(of([3, 4]), of([3], 'uint8')), 'ERR_DTYPE', { received: 'uint8' }],
    [
      'too few',
      () => crossEntropy(of([3, 4]), of([2], 'int32')),
      'ERR_SHAPE',
      { expected: /labels \[3\]/, received: '[2]' },
    ],
    ['one-hot', () => crossEntropy(of([3, 4]), of([3, 4], 'int32')), 'ERR_SHAPE', { received: '[3, 4]' }],
    [
      'for logits of rank 1',
      () => crossEntropy(of([4]), of([4], 'int32')),
      'ERR_SHAPE',
      { expected: /\[n, classes\]/ },
    ],
    [
      'counted: too many',
      () => countCorrect(of([3, 4]), of([4], 'int32')),
      'ERR_SHAPE',
      { op: 'countCorrect' },
    ],
    ['counted: of float32', () => countCorrect(of([3, 4]), of([3])), 'ERR_DTYPE', {}],
    ['argmax: rank', () => argmax(of([4])), 'ERR_SHAPE', {}],
  ],
  gather: [
    [
      'an index out of range',
      () => gatherImages(of([2, 2, 2, 1]), whole([0, 2]), one),
      'ERR_DATA',
      { expected: 'indices from 0 to 1', received: 'index 2 at position 1' },
    ],
    [
      'a negative index',
      () => gatherImages(of([2, 2, 2, 1], 'uint8'), whole([-1]), one),
      'ERR_DATA',
      { received: /index -1/ },
    ],
    [
      'indices of float32',
      () => gatherImages(of([2, 2, 2, 1]), of([2]), one),
      'ERR_DTYPE',
      { expected: 'indices to be int32' },
    ],
    [
      'indices of rank 2',
      () => gatherImages(of([2, 2, 2, 1]), of([1, 2], 'int32'), one),
      'ERR_SHAPE',
      { expected: /rank 1/ },
    ],
    ['images of rank 3', () => gatherImages(of([2, 2, 2]), of([2], 'int32'), one), 'ERR_SHAPE', {}],
    [
      'images of float64',
      () => gatherImages(of([2, 2, 2, 1], 'float64'), of([2], 'int32'), one),
      'ERR_DTYPE',
      { expected: 'images to be uint8 or float32' },
    ],
    [
      'a mean too few',
      () => gatherImages(of([2, 2, 2, 3]), of([2], 'int32'), one),
      'ERR_ARGUMENT',
      { expected: /each of 3 channels/ },
    ],
    [
      'a std of 0',
      () => gatherImages(of([2, 2, 2, 1]), of([2], 'int32'), { mean: [0], std: [0] }),
      'ERR_ARGUMENT',
      { received: /std \[0\]/ },
    ],
    [
      '17 channels',
      () =>
        gatherImages(of([1, 1, 1, 17]), of([1], 'int32'), {
          mean: Array(17).fill(0),
          std: Array(17).fill(1),
        }),
      'ERR_ARGUMENT',
      { expected: /at most 16/ },
    ],
    [
      'a label that is not there',
      () => gatherLabels(of([3], 'int32'), whole([0, 3])),
      'ERR_DATA',
      { received: 'index 3 at position 1' },
    ],
    [
      'labels of uint8',
      () => gatherLabels(of([3], 'uint8'), of([1], 'int32')),
      'ERR_DTYPE',
      { expected: 'labels to be int32' },
    ],
  ],
});

test('afterwards the same tensors work', () =>
  tensorScope(() => {
    expect(linear(of([2, 4]), of([3, 4]), of([3])).shape).toEqual([2, 3]);
    expect(crossEntropy(of([3, 4]), of([3], 'int32')).item()).toBeGreaterThan(0);
    expect(gatherImages(of([2, 2, 2, 1]), of([2], 'int32'), one).shape).toEqual([2, 2, 2, 1]);
  }));
