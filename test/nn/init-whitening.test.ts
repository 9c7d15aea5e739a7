// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { conv2d, manualSeed, nn, randn, type Tensor, tensor, tensorScope } from '../../lib/index.js';
import { expectRelative, readGolden } from '../helpers/golden.js';
import { refused } from '../helpers/refused.js';

const SIZE = 12; // of a patch of 2 x 2 pixels and 3 channels

/** Pictures whose neighbours are alike, as in photographs: noise, summed along rows and mixed between channels. */
function pictures(n: number): Tensor {
  const values = randn([n, 9, 8, 3], { dtype: 'float64' }).data() as Float64Array;
  for (let i = 3; i < values.length; i++) values[i] = 0.5 * values[i - 3] + 0.3 * values[i - 1] + values[i];
  return tensor(values, [n, 9, 8, 3]);
}

/** Means of the products of two outputs, over all pixels. */
function moments(outputs: Tensor): (i: number, j: number) => number {
  const [n, h, w, c] = outputs.shape;
  const values = outputs.data() as Float64Array;
  return (i, j) => {
    let sum = 0;
    for (let pixel = 0; pixel < n * h * w; pixel++) sum += values[pixel * c + i] * values[pixel * c + j];
    return sum / (n * h * w);
  };
}

describe('whitening_', () => {
  test("gives PyTorch's weights", () => {
    using _ = tensorScope();
    const golden = readGolden('airbench.safetensors');
    const { data: pixels } = golden.channelsLastAt('images');
    const { data, shape } = golden.channelsLastAt('whitening');
    for (const [dtype, tolerance] of [['float64', 1e-11] as const, ['float32', 1e-5] as const]) {
      const images = tensor(pixels, [24, 20, 20, 3], { dtype });
      const weight = nn.init.whitening_(tensor(new Float64Array(data.length), shape, { dtype }), images);
      expectRelative(weight.data(), data, tolerance, dtype);
    }
  });

  test('makes outputs uncorrelated and equally strong, and each once more with the opposite sign', () => {
    using _ = tensorScope();
    manualSeed(3);
    const images = pictures(20);
    const weight = nn.init.whitening_(tensor(new Float64Array(26 * SIZE), [26, 2, 2, 3]), images, {
      eps: 1e-12,
    });
    const of = moments(conv2d(images, weight));
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < SIZE; j++) {
        expect(of(i, j)).toBeCloseTo(i === j ? 1 : 0, 8);
        expect(of(i, SIZE + j)).toBeCloseTo(i === j ? -1 : 0, 8);
      }
      expect(of(2 * SIZE, i)).toBe(0); // beyond both signs there is nothing
    }
  });

  test('begins with the strongest direction, and eps holds back the weak ones', () => {
    using _ = tensorScope();
    manualSeed(4);
    const images = pictures(20);
    const zeros = () => tensor(new Float64Array(SIZE * SIZE), [SIZE, 2, 2, 3]);
    const plain = nn.init.whitening_(zeros(), images, { eps: 1e-12 }).data();
    const held = nn.init.whitening_(zeros(), images, { eps: 0.5 }).data();
    let before = Number.POSITIVE_INFINITY;
    for (let i = 0; i < SIZE; i++) {
      const norm = Math.hypot(...Array.from(plain.subarray(i * SIZE, (i + 1) * SIZE), Number));
      const strength = 1 / norm ** 2;
      expect(strength).toBeLessThanOrEqual(before);
      before = strength;
      const ratio = Number(held[i * SIZE]) / Number(plain[i * SIZE]);
      expect(ratio).toBeCloseTo(Math.sqrt(strength / (strength + 0.5)), 6);
    }
  });

  test('fills float32 weights of a layer, and only as many outputs as there are', () => {
    using _ = tensorScope();
    manualSeed(5);
    const images = randn([10, 6, 6, 3]);
    using layer = new nn.Conv2d(3, 5, { kernelSize: 2 });
    expect(nn.init.whitening_(layer.weight, images)).toBe(layer.weight);
    const wide = nn.init.whitening_(tensor(new Float32Array(24 * SIZE), [24, 2, 2, 3]), images);
    expect([...layer.weight.data()]).toEqual([...wide.data()].slice(0, 5 * SIZE));
  });

  test('refuses what does not fit, and leaves the weight as it was', () => {
    using _ = tensorScope();
    const weight = tensor(new Float32Array(SIZE).fill(7), [1, 2, 2, 3]);
    const images = randn([2, 4, 4, 3]);
    const attempts = [
      [() => nn.init.whitening_(weight, randn([2, 4, 4, 1])), 'ERR_SHAPE'],
      [() => nn.init.whitening_(weight, randn([2, 1, 4, 3])), 'ERR_SHAPE'],
      [() => nn.init.whitening_(weight, randn([4, 4, 3])), 'ERR_SHAPE'],
      [() => nn.init.whitening_(weight, images, { eps: 0 }), 'ERR_ARGUMENT'],
      [() => nn.init.whitening_(weight, images, { eps: Number.NaN }), 'ERR_ARGUMENT'],
      [() => nn.init.whitening_(weight, images, { epsilon: 1 } as object), 'ERR_ARGUMENT'],
      [
        () => nn.init.whitening_(weight, tensor(new Float32Array(48).fill(Number.NaN), [1, 4, 4, 3])),
        'ERR_NUMERICS',
      ],
      [() => nn.init.whitening_(weight, tensor(new Float32Array(0), [0, 4, 4, 3])), 'ERR_SHAPE'],
    ] as const;
    for (const [attempt, code] of attempts) expect(refused(attempt).code).toBe(code);
    expect([...weight.data()]).toEqual(Array(SIZE).fill(7));
  });
});
