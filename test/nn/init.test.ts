// SPDX-License-Identifier: Apache-2.0
// Initialisers: exact properties, and statistics of fixed seeds within five standard errors.
import { describe, expect, it } from 'vitest';
import { Generator, manualSeed, nn, type Tensor, zeros } from '../../lib/index.js';
import { normalCdf, normalQuantile } from '../../lib/nn/normal-distribution.js';
import { expectRefusal } from '../helpers/refusal.js';

const { init } = nn;
const SHAPE = [40, 5, 5, 24]; // fans of 600 and 1000

/** What an initialiser makes of zeros, as numbers. */
function filled(
  shape: readonly number[],
  fill: (tensor: Tensor) => Tensor,
  { seed = 3, dtype = 'float32' as 'float32' | 'float64' } = {},
): number[] {
  manualSeed(seed);
  using tensor = zeros(shape, { dtype });
  expect(fill(tensor)).toBe(tensor);
  return Array.from(tensor.data());
}

function statistics(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

/** Within five standard errors of a sample of this size; the spread of a square is at most that of a normal one. */
function expectStatistics(values: readonly number[], mean: number, std: number): void {
  const found = statistics(values);
  const error = 5 / Math.sqrt(values.length);
  expect(Math.abs(found.mean - mean)).toBeLessThan(error * std);
  expect(Math.abs(found.std / std - 1)).toBeLessThan(error / Math.SQRT2);
}

describe('gains', () => {
  it("are PyTorch's", () => {
    const gains = (['linear', 'conv', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu'] as const).map((name) =>
      init.calculateGain(name),
    );
    expect(gains).toEqual([1, 1, 1, 5 / 3, Math.SQRT2, Math.sqrt(2 / 1.0001), 0.75]);
    expect(init.calculateGain('leakyRelu', 3)).toBe(Math.sqrt(0.2));
  });

  it('of an unknown nonlinearity are refused', () => {
    const wanted = { expected: /linear, conv, sigmoid/, hint: 'did you mean relu?' };
    expectRefusal(() => init.calculateGain('relo' as never), 'ERR_ARGUMENT', wanted);
    expectRefusal(() => init.calculateGain('leakyRelu', NaN), 'ERR_ARGUMENT', { expected: /slope/ });
  });
});

describe('kaiming and xavier', () => {
  const kinds = ['linear', 'sigmoid', 'tanh', 'relu', 'selu'] as const;
  it.each(kinds.flatMap((kind) => (['fanIn', 'fanOut'] as const).map((mode) => [kind, mode] as const)))(
    'kaiming for %s, %s',
    (nonlinearity, mode) => {
      const std = init.calculateGain(nonlinearity) / Math.sqrt(mode === 'fanIn' ? 600 : 1000);
      const options = { nonlinearity, mode };
      expectStatistics(
        filled(SHAPE, (w) => init.kaimingNormal_(w, options)),
        0,
        std,
      );
      const uniform = filled(SHAPE, (w) => init.kaimingUniform_(w, options));
      expectStatistics(uniform, 0, std);
      expect(Math.max(...uniform.map(Math.abs))).toBeLessThanOrEqual(Math.fround(Math.sqrt(3) * std));
      expect(Math.max(...uniform)).toBeGreaterThan(0.999 * Math.sqrt(3) * std);
    },
  );

  it('the slope belongs to leakyRelu, the default', () => {
    expectStatistics(
      filled(SHAPE, (w) => init.kaimingNormal_(w, { a: 2 })),
      0,
      Math.sqrt(0.4 / 600),
    );
    const of = (options: object) => filled([4, 4], (w) => init.kaimingNormal_(w, options));
    expect(of({ nonlinearity: 'tanh', a: 2 })).toEqual(of({ nonlinearity: 'tanh' }));
    expect(of({})).toEqual(of({ nonlinearity: 'relu' }));
  });

  it('xavier with a gain', () => {
    const gain = init.calculateGain('tanh');
    const std = gain * Math.sqrt(2 / 1600);
    expectStatistics(
      filled(SHAPE, (w) => init.xavierNormal_(w, { gain })),
      0,
      std,
    );
    expectStatistics(
      filled(SHAPE, (w) => init.xavierUniform_(w, { gain })),
      0,
      std,
    );
  });

  it('keep the size of signals through ten layers of ReLU', () => {
    manualSeed(1);
    const layers = Array.from({ length: 10 }, () => new nn.Linear(256, 256, { bias: false }));
    for (const { weight } of layers) init.kaimingNormal_(weight);
    using net = new nn.Sequential(...layers.flatMap((layer) => [layer, new nn.ReLU()]));
    using x = init.normal_(zeros([64, 256]));
    const { std } = statistics(Array.from(net.call(x).data()));
    expect(std).toBeGreaterThan(0.3);
    expect(std).toBeLessThan(3);
  });
});

describe('layers begin as those of PyTorch', () => {
  it('Conv2d and Linear: uniform in ±1 / sqrt(fanIn), weight and bias', () => {
    manualSeed(4);
    using conv = new nn.Conv2d(24, 400, { kernelSize: 5 });
    using linear = new nn.Linear(600, 400);
    const std = 1 / Math.sqrt(600) / Math.sqrt(3);
    for (const { weight, bias } of [conv, linear]) {
      expectStatistics(Array.from(weight.data()), 0, std);
      expectStatistics(Array.from((bias as Tensor).data()), 0, std);
      const largest = Array.from(weight.data()).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(600)));
    }
  });

  it('BatchNorm2d: weight 1, bias 0, mean 0, variance 1', () => {
    using norm = new nn.BatchNorm2d(3);
    const state = [...norm.stateDict()].map(([name, { dtype, shape }]) => [name, dtype, shape]);
    expect(state.map(([name]) => name)).toContain('running_var');
    const values = Object.fromEntries(
      [...norm.stateDict()].map(([name, value]) => [name, [...value.data()]]),
    );
    expect(values).toMatchObject({ weight: [1, 1, 1], bias: [0, 0, 0] });
    expect(values).toMatchObject({ running_mean: [0, 0, 0], running_var: [1, 1, 1] });
  });
});

describe('constants', () => {
  it('zeros, ones, and any other', () => {
    expect(filled([3], (w) => init.ones_(w))).toEqual([1, 1, 1]);
    expect(filled([2], (w) => init.zeros_(init.ones_(w)))).toEqual([0, 0]);
    expect(filled([2], (w) => init.constant_(w, -0.5), { dtype: 'float64' })).toEqual([-0.5, -0.5]);
  });
});

describe('truncated normal', () => {
  /** Mean and standard deviation of a normal distribution that is cut off, from the textbook. */
  const expected = ({ mean = 0, std = 1, a = -2, b = 2 }) => {
    const [low, high] = [(a - mean) / std, (b - mean) / std];
    const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const share = normalCdf(high) - normalCdf(low);
    const shift = (density(low) - density(high)) / share;
    const variance = 1 + (low * density(low) - high * density(high)) / share - shift ** 2;
    return { mean: mean + std * shift, std: std * Math.sqrt(variance) };
  };

  it.each([
    {},
    { std: 0.02 },
    { mean: 1, std: 2, a: 0, b: 1.5 },
    { a: 1.5, b: 4 },
    { mean: 0.5, std: 0.1, a: 0.3, b: 0.45 },
  ])('%j', (options) => {
    const values = filled([100, 300], (w) => init.truncNormal_(w, options));
    const { mean, std } = expected(options);
    expectStatistics(values, mean, std);
    const { a = -2, b = 2 } = options as { a?: number; b?: number };
    expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.fround(a));
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(b));
    expect(new Set(values).size).toBeGreaterThan(25_000); // nothing is heaped up at the bounds
  });

  it('far out in a tail stays between its bounds, as dense as an exponential there', () => {
    const values = filled([20_000], (w) => init.truncNormal_(w, { a: 8, b: 9 }), { dtype: 'float64' });
    expect(Math.min(...values)).toBeGreaterThanOrEqual(8);
    expect(Math.max(...values)).toBeLessThanOrEqual(9);
    const { mean } = statistics(values);
    expect(mean).toBeGreaterThan(8.1);
    expect(mean).toBeLessThan(8.14); // 8 + about 1 / 8
  });

  it('the distribution and its inverse belong together', () => {
    // From tables (Abramowitz and Stegun 1964, tables 26.1 and 26.2)
    for (const [x, p] of [
      [0, 0.5],
      [-1, 0.15865525393145707],
      [-2, 0.02275013194817921],
      [-5, 2.866515718791939e-7],
      [-10, 7.61985302416047e-24],
      [1.5, 0.9331927987311419],
    ]) {
      expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-9);
      expect(normalQuantile(p)).toBeCloseTo(x, 8);
    }
    for (let p = 1e-12; p < 1; p += 0.00713) {
      expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-8);
    }
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
  });
});

describe('orthogonal', () => {
  it.each([
    [[20, 50], 1],
    [[50, 20], 1],
    [[32, 32], 2],
    [[16, 3, 3, 4], 1],
    [[64, 3, 3, 2], Math.SQRT2],
    [[1, 7], 1],
  ] as const)('%j, gain %d: QᵀQ = gain² I', (shape, gain) => {
    for (const [dtype, tolerance] of [
      ['float64', 1e-14],
      ['float32', 4e-7],
    ] as const) {
      const values = filled(shape, (w) => init.orthogonal_(w, { gain }), { dtype });
      const [rows, columns] = [shape[0], values.length / shape[0]];
      const isWide = rows <= columns;
      const at = (vector: number, k: number) =>
        isWide ? values[vector * columns + k] : values[k * columns + vector];
      const [vectors, length] = isWide ? [rows, columns] : [columns, rows];
      for (let i = 0; i < vectors; i++) {
        for (let j = 0; j <= i; j++) {
          let product = 0;
          for (let k = 0; k < length; k++) product += at(i, k) * at(j, k);
          expect(Math.abs(product - (i === j ? gain ** 2 : 0))).toBeLessThan(tolerance * gain ** 2);
        }
      }
    }
  });

  it('prefers no direction', () => {
    // Each element of a random orthogonal [n, n] matrix has mean 0 and variance 1 / n.
    const values = Array.from({ length: 300 }, (_, seed) =>
      filled([8, 8], (w) => init.orthogonal_(w), { seed }),
    );
    expectStatistics(values.flat(), 0, Math.sqrt(1 / 8));
    for (const place of [0, 9, 63]) {
      const { mean } = statistics(values.map((matrix) => matrix[place]));
      expect(Math.abs(mean)).toBeLessThan((5 * Math.sqrt(1 / 8)) / Math.sqrt(300));
    }
  });
});

describe('dirac', () => {
  it('hands channels on through the middle of the window', () => {
    expect(filled([3, 3, 2], (w) => init.dirac_(w))).toEqual([
      ...[0, 0, 1, 0, 0, 0],
      ...[0, 0, 0, 1, 0, 0],
      ...[0, 0, 0, 0, 0, 0],
    ]);
    const grouped = filled([4, 1, 1, 2], (w) => init.dirac_(w, { groups: 2 }));
    expect(grouped).toEqual([1, 0, 0, 1, 1, 0, 0, 1]);
    const kept = (w: Tensor) => init.dirac_(init.constant_(w, 7), { groups: 2, keepRest: true });
    expect(filled([4, 1, 1, 1], kept)).toEqual([1, 7, 1, 7]);
    expect(filled([3, 1, 1, 2], (w) => init.dirac_(init.constant_(w, 7), { keepRest: true }))).toEqual([
      ...[1, 0, 0, 1],
      ...[7, 7],
    ]);
    expect(filled([1, 1, 1, 2], (w) => init.dirac_(w, { keepRest: true }))).toEqual([1, 0]);
  });

  it('makes a convolution the identity', () => {
    using conv = new nn.Conv2d(3, 3, { kernelSize: 3, padding: 1, bias: false });
    init.dirac_(conv.weight);
    manualSeed(2);
    using x = init.normal_(zeros([2, 5, 4, 3]));
    expect(conv.call(x).data()).toEqual(x.data());
  });
});

describe('all of them', () => {
  const draws: [string, (tensor: Tensor, generator?: Generator) => Tensor][] = [
    ['uniform_', (w, generator) => init.uniform_(w, -1, 1, generator)],
    ['normal_', (w, generator) => init.normal_(w, 0, 1, generator)],
    ['kaimingUniform_', (w, generator) => init.kaimingUniform_(w, generator && { generator })],
    ['kaimingNormal_', (w, generator) => init.kaimingNormal_(w, generator && { generator })],
    ['xavierUniform_', (w, generator) => init.xavierUniform_(w, generator && { generator })],
    ['xavierNormal_', (w, generator) => init.xavierNormal_(w, generator && { generator })],
    ['truncNormal_', (w, generator) => init.truncNormal_(w, generator && { generator })],
    ['orthogonal_', (w, generator) => init.orthogonal_(w, generator && { generator })],
  ];

  it.each(draws)('%s follows manualSeed, or its generator', (_, fill) => {
    const of = (seed: number) => filled([6, 10], (w) => fill(w), { seed });
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    const own = (seed: number) => filled([6, 10], (w) => fill(w, new Generator(7)), { seed });
    expect(own(1)).toEqual(own(2));
  });

  it('are fixed by one seed, layer by layer', () => {
    const build = () => {
      manualSeed(11);
      using net = new nn.Sequential(new nn.Conv2d(1, 4, { kernelSize: 3 }), new nn.Linear(8, 3));
      for (const weight of net.parameters()) if (weight.shape.length > 1) init.orthogonal_(weight);
      init.truncNormal_(net.parameters()[1]);
      return net.parameters().map((weight) => [...weight.data()]);
    };
    expect(build()).toEqual(build());
  });
});

describe('what they refuse', () => {
  const weight = zeros([4, 3]);
  const bias = zeros([4]);
  const whole = zeros([4, 3], { dtype: 'int32' });
  const window = zeros([4, 1, 1]);
  it.each([
    ['a std of 0', () => init.truncNormal_(weight, { std: 0 }), 'ERR_ARGUMENT', /std above 0/],
    ['bounds the wrong way', () => init.truncNormal_(weight, { a: 2, b: -2 }), 'ERR_ARGUMENT', /a below b/],
    ['an infinite bound', () => init.truncNormal_(weight, { b: Infinity }), 'ERR_ARGUMENT', /finite/],
    ['an unknown option', () => init.truncNormal_(weight, { low: 1 } as never), 'ERR_ARGUMENT', /mean, std/],
    ['whole numbers', () => init.truncNormal_(whole), 'ERR_DTYPE', /float32 or float64/],
    ['whole numbers for rows', () => init.orthogonal_(whole), 'ERR_DTYPE', /float32 or float64/],
    ['a vector', () => init.orthogonal_(bias), 'ERR_SHAPE', /rank 2 or more/],
    ['a gain that is none', () => init.orthogonal_(weight, { gain: NaN }), 'ERR_ARGUMENT', /gain/],
    ['a matrix', () => init.dirac_(weight), 'ERR_SHAPE', /\[outC, …, inC\]/],
    ['half a group', () => init.dirac_(weight, { groups: 0.5 }), 'ERR_ARGUMENT', /groups/],
    ['keepRest of 1', () => init.dirac_(window, { keepRest: 1 as never }), 'ERR_ARGUMENT', /keepRest/],
    ['groups that do not divide', () => init.dirac_(window, { groups: 3 }), 'ERR_SHAPE', /of 3/],
    [
      'a nonlinearity',
      () => init.kaimingNormal_(weight, { nonlinearity: 'gelu' as never }),
      'ERR_ARGUMENT',
      /relu/,
    ],
  ] as const)('%s', (_, body, code, expected) => {
    expectRefusal(body, code, { expected });
    expect([...weight.data()]).toEqual(new Array(12).fill(0));
  });
});
