// SPDX-License-Identifier: Apache-2.0
// Every layer: gradients by finite differences in float64, options, and what is refused when it is made.
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { tensor } from '../../lib/tensor/create.js';
import { Generator, manualSeed, randn } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { gradcheck } from '../helpers/gradients.js';
import { refused } from '../helpers/refused.js';

const image = [2, 5, 6, 3];
const LAYERS: [string, () => nn.Module, number[]][] = [
  ['Conv2d 3x3', () => new nn.Conv2d(3, 2, { kernelSize: 3 }), image],
  ['Conv2d padded', () => new nn.Conv2d(3, 4, { kernelSize: 3, padding: 1 }), image],
  [
    'Conv2d strided, uneven',
    () => new nn.Conv2d(3, 2, { kernelSize: [2, 4], stride: [2, 1], padding: [0, 2] }),
    image,
  ],
  ['Conv2d without bias', () => new nn.Conv2d(3, 2, { kernelSize: 1, bias: false }), image],
  [
    'Conv2d by im2col',
    () => new nn.Conv2d(3, 2, { kernelSize: 3, stride: 2, padding: 1, algorithm: 'im2col' }),
    image,
  ],
  ['Linear', () => new nn.Linear(7, 4), [3, 7]],
  ['Linear without bias', () => new nn.Linear(7, 4, { bias: false }), [1, 7]],
  ['MaxPool2d', () => new nn.MaxPool2d(2), image],
  ['MaxPool2d overlapping', () => new nn.MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 }), image],
  ['AvgPool2d', () => new nn.AvgPool2d(2), image],
  ['AvgPool2d overlapping', () => new nn.AvgPool2d({ kernelSize: [3, 2], stride: 1, padding: 1 }), image],
  [
    'AvgPool2d without padding in the mean',
    () => new nn.AvgPool2d({ kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }),
    image,
  ],
  ['LPPool2d', () => new nn.LPPool2d(2, 2), image],
  ['LPPool2d overlapping', () => new nn.LPPool2d(2, { kernelSize: 3, stride: 1, padding: 1 }), image],
  ['ReLU', () => new nn.ReLU(), image],
  ['Tanh', () => new nn.Tanh(), image],
  ['Sigmoid', () => new nn.Sigmoid(), image],
  ['Softmax', () => new nn.Softmax(), [4, 5]],
  ['Dropout in use', () => new nn.Dropout(0.5).eval(), image],
  ['Flatten', () => new nn.Flatten(), image],
  ['Identity', () => new nn.Identity(), image],
  [
    'Sequential',
    () =>
      new nn.Sequential(
        new nn.Conv2d(3, 4, { kernelSize: 3, padding: 1 }),
        new nn.Tanh(),
        new nn.LPPool2d(2, 2),
        new nn.Flatten(),
        new nn.Linear(24, 3),
        new nn.Softmax(),
      ),
    image,
  ],
];

describe('gradients by finite differences', () => {
  it.each(LAYERS)('%s', (_, make, shape) => {
    manualSeed(7);
    using layer = make().to('float64');
    using _scope = tensorScope();
    const x = randn(shape, { dtype: 'float64', requiresGrad: true });
    gradcheck(() => layer.call(x), [x, ...layer.parameters()]);
  });

  it('Dropout while training, which draws the same elements for both passes', () => {
    using _scope = tensorScope();
    const x = randn([4, 6], { dtype: 'float64', requiresGrad: true });
    const layer = new nn.Dropout(0.4);
    gradcheck(() => {
      manualSeed(5);
      return layer.call(x);
    }, [x]);
  });

  it('crossEntropy behind a linear layer', () => {
    using layer = new nn.Linear(4, 3).to('float64');
    using _scope = tensorScope();
    const x = randn([5, 4], { dtype: 'float64', requiresGrad: true });
    const labels = tensor(Int32Array.of(0, 2, 1, 1, 2));
    gradcheck(() => crossEntropy(layer.call(x), labels), [x, ...layer.parameters()]);
  });
});

describe('Dropout', () => {
  it('is the identity in use, and keeps the expectation while training', () => {
    using _scope = tensorScope();
    const x = tensor(new Float32Array(100_000).fill(1));
    const layer = new nn.Dropout(0.25);
    const dropped = layer.call(x).data();
    const kept = dropped.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(kept.length / x.size).toBeGreaterThan(0.745);
    expect(kept.length / x.size).toBeLessThan(0.755);
    expect(layer.eval().call(x)).toBe(x);
  });
});

describe('AvgPool2d', () => {
  it('counts the padding in the mean unless told not to', () => {
    using _scope = tensorScope();
    const x = tensor([1, 2, 3, 4], [1, 2, 2, 1]);
    const window = { kernelSize: 2, padding: 1 };
    expect([...new nn.AvgPool2d(window).call(x).data()]).toEqual([0.25, 0.5, 0.75, 1]);
    const without = new nn.AvgPool2d({ ...window, countIncludePad: false });
    expect([...without.call(x).data()]).toEqual([1, 2, 3, 4]);
  });
});

describe('what layers refuse', () => {
  const conv = (options: object, inC = 1, outC = 1) =>
    refused(() => new nn.Conv2d(inC, outC, options as nn.Conv2dOptions));

  it.each([
    ['no kernel', () => conv({})],
    ['no options', () => refused(() => new nn.Conv2d(1, 1, undefined as never))],
    ['a kernel of 0', () => conv({ kernelSize: 0 })],
    ['half a kernel', () => conv({ kernelSize: 2.5 })],
    ['three sizes', () => conv({ kernelSize: [3, 3, 3] })],
    ['a stride of 0', () => conv({ kernelSize: 3, stride: 0 })],
    ['negative padding', () => conv({ kernelSize: 3, padding: -1 })],
    ['padding by another name', () => conv({ kernelSize: 3, padding: 'full' })],
    ["padding 'same' with a stride", () => conv({ kernelSize: 3, padding: 'same', stride: 2 })],
    ['a dilation of 0', () => conv({ kernelSize: 3, dilation: 0 })],
    ['groups that do not divide the channels', () => conv({ kernelSize: 3, groups: 2 }, 3, 4)],
    ['groups that do not divide the outputs', () => conv({ kernelSize: 3, groups: 2 }, 4, 3)],
    ['half a group', () => conv({ kernelSize: 3, groups: 0.5 })],
    ['a bias by name', () => conv({ kernelSize: 3, bias: 'no' })],
    ["Winograd's algorithm in groups", () => conv({ kernelSize: 3, groups: 2, algorithm: 'winograd' }, 2, 2)],
    ['two sizes for a sequence', () => refused(() => new nn.Conv1d(1, 1, { kernelSize: [3, 3] as never }))],
    [
      'a transposed layer of the same size',
      () => refused(() => new nn.ConvTranspose2d(1, 1, { kernelSize: 3, padding: 'same' as never })),
    ],
    [
      'an output padding as large as the stride',
      () => refused(() => new nn.ConvTranspose2d(1, 1, { kernelSize: 3, stride: 2, outputPadding: 2 })),
    ],
    ['another algorithm', () => conv({ kernelSize: 3, algorithm: 'fft' })],
    ["Winograd's algorithm for 7x7", () => conv({ kernelSize: 7, algorithm: 'winograd' })],
    [
      "Winograd's algorithm set for a stride of 2",
      () =>
        refused(() => {
          new nn.Conv2d(1, 1, { kernelSize: 3, stride: 2 }).algorithm = 'winograd';
        }),
    ],
    ['no channels', () => conv({ kernelSize: 3 }, 0)],
    ['channels that are no number', () => conv({ kernelSize: 3 }, 1, '8' as never)],
    ['no features', () => refused(() => new nn.Linear(0, 1))],
    ['infinite features', () => refused(() => new nn.Linear(1, Infinity))],
    [
      'flattenedFrom of another size',
      () => refused(() => new nn.Linear(12, 1, { flattenedFrom: [2, 2, 2] })),
    ],
    ['flattenedFrom of rank 2', () => refused(() => new nn.Linear(4, 1, { flattenedFrom: [2, 2] as never }))],
    ['a window of nothing', () => refused(() => new nn.MaxPool2d(undefined as never))],
    ['a window of null', () => refused(() => new nn.MaxPool2d(null as never))],
    ['too much padding', () => refused(() => new nn.AvgPool2d({ kernelSize: 2, padding: 2 }))],
    ['another norm', () => refused(() => new nn.LPPool2d(0, 2))],
    ['dropping everything', () => refused(() => new nn.Dropout(1))],
    ['dropping NaN', () => refused(() => new nn.Dropout(NaN))],
    ['a function in a Sequential', () => refused(() => new nn.Sequential((() => 0) as never))],
  ])('%s', (_, body) => {
    expect(body().code).toBe('ERR_ARGUMENT');
  });

  it('options it does not know, with the one that was meant or why not', () => {
    expect(conv({ kernelSize: 3, pading: 1 })).toMatchObject({
      received: 'pading',
      hint: 'did you mean padding?',
    });
    expect(conv({ kernelSize: 3, paddingMode: 'reflect' }).hint).toBe('this version does not support it');
    expect(conv({ kernelSize: 3, group: 2 })).toMatchObject({
      expected: 'only the options kernelSize, stride, padding, dilation, groups, algorithm, bias',
      hint: 'did you mean groups?',
    });
    expect(refused(() => new nn.MaxPool2d({ kernelSize: 2, dilation: 2 } as never)).received).toBe(
      'dilation',
    );
    expect(refused(() => new nn.Linear(1, 1, { biass: false } as never)).hint).toBe('did you mean bias?');
  });
});

describe('initialisers', () => {
  const moments = (values: ArrayLike<number>) => {
    const list = Array.from(values);
    const mean = list.reduce((total, value) => total + value, 0) / list.length;
    const variance = list.reduce((total, value) => total + (value - mean) ** 2, 0) / list.length;
    return { mean, std: Math.sqrt(variance), largest: Math.max(...list.map(Math.abs)) };
  };
  const filled = (shape: number[], fill: (parameter: nn.Parameter) => unknown) => {
    using parameter = new nn.Parameter(shape);
    fill(parameter);
    return moments(parameter.data());
  };
  const shape = [32, 3, 5, 20]; // fanIn 300, fanOut 480; 9,600 numbers

  it.each([
    ['kaimingUniform_', () => filled(shape, (w) => nn.init.kaimingUniform_(w)), Math.sqrt(6 / 300)],
    [
      'kaimingUniform_ fanOut',
      () => filled(shape, (w) => nn.init.kaimingUniform_(w, { mode: 'fanOut' })),
      Math.sqrt(6 / 480),
    ],
    [
      'kaimingUniform_ leaky',
      () => filled(shape, (w) => nn.init.kaimingUniform_(w, { a: 2 })),
      Math.sqrt(6 / 5 / 300),
    ],
    ['xavierUniform_', () => filled(shape, (w) => nn.init.xavierUniform_(w)), Math.sqrt(6 / 780)],
    [
      'xavierUniform_ gain',
      () => filled(shape, (w) => nn.init.xavierUniform_(w, { gain: 3 })),
      3 * Math.sqrt(6 / 780),
    ],
    ['uniform_', () => filled(shape, (w) => nn.init.uniform_(w, -2, 2)), 2],
    [
      'Conv2d',
      () => moments(new nn.Conv2d(20, 32, { kernelSize: [3, 5] }).weight.data()),
      1 / Math.sqrt(300),
    ],
    ['Conv2d bias', () => moments(new nn.Conv2d(4, 9_600, { kernelSize: 1 }).bias!.data()), 1 / 2],
    ['Linear', () => moments(new nn.Linear(100, 96).weight.data()), 1 / 10],
    ['Linear bias', () => moments(new nn.Linear(4, 9_600).bias!.data()), 1 / 2],
  ])('%s is uniform in its bounds', (_, fill, bound) => {
    manualSeed(11);
    const { mean, std, largest } = fill();
    expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(largest).toBeGreaterThan(bound * 0.998);
    expect(Math.abs(mean)).toBeLessThan(0.025 * bound); // 4 standard errors
    expect(Math.abs(std / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.02);
  });

  it.each([
    ['kaimingNormal_', (w: nn.Parameter) => nn.init.kaimingNormal_(w), Math.sqrt(2 / 300)],
    [
      'kaimingNormal_ fanOut',
      (w: nn.Parameter) => nn.init.kaimingNormal_(w, { mode: 'fanOut' }),
      Math.sqrt(2 / 480),
    ],
    ['xavierNormal_', (w: nn.Parameter) => nn.init.xavierNormal_(w), Math.sqrt(2 / 780)],
    ['normal_', (w: nn.Parameter) => nn.init.normal_(w, 0, 3), 3],
  ])('%s has its standard deviation', (_, fill, wanted) => {
    manualSeed(12);
    const { mean, std, largest } = filled(shape, fill);
    expect(Math.abs(mean)).toBeLessThan(0.041 * wanted);
    expect(Math.abs(std / wanted - 1)).toBeLessThan(0.03);
    expect(largest).toBeGreaterThan(3 * wanted);
    expect(largest).toBeLessThan(6 * wanted);
  });

  it('follows the seed, or the generator it is given, and leaves nothing behind', () => {
    const before = memory().tensors;
    const draw = (seed: number) => {
      manualSeed(seed);
      using layer = new nn.Linear(3, 3);
      return [...layer.weight.data(), ...layer.bias!.data()];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    using a = new nn.Parameter([4, 4]);
    using b = new nn.Parameter([4, 4]);
    nn.init.kaimingNormal_(a, { generator: new Generator(9) });
    nn.init.kaimingNormal_(b, { generator: new Generator(9) });
    expect(a.data()).toEqual(b.data());
    nn.init.constant_(a, 3);
    expect(new Set(a.data())).toEqual(new Set([3]));
    expect(memory().tensors).toBe(before + 2);
  });

  it('refuses a weight without fans, and options that are no numbers', () => {
    using bias = new nn.Parameter([3]);
    using weight = new nn.Parameter([3, 3]);
    expect(refused(() => nn.init.kaimingUniform_(bias)).code).toBe('ERR_SHAPE');
    expect(refused(() => nn.init.kaimingUniform_(weight, { a: NaN })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => nn.init.kaimingNormal_(weight, { mode: 'fan_in' as never })).code).toBe(
      'ERR_ARGUMENT',
    );
    expect(refused(() => nn.init.constant_(weight, Infinity)).code).toBe('ERR_ARGUMENT');
    expect([...weight.data()]).toEqual(new Array(9).fill(0));
  });
});
