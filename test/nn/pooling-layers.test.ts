// SPDX-License-Identifier: Apache-2.0
// Layers that pool and resize: they do what their operation does with the options they were made with, and refuse others.
import { describe, expect, it } from 'vitest';
import * as lib from '../../lib/index.js';
import { nn, type Tensor, tensorScope } from '../../lib/index.js';
import { operand } from '../helpers/operands.js';
import { refused } from '../helpers/refused.js';

const window = { kernelSize: 3, stride: 2, padding: 1, ceilMode: true };
const [image, sequence] = [
  [2, 6, 7, 3],
  [2, 8, 3],
];

type Case = [layer: nn.Module, op: (x: Tensor) => Tensor, shape: number[], text: string];
const layers: Case[] = [
  [
    new nn.MaxPool2d(window),
    (x) => lib.maxPool2d(x, window),
    image,
    'MaxPool2d(kernelSize=[3, 3], stride=[2, 2], padding=[1, 1], ceilMode=true)',
  ],
  [
    new nn.AvgPool2d({ ...window, countIncludePad: false }),
    (x) => lib.avgPool2d(x, { ...window, countIncludePad: false }),
    image,
    'AvgPool2d(kernelSize=[3, 3], stride=[2, 2], padding=[1, 1], ceilMode=true, countIncludePad=false)',
  ],
  [
    new nn.LPPool2d(3, 2),
    (x) => lib.lpPool2d(x, { kernelSize: 2, normType: 3 }),
    image,
    'LPPool2d(normType=3, kernelSize=[2, 2], stride=[2, 2], padding=[0, 0])',
  ],
  [new nn.AdaptiveMaxPool2d(4), (x) => lib.adaptiveMaxPool2d(x, 4), image, 'AdaptiveMaxPool2d([4, 4])'],
  [
    new nn.AdaptiveAvgPool2d([null, 2]),
    (x) => lib.adaptiveAvgPool2d(x, [null, 2]),
    image,
    'AdaptiveAvgPool2d([null, 2])',
  ],
  [new nn.GlobalMaxPool2d(), lib.globalMaxPool2d, image, 'GlobalMaxPool2d()'],
  [
    new nn.SpatialPyramidPool2d([1, 3], { mode: 'avg' }),
    (x) => lib.spatialPyramidPool2d(x, [1, 3], { mode: 'avg' }),
    image,
    'SpatialPyramidPool2d([1, 3], mode=avg)',
  ],
  [
    new nn.MaxPool1d(2),
    (x) => lib.maxPool1d(x, { kernelSize: 2 }),
    sequence,
    'MaxPool1d(kernelSize=2, stride=2, padding=0)',
  ],
  [
    new nn.AvgPool1d({ ...window, countIncludePad: false }),
    (x) => lib.avgPool1d(x, { ...window, countIncludePad: false }),
    sequence,
    'AvgPool1d(kernelSize=3, stride=2, padding=1, ceilMode=true, countIncludePad=false)',
  ],
  [
    new nn.LPPool1d(1, 4),
    (x) => lib.lpPool1d(x, { kernelSize: 4, normType: 1 }),
    sequence,
    'LPPool1d(normType=1, kernelSize=4, stride=4, padding=0)',
  ],
  [new nn.AdaptiveMaxPool1d(3), (x) => lib.adaptiveMaxPool1d(x, 3), sequence, 'AdaptiveMaxPool1d(3)'],
  [new nn.AdaptiveAvgPool1d(3), (x) => lib.adaptiveAvgPool1d(x, 3), sequence, 'AdaptiveAvgPool1d(3)'],
  [
    new nn.Upsample({ scaleFactor: 2 }),
    (x) => lib.upsample(x, { scaleFactor: 2 }),
    image,
    'Upsample(scaleFactor=[2, 2], mode=nearest)',
  ],
  [
    new nn.Upsample({ size: [4, 9], mode: 'bilinear', alignCorners: true }),
    (x) => lib.upsample(x, { size: [4, 9], mode: 'bilinear', alignCorners: true }),
    image,
    'Upsample(size=[4, 9], mode=bilinear, alignCorners=true)',
  ],
  [new nn.Dropout2d(0.25).eval(), (x) => x, image, 'Dropout2d(p=0.25)'],
  [new nn.StochasticDepth(0.25, 'batch').eval(), (x) => x, image, 'StochasticDepth(p=0.25, mode=batch)'],
];

describe('layers', () => {
  it.each(layers.map((row) => [row[3], row] as const))('%s', (_, [layer, op, shape, text]) => {
    using _scope = tensorScope();
    const x = operand(shape, 0, 'float32');
    const [y, wanted] = [layer.call(x), op(x)];
    expect(y.shape).toEqual(wanted.shape);
    expect(y.data()).toEqual(wanted.data());
    expect(String(layer)).toBe(text);
  });

  it('gives one length for images of any size', () => {
    using _scope = tensorScope();
    const layer = new nn.SpatialPyramidPool2d([1, 2, 4]);
    for (const shape of [
      [1, 1, 1, 5],
      [1, 3, 17, 5],
      [1, 32, 32, 5],
    ]) {
      expect(layer.call(operand(shape, 0, 'float32')).shape).toEqual([1, 105]);
    }
  });

  const besides = { stride: 2, padding: 1, ceilMode: true };
  it.each([
    [new nn.MaxPool2d(3, besides), new nn.MaxPool2d({ kernelSize: 3, ...besides })],
    [new nn.AvgPool2d([3, 2], besides), new nn.AvgPool2d({ kernelSize: [3, 2], ...besides })],
    [
      new nn.AvgPool2d(3, { ...besides, countIncludePad: false }),
      new nn.AvgPool2d({ kernelSize: 3, ...besides, countIncludePad: false }),
    ],
    [new nn.LPPool2d(2, 3, besides), new nn.LPPool2d(2, { kernelSize: 3, ...besides })],
    [new nn.MaxPool1d(3, besides), new nn.MaxPool1d({ kernelSize: 3, ...besides })],
    [
      new nn.AvgPool1d(3, { ...besides, countIncludePad: false }),
      new nn.AvgPool1d({ kernelSize: 3, ...besides, countIncludePad: false }),
    ],
    [new nn.LPPool1d(2, 3, besides), new nn.LPPool1d(2, { kernelSize: 3, ...besides })],
  ])('%s takes the size of its window first, too', (short, long) => {
    expect(short).toEqual(long);
    expect(short.ceilMode).toBe(true);
  });

  it.each([
    ['an unknown one', () => new nn.MaxPool2d(3, { strides: 2 } as never), 'strides'],
    ['a size twice', () => new nn.AvgPool2d(3, { kernelSize: 2 } as never), 'kernelSize'],
    ['two objects', () => new nn.MaxPool2d({ kernelSize: 3 }, { stride: 2 }), /^two: /],
    ['a number', () => new nn.LPPool1d(2, 3, 2 as never), '2'],
  ])('refuse options behind the size: %s', (_, make, received) => {
    expect(refused(make)).toMatchObject({
      code: 'ERR_ARGUMENT',
      received: typeof received === 'string' ? received : expect.stringMatching(received),
    });
  });

  it.each([
    ['ceilMode that is no boolean', () => new nn.MaxPool2d({ kernelSize: 2, ceilMode: 1 as never })],
    ['countIncludePad that is none', () => new nn.AvgPool2d({ kernelSize: 2, countIncludePad: 1 as never })],
    ['a norm of 1.5', () => new nn.LPPool2d(1.5, 2)],
    ['a pair for a sequence', () => new nn.MaxPool1d([1, 2] as never)],
    ['padding over half', () => new nn.AvgPool1d({ kernelSize: 2, padding: 2 })],
    ['a norm of nothing', () => new nn.LPPool1d(0, 2)],
    ['a size of 0', () => new nn.AdaptiveAvgPool2d(0)],
    ['a size of nothing', () => new nn.AdaptiveMaxPool2d(undefined as never)],
    ['a size of half', () => new nn.AdaptiveAvgPool1d(0.5)],
    ['no levels', () => new nn.SpatialPyramidPool2d([])],
    ['another pyramid', () => new nn.SpatialPyramidPool2d([1], { mode: 'min' as never })],
    ['no size', () => new nn.Upsample({})],
    ['another mode', () => new nn.Upsample({ size: 2, mode: 'cubic' as never })],
    ['dropping all channels', () => new nn.Dropout2d(1)],
    ['dropping every branch', () => new nn.StochasticDepth(1)],
    ['dropping columns', () => new nn.StochasticDepth(0.5, 'column' as never)],
  ])('refuse %s', (_, make) => {
    expect(refused(make).code).toBe('ERR_ARGUMENT');
  });
});
