// SPDX-License-Identifier: Apache-2.0
// What dilation, groups, padding by rule, conv1d and convTranspose2d refuse, in which words; and the layer's path in front.
import { expect, test } from 'vitest';
import * as nn from '../../lib/nn/index.js';
import { type ConvTranspose2dOptions, convTranspose2d } from '../../lib/ops/conv-transpose2d.js';
import { type Conv1dOptions, conv1d } from '../../lib/ops/conv1d.js';
import { type Conv2dOptions, conv2d } from '../../lib/ops/conv2d.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { describeRefusals, of } from '../helpers/refusal-cases.js';
import { refused } from '../helpers/refused.js';

const image = () => of([1, 8, 8, 6]);
const conv = (options: object, weight = of([4, 3, 3, 3])) =>
  conv2d(image(), weight, null, options as Conv2dOptions);
const along = (options: object, weight = of([4, 3, 6])) =>
  conv1d(of([1, 8, 6]), weight, null, options as Conv1dOptions);
const transposed = (options: object, weight = of([6, 3, 3, 4])) =>
  convTranspose2d(image(), weight, null, options as ConvTranspose2dOptions);

describeRefusals({
  conv2d: [
    [
      'channels that are not those of all groups',
      () => conv({ groups: 4 }, of([4, 3, 3, 3])),
      'ERR_SHAPE',
      {
        op: 'conv2d',
        expected: 'input with 12 channels to match weight [4, 3, 3, 3] in 4 groups',
        received: '[1, 8, 8, 6]',
      },
    ],
    [
      'outputs that groups do not divide',
      () => conv({ groups: 2 }, of([5, 3, 3, 3])),
      'ERR_SHAPE',
      { expected: 'a weight whose outputs 2 groups divide', received: '5 outputs of weight [5, 3, 3, 3]' },
    ],
    [
      'no groups',
      () => conv({ groups: 0 }),
      'ERR_ARGUMENT',
      { expected: /groups to be a whole number of at least 1/, received: '0' },
    ],
    ['groups for each axis', () => conv({ groups: [2, 2] }), 'ERR_ARGUMENT', { received: '[2, 2]' }],
    [
      'a dilation beyond the image',
      () => conv({ groups: 2, dilation: [2, 4] }),
      'ERR_SHAPE',
      {
        expected: 'a kernel no larger than the padded input, 8x8',
        received: 'kernelSize 3x3, dilation 2x4: 5x9',
        hint: /\[n, h, w, c\]/,
      },
    ],
    [
      'a dilation of 0',
      () => conv({ groups: 2, dilation: 0 }),
      'ERR_ARGUMENT',
      { expected: /dilation to be a whole number of at least 1/ },
    ],
    [
      'a fractional dilation',
      () => conv({ groups: 2, dilation: [1, 1.5] }),
      'ERR_ARGUMENT',
      { received: '[1, 1.5]' },
    ],
    [
      'a dilation near the largest number',
      () => conv({ groups: 2, dilation: Number.MAX_SAFE_INTEGER }),
      'ERR_SHAPE',
      { expected: /no larger than the padded input/ },
    ],
    [
      'the same size with a stride',
      () => conv({ groups: 2, padding: 'same', stride: [1, 2] }),
      'ERR_ARGUMENT',
      { expected: "stride 1 for padding 'same'", received: 'stride 1x2', hint: /in numbers/ },
    ],
    [
      'padding by another name',
      () => conv({ groups: 2, padding: 'Same' }),
      'ERR_ARGUMENT',
      { expected: "padding to be a whole number of at least 0, 'same' or 'valid'", received: '"Same"' },
    ],
    [
      "Winograd's algorithm with dilation",
      () => conv({ groups: 2, dilation: 2, algorithm: 'winograd' }),
      'ERR_ARGUMENT',
      { received: 'kernel 3x3, stride 1x1, dilation 2x2, groups 2', hint: /'auto'/ },
    ],
  ],
  conv1d: [
    [
      'an image',
      () => conv1d(image(), of([4, 3, 6])),
      'ERR_SHAPE',
      { op: 'conv1d', expected: 'input of rank 3, [n, l, c]' },
    ],
    [
      'the weight of an image',
      () => along({}, of([4, 3, 3, 6])),
      'ERR_SHAPE',
      { expected: 'weight of rank 3, [outC, k, inC / groups]' },
    ],
    [
      'channels first',
      () => conv1d(of([1, 6, 8]), of([4, 3, 6])),
      'ERR_SHAPE',
      { hint: 'sequences are [n, l, c], channels last' },
    ],
    [
      'a pair of strides',
      () => along({ stride: [1, 1] }),
      'ERR_ARGUMENT',
      { expected: 'stride to be a whole number of at least 1' },
    ],
    [
      'a bias of another size',
      () => conv1d(of([1, 8, 6]), of([4, 3, 6]), of([3])),
      'ERR_SHAPE',
      { expected: /bias \[4\]/ },
    ],
    [
      'a kernel longer than the sequence',
      () => along({ dilation: 4 }),
      'ERR_SHAPE',
      {
        expected: 'a kernel no larger than the padded input, 8',
        received: 'kernelSize 3, dilation 4: 9',
        hint: /sequence .* \[n, l, c\]/,
      },
    ],
    ['an output padding', () => along({ outputPadding: 1 }), 'ERR_ARGUMENT', { received: 'outputPadding' }],
    ["Winograd's algorithm", () => along({ algorithm: 'winograd' }), 'ERR_ARGUMENT', { op: 'conv1d' }],
    ['whole numbers', () => conv1d(of([1, 8, 6], 'int32'), of([4, 3, 6])), 'ERR_DTYPE', { hint: /cast/ }],
  ],
  convTranspose2d: [
    [
      'channels of another weight',
      () => transposed({}, of([5, 3, 3, 4])),
      'ERR_SHAPE',
      { op: 'convTranspose2d', expected: 'input with 5 channels to match weight [5, 3, 3, 4]' },
    ],
    [
      'inputs that groups do not divide',
      () => transposed({ groups: 4 }),
      'ERR_SHAPE',
      { expected: 'a weight whose inputs 4 groups divide' },
    ],
    [
      'an output padding as large as stride and dilation',
      () => transposed({ stride: 2, outputPadding: [1, 2] }),
      'ERR_ARGUMENT',
      { expected: 'outputPadding smaller than stride 2x2 or dilation 1x1', received: '1x2' },
    ],
    [
      'a negative output padding',
      () => transposed({ outputPadding: -1 }),
      'ERR_ARGUMENT',
      { expected: /outputPadding to be/ },
    ],
    [
      'padding by rule',
      () => transposed({ padding: 'same' }),
      'ERR_ARGUMENT',
      { expected: /padding to be a whole number/, received: '"same"' },
    ],
    [
      'a padding that leaves nothing',
      () => transposed({ padding: 5 }),
      'ERR_SHAPE',
      { expected: /leaves one pixel/, received: 'padding 5x5, a result of 0x0' },
    ],
    ['a result beyond 2^31 elements', () => transposed({ stride: 1e5 }), 'ERR_SHAPE', { expected: /2\^31/ }],
    [
      'a bias of a group',
      () => convTranspose2d(image(), of([6, 3, 3, 4]), of([4]), { groups: 2 }),
      'ERR_SHAPE',
      { expected: /bias \[8\]/ },
    ],
    [
      'mixed precision',
      () => transposed({}, of([6, 3, 3, 4], 'float64')),
      'ERR_DTYPE',
      { expected: 'weight to be float32' },
    ],
    ['an unknown option', () => transposed({ outputSize: 3 }), 'ERR_ARGUMENT', { received: 'outputSize' }],
    ['no options', () => convTranspose2d(image(), of([6, 3, 3, 4]), null, null as never), 'ERR_ARGUMENT', {}],
  ],
});

test('errors of a layer name its path', () =>
  tensorScope(() => {
    class Net extends nn.Module {
      readonly features = new nn.Sequential(
        new nn.Conv2d(6, 6, { kernelSize: 3, groups: 6 }),
        new nn.Conv2d(6, 6, { kernelSize: 3, dilation: 4 }),
      );
      override forward(x: Parameters<nn.Module['forward']>[0]) {
        return this.features.call(x);
      }
    }
    using model = new Net();
    const error = refused(() => model.call(of([1, 8, 8, 6])));
    expect(error).toMatchObject({
      code: 'ERR_SHAPE',
      path: 'features.1',
      received: 'kernelSize 3x3, dilation 4x4: 9x9',
    });
  }));
