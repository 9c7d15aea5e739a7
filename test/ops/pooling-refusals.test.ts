// SPDX-License-Identifier: Apache-2.0
// What poolings to a given size, poolings of sequences, resizing and dropout in groups refuse, in which words.
import { expect, test } from 'vitest';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalMaxPool2d,
  type SpatialPyramidPool2dOptions,
  spatialPyramidPool2d,
} from '../../lib/ops/adaptive-pool2d.js';
import { dropout2d, type StochasticDepthMode, stochasticDepth } from '../../lib/ops/dropout-groups.js';
import {
  adaptiveMaxPool1d,
  avgPool1d,
  type LPPool1dOptions,
  lpPool1d,
  maxPool1d,
} from '../../lib/ops/pool1d.js';
import { avgPool2d, type LPPool2dOptions, lpPool2d, maxPool2d } from '../../lib/ops/pool2d.js';
import { type UpsampleOptions, upsample } from '../../lib/ops/upsample.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { describeRefusals, of, type RefusalCase } from '../helpers/refusal-cases.js';

const image = () => of([1, 8, 8, 3]);
const sequence = () => of([1, 8, 3]);
const resize = (options: unknown) => () => upsample(image(), options as UpsampleOptions);
const pyramid = (levels: unknown, options: unknown = {}) =>
  spatialPyramidPool2d(image(), levels as number[], options as SpatialPyramidPool2dOptions);

describeRefusals({
  'rounding up': [
    [
      'ceilMode that is no boolean',
      () => maxPool2d(image(), { kernelSize: 2, ceilMode: 'yes' as never }),
      'ERR_ARGUMENT',
      { op: 'maxPool2d', expected: /ceilMode to be true or false/, received: '"yes"' },
    ],
    [
      'countIncludePad that is no boolean',
      () => avgPool2d(image(), { kernelSize: 2, countIncludePad: 1 as never }),
      'ERR_ARGUMENT',
      { op: 'avgPool2d', expected: /countIncludePad to be true or false/ },
    ],
    [
      'a kernel that no window has room for',
      () => maxPool2d(image(), { kernelSize: 12, stride: 3, ceilMode: true }),
      'ERR_SHAPE',
      { received: 'kernelSize 12x12' },
    ],
  ],
  norms: [0, -2, 1.5, 65, Infinity, '2'].flatMap((normType): RefusalCase[] => [
    [
      `lpPool2d: ${normType}`,
      () => lpPool2d(image(), { kernelSize: 2, normType } as LPPool2dOptions),
      'ERR_ARGUMENT',
      { op: 'lpPool2d', expected: /normType to be a whole number/ },
    ],
    [
      `lpPool1d: ${normType}`,
      () => lpPool1d(sequence(), { kernelSize: 2, normType } as LPPool1dOptions),
      'ERR_ARGUMENT',
      { op: 'lpPool1d', expected: /normType to be a whole number/ },
    ],
  ]),
  'given sizes': [
    ...[adaptiveMaxPool2d, adaptiveAvgPool2d].flatMap((pool): RefusalCase[] => [
      [
        `${pool.name}: a rank of 3`,
        () => pool(of([8, 8, 3]), 2),
        'ERR_SHAPE',
        { op: pool.name, expected: /rank 4/ },
      ],
      [`${pool.name}: whole numbers`, () => pool(of([1, 8, 8, 3], 'int32'), 2), 'ERR_DTYPE', {}],
      ...[0, -1, 1.5, [2], [2, 0], [2, 2, 2], 'all', null, undefined].map(
        (size): RefusalCase => [
          `${pool.name}: a size of ${JSON.stringify(size)}`,
          () => pool(image(), size as never),
          'ERR_ARGUMENT',
          { op: pool.name, expected: /outputSize to be a whole number of at least 1, or a pair/ },
        ],
      ),
      [
        `${pool.name}: a result beyond 2^31 elements`,
        () => pool(image(), 2 ** 17),
        'ERR_SHAPE',
        { expected: /2\^31/ },
      ],
    ]),
    [
      'globalMaxPool2d: a rank of 3',
      () => globalMaxPool2d(of([8, 8, 3])),
      'ERR_SHAPE',
      { op: 'globalMaxPool2d' },
    ],
    [
      'a pyramid without levels',
      () => pyramid([]),
      'ERR_ARGUMENT',
      { op: 'spatialPyramidPool2d', expected: /\[1, 2, 4\]/, received: '[]' },
    ],
    ['a pyramid of a number', () => pyramid(4), 'ERR_ARGUMENT', { received: '4' }],
    ['a level of 0', () => pyramid([1, 0]), 'ERR_ARGUMENT', { expected: /each level/, received: '0' }],
    ['a pyramid of norms', () => pyramid([1], { mode: 'lp' }), 'ERR_ARGUMENT', { received: '"lp"' }],
    ['an unknown option', () => pyramid([1], { modes: 'avg' }), 'ERR_ARGUMENT', { hint: /mode/ }],
  ],
  sequences: [
    [
      'an image',
      () => maxPool1d(image() as never, { kernelSize: 2 }),
      'ERR_SHAPE',
      { op: 'maxPool1d', expected: 'input of rank 3, [n, l, c]' },
    ],
    [
      'a kernel of two sizes',
      () => maxPool1d(sequence(), { kernelSize: [1, 2] as never }),
      'ERR_ARGUMENT',
      { op: 'maxPool1d', expected: /kernelSize to be a whole number/ },
    ],
    [
      'too long a kernel',
      () => avgPool1d(sequence(), { kernelSize: 9 }),
      'ERR_SHAPE',
      { op: 'avgPool1d', received: 'kernelSize 1x9' },
    ],
    [
      'too much padding',
      () => maxPool1d(sequence(), { kernelSize: 3, padding: 2 }),
      'ERR_ARGUMENT',
      { op: 'maxPool1d', hint: /padding alone/ },
    ],
    [
      'an unknown option',
      () => maxPool1d(sequence(), { kernelSize: 2, strides: 1 } as never),
      'ERR_ARGUMENT',
      {},
    ],
    [
      'a pair of sizes',
      () => adaptiveMaxPool1d(sequence(), [1, 2] as never),
      'ERR_ARGUMENT',
      { op: 'adaptiveMaxPool1d', expected: /outputSize/ },
    ],
  ],
  upsample: [
    ['no options', resize(undefined), 'ERR_ARGUMENT', {}],
    [
      'neither size nor factor',
      resize({}),
      'ERR_ARGUMENT',
      { expected: 'one of size and scaleFactor', received: 'neither' },
    ],
    ['both', resize({ size: 4, scaleFactor: 2 }), 'ERR_ARGUMENT', { received: 'both' }],
    ['a size of 0', resize({ size: 0 }), 'ERR_ARGUMENT', { expected: /size to be a whole number/ }],
    ['half a size', resize({ size: [4, 2.5] }), 'ERR_ARGUMENT', {}],
    ...[0, -1, NaN, Infinity, '2', [2], [2, 0]].map(
      (scaleFactor): RefusalCase => [
        `a factor of ${JSON.stringify(scaleFactor)}`,
        resize({ scaleFactor }),
        'ERR_ARGUMENT',
        { op: 'upsample', expected: /scaleFactor to be a number above 0/ },
      ],
    ),
    [
      'a factor that leaves nothing',
      resize({ scaleFactor: 0.1 }),
      'ERR_SHAPE',
      { expected: /at least 1x1/, received: /0x0, from 8x8/ },
    ],
    ['a factor beyond 2^31 elements', resize({ scaleFactor: 1e5 }), 'ERR_SHAPE', { expected: /2\^31/ }],
    ['a factor beyond all numbers', resize({ scaleFactor: 1e308 }), 'ERR_SHAPE', { expected: /2\^31/ }],
    ['another mode', resize({ size: 4, mode: 'bicubic' }), 'ERR_ARGUMENT', { received: '"bicubic"' }],
    [
      'corners of nearest pixels',
      resize({ size: 4, alignCorners: true }),
      'ERR_ARGUMENT',
      { expected: /'bilinear' only/ },
    ],
    ['corners by name', resize({ size: 4, mode: 'bilinear', alignCorners: 'no' }), 'ERR_ARGUMENT', {}],
    ['a sequence', () => upsample(sequence(), { size: 4 }), 'ERR_SHAPE', { expected: /rank 4/ }],
    ['whole numbers', () => upsample(of([1, 8, 8, 3], 'uint8'), { size: 4 }), 'ERR_DTYPE', {}],
  ],
  dropout: [
    ...[1, -0.1, NaN, '0.5'].flatMap((p): RefusalCase[] => [
      [`dropout2d: ${p}`, () => dropout2d(image(), p as number), 'ERR_ARGUMENT', { op: 'dropout2d' }],
      [
        `stochasticDepth: ${p}`,
        () => stochasticDepth(image(), p as number),
        'ERR_ARGUMENT',
        { op: 'stochasticDepth', expected: 'p from 0 to below 1' },
      ],
    ]),
    [
      'a generator that is none',
      () => dropout2d(image(), 0.5, {} as never),
      'ERR_ARGUMENT',
      { expected: /Generator/ },
    ],
    ['a matrix', () => dropout2d(of([4, 3]), 0.5), 'ERR_SHAPE', { expected: /rank 4/ }],
    [
      'another mode',
      () => stochasticDepth(image(), 0.5, 'column' as StochasticDepthMode),
      'ERR_ARGUMENT',
      { expected: "mode 'row' or 'batch'", received: '"column"' },
    ],
    ['a scalar', () => stochasticDepth(of([]), 0.5), 'ERR_SHAPE', { received: 'a scalar' }],
    ['whole numbers', () => stochasticDepth(of([2, 2], 'int32'), 0.5), 'ERR_DTYPE', {}],
  ],
});

test('afterwards the same tensors work', () =>
  tensorScope(() => {
    expect(maxPool2d(image(), { kernelSize: 3, stride: 2, ceilMode: true }).shape).toEqual([1, 4, 4, 3]);
    expect(adaptiveMaxPool2d(image(), [3, null]).shape).toEqual([1, 3, 8, 3]);
    expect(pyramid([1, 2, 4]).shape).toEqual([1, 63]);
    expect(maxPool1d(sequence(), { kernelSize: 2 }).shape).toEqual([1, 4, 3]);
    expect(upsample(image(), { scaleFactor: [2, 0.5] }).shape).toEqual([1, 16, 4, 3]);
  }));
