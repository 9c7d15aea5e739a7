// SPDX-License-Identifier: Apache-2.0
// What convolution and pooling refuse, in which words; and that afterwards the same tensors work.
import { expect, test } from 'vitest';
import { type Conv2dOptions, conv2d } from '../../lib/ops/conv2d.js';
import { avgPool2d, lpPool2d, maxPool2d, type Pool2dOptions } from '../../lib/ops/pool2d.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { describeRefusals, of, type RefusalCase } from '../helpers/refusal-cases.js';

const image = () => of([1, 8, 8, 3]);
const weight = () => of([4, 3, 3, 3]);
const conv = (options: Record<string, unknown>) => conv2d(image(), weight(), null, options as Conv2dOptions);

describeRefusals({
  conv2d: [
    [
      'a rank of 3',
      () => conv2d(of([8, 8, 3]), weight()),
      'ERR_SHAPE',
      { expected: 'input of rank 4, [n, h, w, c]', received: '[8, 8, 3]' },
    ],
    [
      'an option that it does not have',
      () => conv({ padding: 1, padingMode: 'zeros' }),
      'ERR_ARGUMENT',
      { expected: 'only the options stride, padding, dilation, groups, algorithm', received: 'padingMode' },
    ],
    ['no options at all', () => conv2d(image(), weight(), null, null as never), 'ERR_ARGUMENT', {}],
    [
      // The zero-bordered image would have 2^62 pixels, and 4 bytes for each more than 64 bits can tell
      'a border beyond all memory',
      () => conv2d(of([1, 2, 2, 1]), of([1, 1, 1, 1]), null, { padding: 2 ** 30, stride: 2 ** 30 }),
      'ERR_SHAPE',
      {
        expected: /zero-bordered input of fewer than 2\^31/,
        received: '2147483649x2147483649 for 3x3 outputs',
      },
    ],
    [
      'a weight of rank 2',
      () => conv2d(image(), of([4, 27])),
      'ERR_SHAPE',
      { expected: 'weight of rank 4, [outC, kH, kW, inC / groups]', received: '[4, 27]' },
    ],
    [
      'other channels',
      () => conv2d(of([1, 8, 8, 5]), weight()),
      'ERR_SHAPE',
      { expected: /3 channels to match weight \[4, 3, 3, 3\]/, received: '[1, 8, 8, 5]' },
    ],
    ['channels first', () => conv2d(of([1, 3, 8, 8]), weight()), 'ERR_SHAPE', { hint: /channels last/ }],
    [
      'a bias of another size',
      () => conv2d(image(), weight(), of([3])),
      'ERR_SHAPE',
      { expected: /bias \[4\]/, received: '[3]' },
    ],
    [
      'a bias of rank 2',
      () => conv2d(image(), weight(), of([1, 4])),
      'ERR_SHAPE',
      { expected: /bias \[4\]/ },
    ],
    [
      'whole numbers',
      () => conv2d(of([1, 8, 8, 3], 'uint8'), weight()),
      'ERR_DTYPE',
      { received: 'uint8', hint: /cast/ },
    ],
    [
      'mixed precision',
      () => conv2d(image(), of([4, 3, 3, 3], 'float64')),
      'ERR_DTYPE',
      { expected: 'weight to be float32', received: 'float64' },
    ],
    [
      'a bias of mixed precision',
      () => conv2d(image(), weight(), of([4], 'float64')),
      'ERR_DTYPE',
      { expected: 'bias to be float32' },
    ],
    [
      'a kernel larger than the image',
      () => conv2d(of([1, 2, 8, 3]), weight()),
      'ERR_SHAPE',
      {
        expected: 'a kernel no larger than the padded input, 2x8',
        received: 'kernelSize 3x3',
        hint: /\[n, h, w, c\]/,
      },
    ],
    [
      'a kernel larger than the padded image',
      () => conv2d(of([1, 2, 8, 3]), of([1, 7, 3, 3]), null, { padding: [2, 0] }),
      'ERR_SHAPE',
      { expected: /6x8/ },
    ],
    [
      'a fractional stride',
      () => conv({ stride: 1.5 }),
      'ERR_ARGUMENT',
      { expected: /stride to be a whole number of at least 1/, received: '1.5' },
    ],
    ['a stride of 0', () => conv({ stride: 0 }), 'ERR_ARGUMENT', { received: '0' }],
    ['a negative stride', () => conv({ stride: [1, -2] }), 'ERR_ARGUMENT', { received: '[1, -2]' }],
    ['a stride that is no number', () => conv({ stride: Number.NaN }), 'ERR_ARGUMENT', { received: 'NaN' }],
    ['a stride of text', () => conv({ stride: '2' }), 'ERR_ARGUMENT', { received: '"2"' }],
    ['a stride for three axes', () => conv({ stride: [1, 1, 1] }), 'ERR_ARGUMENT', { received: '[1, 1, 1]' }],
    ['a stride with holes', () => conv({ stride: new Array(2) }), 'ERR_ARGUMENT', {}],
    [
      'a negative padding',
      () => conv({ padding: -1 }),
      'ERR_ARGUMENT',
      { expected: /padding to be a whole number of at least 0/, received: '-1' },
    ],
    ['a fractional padding', () => conv({ padding: [0, 0.5] }), 'ERR_ARGUMENT', { received: '[0, 0.5]' }],
    ['an endless padding', () => conv({ padding: Infinity }), 'ERR_ARGUMENT', { received: 'Infinity' }],
    [
      'a result beyond 2^31 elements',
      () => conv({ padding: 1e5 }),
      'ERR_SHAPE',
      { expected: /2\^31/, received: /200006/ },
    ],
    ['a result beyond 2^63 bytes', () => conv({ padding: [1e9, 8e8] }), 'ERR_SHAPE', { expected: /2\^31/ }],
    ['a padding near the largest number', () => conv({ padding: Number.MAX_SAFE_INTEGER }), 'ERR_SHAPE', {}],
    [
      'an unknown algorithm',
      () => conv({ algorithm: 'fft' }),
      'ERR_ARGUMENT',
      { expected: "algorithm 'auto', 'direct', 'winograd' or 'im2col'", received: '"fft"' },
    ],
    [
      "Winograd's algorithm with a stride",
      () => conv({ algorithm: 'winograd', stride: 2 }),
      'ERR_ARGUMENT',
      {
        expected: "a 3x3 or 5x5 kernel, stride 1, dilation 1 and 1 group for algorithm 'winograd'",
        received: /stride 2x2/,
      },
    ],
  ],
  pooling: ([maxPool2d, avgPool2d, lpPool2d] as const).flatMap((pool): RefusalCase[] => {
    const call = (options: unknown) => () => pool(image(), options as Pool2dOptions);
    const op = { op: pool.name };
    return [
      [
        `${pool.name}: a rank of 2`,
        () => pool(of([8, 8]), { kernelSize: 2 }),
        'ERR_SHAPE',
        { ...op, expected: /rank 4/ },
      ],
      [
        `${pool.name}: whole numbers`,
        () => pool(of([1, 8, 8, 3], 'int32'), { kernelSize: 2 }),
        'ERR_DTYPE',
        op,
      ],
      [
        `${pool.name}: an option that it does not have`,
        call({ kernelSize: 2, dilation: 2 }),
        'ERR_ARGUMENT',
        { ...op, expected: /^only the options kernelSize, stride, padding/, received: 'dilation' },
      ],
      [
        `${pool.name}: a number in place of options`,
        call(2),
        'ERR_ARGUMENT',
        { ...op, expected: /an object/, received: '2' },
      ],
      [
        `${pool.name}: no kernel`,
        call({}),
        'ERR_ARGUMENT',
        { ...op, expected: /kernelSize/, received: 'undefined' },
      ],
      [`${pool.name}: a kernel of 0`, call({ kernelSize: 0 }), 'ERR_ARGUMENT', op],
      [`${pool.name}: a kernel of 2.5`, call({ kernelSize: 2.5 }), 'ERR_ARGUMENT', op],
      [
        `${pool.name}: a kernel larger than the image`,
        call({ kernelSize: 9 }),
        'ERR_SHAPE',
        { ...op, received: 'kernelSize 9x9' },
      ],
      [`${pool.name}: a stride of -1`, call({ kernelSize: 2, stride: -1 }), 'ERR_ARGUMENT', op],
      [
        `${pool.name}: padding over half the kernel`,
        call({ kernelSize: 3, padding: 2 }),
        'ERR_ARGUMENT',
        { ...op, expected: /half the kernel, 3x3/, received: '2x2', hint: /padding alone/ },
      ],
      [
        `${pool.name}: padding over half of one side`,
        call({ kernelSize: [4, 2], padding: [2, 2] }),
        'ERR_ARGUMENT',
        op,
      ],
    ];
  }),
});

test('afterwards the same tensors work', () =>
  tensorScope(() => {
    expect(conv2d(image(), weight(), of([4]), { padding: 1 }).shape).toEqual([1, 8, 8, 4]);
    expect(maxPool2d(image(), { kernelSize: 2 }).shape).toEqual([1, 4, 4, 3]);
  }));
