// SPDX-License-Identifier: Apache-2.0
// The three passes of the convolution against the double-precision reference, on every instruction set and for
// 1, 2 and 3 threads; the reference itself against finite differences.
import { describe, expect, it } from 'vitest';
import { type ConvSizes, checkConv2d, checkPass, sizes } from '../helpers/conv2d-passes.js';
import {
  call,
  checkAgainstReference,
  expectGradient,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
} from '../helpers/native.js';

function randomCase(random: Random, channels: readonly number[]): ConvSizes {
  const [kH, kW] = [random.int(1, 5), random.int(1, 5)];
  const [pH, pW] = [random.int(0, 3), random.int(0, 3)];
  return {
    n: random.int(1, 3),
    h: random.int(Math.max(1, kH - 2 * pH), 12),
    w: random.int(Math.max(1, kW - 2 * pW), 12),
    inC: random.pick(channels),
    outC: random.pick(channels),
    kH,
    kW,
    sH: random.int(1, 3),
    sW: random.int(1, 3),
    pH,
    pW,
  };
}

describe('conv2d', () => {
  it('computes a hand-checked example', () => {
    // One 3x3 image, a 2x2 kernel, stride 1, padding 1 on top and left only as far as the output reads it
    const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const weight = Float32Array.of(1, 10, 100, 1000);
    const numbers = [1, 3, 3, 1, 2, 2, 1, 2, 2, 1, 1, 0, 0, 0];
    const [y] = call('conv2d_forward', [{ kind: 'float32', size: 4 }], [x, weight, null], numbers);
    expect([...y]).toEqual([5421, 6532, 8754, 9865]);
  });

  it('agrees with the reference for few channels', () => {
    forSeeds(40, (random) => checkConv2d(randomCase(random, [1, 2, 3, 6, 7, 15]), random));
  });

  it('agrees with the reference for many channels', () => {
    forSeeds(25, (random) => checkConv2d(randomCase(random, [16, 17, 33, 64, 70]), random));
  });

  it('agrees with the reference for few channels and batches that fill the lanes of a vector, or nearly', () => {
    forSeeds(16, (random) => {
      const c = randomCase(random, [1, 2, 3, 5, 6, 7, 13, 16]);
      checkConv2d({ ...c, n: random.pick([12, 13, 16, 31, 32, 45]), h: Math.min(c.h, 8) }, random);
    });
  });

  it.each([
    [
      'LeNet-5, first layer, three blocks of 16 images',
      { n: 47, h: 28, w: 28, inC: 1, outC: 6, kH: 5, kW: 5, sH: 1, sW: 1, pH: 2, pW: 2 },
    ],
    [
      'LeNet-5, second layer, two blocks of 16 images',
      { n: 32, h: 14, w: 14, inC: 6, outC: 16, kH: 5, kW: 5, sH: 1, sW: 1, pH: 0, pW: 0 },
    ],
    [
      'few channels, seven blocks of 16 images in chunks of two and three',
      { n: 100, h: 18, w: 19, inC: 6, outC: 7, kH: 5, kW: 2, sH: 1, sW: 1, pH: 2, pW: 0 },
    ],
    [
      'LeNet-5, first layer',
      { n: 5, h: 28, w: 28, inC: 1, outC: 6, kH: 5, kW: 5, sH: 1, sW: 1, pH: 2, pW: 2 },
    ],
    [
      'LeNet-5, second layer',
      { n: 5, h: 14, w: 14, inC: 6, outC: 16, kH: 5, kW: 5, sH: 1, sW: 1, pH: 0, pW: 0 },
    ],
    [
      '3x3 of 64 channels',
      { n: 2, h: 16, w: 16, inC: 64, outC: 64, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1 },
    ],
    ['a strided 3x3', { n: 2, h: 17, w: 15, inC: 32, outC: 48, kH: 3, kW: 3, sH: 2, sW: 2, pH: 1, pW: 1 }],
    [
      'a stem, 7x7 with stride 2',
      { n: 1, h: 32, w: 32, inC: 3, outC: 64, kH: 7, kW: 7, sH: 2, sW: 2, pH: 3, pW: 3 },
    ],
    ['1x1', { n: 2, h: 9, w: 9, inC: 40, outC: 100, kH: 1, kW: 1, sH: 1, sW: 1, pH: 0, pW: 0 }],
    ['1x1 with stride 2', { n: 2, h: 9, w: 9, inC: 20, outC: 24, kH: 1, kW: 1, sH: 2, sW: 2, pH: 0, pW: 0 }],
    [
      'a stride that skips rows',
      { n: 1, h: 11, w: 11, inC: 16, outC: 5, kH: 2, kW: 1, sH: 3, sW: 4, pH: 0, pW: 0 },
    ],
    [
      'more padding than image',
      { n: 1, h: 1, w: 2, inC: 3, outC: 4, kH: 3, kW: 3, sH: 1, sW: 1, pH: 4, pW: 5 },
    ],
    [
      'a kernel as large as the image',
      { n: 3, h: 6, w: 5, inC: 18, outC: 7, kH: 6, kW: 5, sH: 1, sW: 1, pH: 0, pW: 0 },
    ],
    [
      'a weight gradient of several chunks and bands',
      { n: 5, h: 30, w: 31, inC: 17, outC: 7, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1 },
    ],
    [
      'a weight gradient of several groups of channels',
      { n: 1, h: 4, w: 5, inC: 130, outC: 257, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1 },
    ],
    [
      'a first layer of several chunks',
      { n: 3, h: 28, w: 29, inC: 3, outC: 20, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1 },
    ],
    [
      'a 1x1 that widens many pixels',
      { n: 5, h: 30, w: 30, inC: 9, outC: 68, kH: 1, kW: 1, sH: 1, sW: 1, pH: 0, pW: 0 },
    ],
    [
      'a sum deeper than a block',
      { n: 1, h: 5, w: 5, inC: 260, outC: 20, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1 },
    ],
  ])('agrees with the reference for %s', (_, c) => {
    forSeeds(1, (random) => checkConv2d(c, random));
  });

  // From 24 MiB on results are written past the caches. Two images together do so, one alone does not; a tensor has the bits
  // of its images either way, on every instruction set and for any number of threads.
  it('writes large results past the caches, with the bits of small ones', () => {
    const c = { h: 160, w: 160, inC: 1, outC: 144, kH: 1, kW: 1, sH: 1, sW: 1, pH: 0, pW: 0 };
    const [one, two] = [sizes({ ...c, n: 1 }), sizes({ ...c, n: 2 })];
    expect(one.y * 4).toBeLessThan(24 * 2 ** 20);
    expect(two.y * 4).toBeGreaterThan(24 * 2 ** 20);
    const turned = (n: number) => sizes({ ...c, n, inC: c.outC, outC: 1 });
    forSeeds(1, (random) => {
      const [x, weight, bias] = [random.floats(two.x), random.floats(two.weight), random.floats(c.outC)];
      const bytes = ({ buffer, byteOffset, byteLength }: NumberArray) =>
        Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
      const halves = (whole: NumberArray, half: (image: NumberArray) => NumberArray) => {
        const length = whole.length / 2;
        for (const n of [0, 1]) {
          const image = half(x.subarray((n * x.length) / 2, ((n + 1) * x.length) / 2));
          expect(bytes(whole.subarray(n * length, (n + 1) * length)).equals(bytes(image))).toBe(true);
        }
      };
      const output = (size: number) => [{ kind: 'float32', size }] as const;
      forEachIsaAndThreads(() => {
        const forward = (s: typeof one, x: NumberArray) =>
          call('conv2d_forward', output(s.y), [x, weight, bias], s.numbersWith(1, 1))[0];
        halves(forward(two, x), (image) => forward(one, image));
        const gradInput = (s: typeof one, dy: NumberArray) =>
          call('conv2d_grad_input', output(s.x), [dy, weight], s.numbersWith(0, 1))[0];
        halves(gradInput(turned(2), x), (image) => gradInput(turned(1), image));
      });
    });
  });

  it('applies ReLU after the bias where asked', () => {
    forSeeds(4, (random) => {
      const s = sizes(randomCase(random, [3, 20]));
      const inputs = [random.floats(s.x), random.floats(s.weight), random.floats(s.numbers[6])];
      const run = (relu: number) => {
        const output = [{ kind: 'float32', size: s.y }] as const;
        return call('conv2d_forward', output, inputs, [...s.numbers, relu])[0];
      };
      const plain = run(0);
      expect([...run(1)]).toEqual([...plain].map((value) => (value > 0 ? value : 0)));
    });
  });

  it('has gradients that finite differences confirm', () => {
    forSeeds(6, (random) => {
      const c = randomCase(random, [1, 2, 3]);
      const s = sizes({ ...c, h: Math.min(c.h, 6), w: Math.min(c.w, 6) });
      const x = Float64Array.from(random.floats(s.x));
      const weight = Float64Array.from(random.floats(s.weight));
      const double = (size: number) => [{ kind: 'float64', size }] as const;
      const y = (x: Float64Array, weight: Float64Array) =>
        call('conv2d_forward', double(s.y), [x, weight, null], [...s.numbers, 0])[0];
      const dx = (dy: Float64Array) => call('conv2d_grad_input', double(s.x), [dy, weight], s.numbers)[0];
      const dw = (dy: Float64Array) =>
        call('conv2d_grad_weight', double(s.weight), [null, dy, x], s.numbers)[0];
      expectGradient(x, (x) => y(x, weight), dx, random);
      expectGradient(weight, (weight) => y(x, weight), dw, random);
    });
  });

  it('refuses operands of other sizes', () => {
    const s = sizes({ n: 1, h: 4, w: 4, inC: 1, outC: 1, kH: 3, kW: 3, sH: 1, sW: 1, pH: 0, pW: 0 });
    const run = (xSize: number) => () => {
      const inputs = [new Float32Array(xSize), new Float32Array(s.weight), null];
      return call('conv2d_forward', [{ kind: 'float32', size: s.y }], inputs, [...s.numbers, 0]);
    };
    expect(refusal(run(s.x - 1)).code).toBe('ERR_SHAPE');
    expect(run(s.x)()).toHaveLength(1);
  });
});

describe('im2col', () => {
  it('agrees with the reference, and col2im is its adjoint', () => {
    forSeeds(20, (random) => {
      const s = sizes(randomCase(random, [1, 3, 17]));
      const columns = s.pixels * s.patch;
      const x = random.floats(s.x);
      checkAgainstReference('im2col', [{ kind: 'float32', size: columns }], [x], s.numbers, () => 0);
      checkPass('col2im', [s.x], s.patch, [random.floats(columns)], s.numbers);
      // <im2col(x), c> = <x, col2im(c)>
      const c = Float64Array.from(random.floats(columns));
      const double = (size: number) => [{ kind: 'float64', size }] as const;
      const [patches] = call('im2col', double(columns), [Float64Array.from(x)], s.numbers);
      const [image] = call('col2im', double(s.x), [c], s.numbers);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).reduce((total, value, i) => total + value * b[i], 0);
      expect(dot(patches, c)).toBeCloseTo(dot(x, image), 8);
    });
  });
});
