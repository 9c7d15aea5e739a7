// SPDX-License-Identifier: Apache-2.0
// Convolutions in groups and with dilation against the double-precision reference, on every instruction set and for 1, 2
// and 3 threads; the reference itself against finite differences.
import { describe, expect, it } from 'vitest';
import { type ConvSizes, checkConv2d, sizes } from '../helpers/conv2d-passes.js';
import { call, expectGradient, forSeeds, type Random, refusal } from '../helpers/native.js';

/** A length of an image that holds the kernel. */
const lengthFor = (random: Random, kernel: number, dilation: number, pad: number, most: number) => {
  const least = Math.max(1, (kernel - 1) * dilation + 1 - 2 * pad);
  return random.int(least, Math.max(least, most));
};

/** A case of `groups` groups of these channels. */
function randomCase(
  random: Random,
  groups: number,
  groupIn: number,
  groupOut: number,
  [dH, dW]: readonly [number, number] = random.pick([
    [1, 1],
    [1, 1],
    [2, 2],
    [1, 3],
    [3, 2],
  ] as const),
): ConvSizes {
  const [kH, kW] = random.pick([
    [3, 3],
    [3, 3],
    [1, 1],
    [5, 5],
    [2, 3],
    [1, 4],
    [7, 2],
  ] as const);
  const [pH, pW] = [random.int(0, 3), random.int(0, 3)];
  return {
    n: random.int(1, 3),
    h: lengthFor(random, kH, dH, pH, 13),
    w: lengthFor(random, kW, dW, pW, 14),
    inC: groups * groupIn,
    outC: groups * groupOut,
    kH,
    kW,
    sH: random.int(1, 3),
    sW: random.int(1, 3),
    pH,
    pW,
    dH,
    dW,
    groups,
  };
}

const plain = { sH: 1, sW: 1, pH: 0, pW: 0 };

describe('a dilated convolution', () => {
  it('agrees with the reference for few and for many channels', () => {
    const channels = [1, 2, 3, 6, 16, 17, 33, 64, 70];
    forSeeds(30, (random) => {
      const dilation = [random.int(1, 4), random.int(2, 4)] as const;
      const c = randomCase(random, 1, random.pick(channels), random.pick(channels), dilation);
      checkConv2d({ ...c, n: random.pick([1, 2, 16]) }, random);
    });
  });

  it.each<[string, ConvSizes]>([
    [
      'taps far apart, on one channel',
      { n: 2, h: 20, w: 21, inC: 1, outC: 6, kH: 3, kW: 3, ...plain, dH: 8, dW: 9 },
    ],
    [
      'taps that only meet the border',
      { n: 1, h: 3, w: 3, inC: 20, outC: 20, kH: 3, kW: 3, sH: 1, sW: 1, pH: 5, pW: 5, dH: 5, dW: 5 },
    ],
    [
      'a stride that dilation divides',
      { n: 1, h: 15, w: 16, inC: 18, outC: 17, kH: 4, kW: 5, sH: 4, sW: 6, pH: 4, pW: 6, dH: 2, dW: 3 },
    ],
    [
      'a stride that divides dilation',
      { n: 1, h: 15, w: 16, inC: 18, outC: 17, kH: 3, kW: 3, sH: 2, sW: 3, pH: 4, pW: 6, dH: 4, dW: 6 },
    ],
    [
      'a weight gradient of several strips',
      { n: 2, h: 9, w: 9, inC: 130, outC: 40, kH: 3, kW: 3, sH: 1, sW: 1, pH: 2, pW: 2, dH: 2, dW: 2 },
    ],
  ])('agrees with the reference for %s', (_, c) => {
    forSeeds(1, (random) => checkConv2d(c, random));
  });
});

describe('a convolution in groups', () => {
  it('agrees with the reference where it is depthwise', () => {
    forSeeds(30, (random) => {
      const c = randomCase(random, random.pick([2, 3, 8, 15, 16, 17, 40, 70, 130]), 1, 1);
      checkConv2d(c, random);
    });
  });

  it('agrees with the reference for a depthwise multiplier', () => {
    forSeeds(12, (random) => {
      checkConv2d(randomCase(random, random.pick([2, 5, 16, 33]), 1, random.pick([2, 3, 5, 17])), random);
    });
  });

  it('agrees with the reference for few channels a group', () => {
    forSeeds(20, (random) => {
      const channels = [1, 2, 3, 4, 7, 8, 15, 40];
      checkConv2d(
        randomCase(random, random.pick([2, 3, 8, 17]), random.pick(channels), random.pick(channels)),
        random,
      );
    });
  });

  it('agrees with the reference for many channels a group', () => {
    forSeeds(12, (random) => {
      const channels = [16, 17, 32, 70];
      checkConv2d(
        randomCase(random, random.pick([2, 3, 5]), random.pick(channels), random.pick(channels)),
        random,
      );
    });
  });

  it.each<[string, ConvSizes]>([
    [
      'sequences longer than a task',
      { n: 1, h: 1, w: 5000, inC: 40, outC: 40, kH: 1, kW: 5, sH: 1, sW: 2, pH: 0, pW: 2, groups: 40 },
    ],
    [
      'sequences longer than a strip',
      { n: 2, h: 1, w: 700, inC: 12, outC: 20, kH: 1, kW: 7, sH: 1, sW: 3, pH: 0, pW: 20, dW: 5, groups: 4 },
    ],
    [
      'rows of several parts',
      { n: 1, h: 5, w: 300, inC: 6, outC: 9, kH: 3, kW: 3, sH: 2, sW: 2, pH: 1, pW: 1, groups: 3 },
    ],
    [
      'images of one pixel',
      { n: 3, h: 1, w: 1, inC: 32, outC: 32, kH: 3, kW: 3, sH: 1, sW: 1, pH: 1, pW: 1, groups: 32 },
    ],
    [
      'a MobileNet layer',
      { n: 2, h: 28, w: 28, inC: 144, outC: 144, kH: 3, kW: 3, sH: 2, sW: 2, pH: 1, pW: 1, groups: 144 },
    ],
    [
      'groups that reduce their channels',
      { n: 2, h: 7, w: 8, inC: 80, outC: 4, kH: 3, kW: 3, ...plain, groups: 2 },
    ],
    [
      'a dilation beyond all rows',
      {
        n: 1,
        h: 4,
        w: 4,
        inC: 6,
        outC: 6,
        kH: 3,
        kW: 3,
        sH: 1,
        sW: 1,
        pH: 7,
        pW: 7,
        dH: 7,
        dW: 7,
        groups: 6,
      },
    ],
  ])('agrees with the reference for %s', (_, c) => {
    forSeeds(1, (random) => checkConv2d(c, random));
  });

  it('applies ReLU after the bias where asked', () => {
    forSeeds(6, (random) => {
      const c = randomCase(random, 18, random.pick([1, 2]), random.pick([1, 3]));
      const s = sizes(c);
      const inputs = [random.floats(s.x), random.floats(s.weight), random.floats(c.outC)];
      const run = (relu: number) =>
        call('conv2d_forward', [{ kind: 'float32', size: s.y }], inputs, s.numbersWith(relu))[0];
      const before = run(0);
      expect([...run(1)]).toEqual([...before].map((value) => (value > 0 ? value : 0)));
    });
  });

  it('has gradients that finite differences confirm', () => {
    forSeeds(10, (random) => {
      const c = randomCase(random, random.pick([1, 2, 3]), random.int(1, 2), random.int(1, 2));
      const s = sizes({ ...c, n: 1 });
      const [x, weight] = [Float64Array.from(random.floats(s.x)), Float64Array.from(random.floats(s.weight))];
      const double = (size: number) => [{ kind: 'float64', size }] as const;
      const numbers = s.numbersWith();
      const y = (x: Float64Array, weight: Float64Array) =>
        call('conv2d_forward', double(s.y), [x, weight, null], numbers)[0];
      const dx = (dy: Float64Array) => call('conv2d_grad_input', double(s.x), [dy, weight], numbers)[0];
      const dw = (dy: Float64Array) =>
        call('conv2d_grad_weight', double(s.weight), [null, dy, x], numbers)[0];
      expectGradient(x, (x) => y(x, weight), dx, random);
      expectGradient(weight, (weight) => y(x, weight), dw, random);
    });
  });

  it('refuses groups that do not divide the channels, and sizes that are none', () => {
    const c = { n: 1, h: 4, w: 4, inC: 6, outC: 6, kH: 3, kW: 3, ...plain };
    const s = sizes(c);
    const run = (dH: number, dW: number, groups: number) => () =>
      call(
        'conv2d_forward',
        [{ kind: 'float32', size: s.y }],
        [new Float32Array(s.x), new Float32Array(s.weight), null],
        [...s.numbers, 0, 0, 0, 0, 0, 0, 0, 0, dH, dW, groups],
      );
    expect(run(1, 1, 1)()).toHaveLength(1);
    expect(run(0, 0, 0)()).toHaveLength(1); // left out
    expect(refusal(run(1, 1, 4))).toMatchObject({
      code: 'ERR_SHAPE',
      expected: 'channels that 4 groups divide',
    });
    expect(refusal(run(1, 1, 2)).code).toBe('ERR_SHAPE'); // another weight
    for (const wrong of [-1, 0.5, Number.NaN]) {
      expect(refusal(run(1, 1, wrong)).code).toBe('ERR_ARGUMENT');
      expect(refusal(run(wrong, 1, 1)).code).toBe('ERR_ARGUMENT');
    }
    const patches = [{ kind: 'float32', size: s.pixels * s.patch }] as const;
    const im2col = () =>
      call('im2col', patches, [new Float32Array(s.x)], [...s.numbersWith().slice(0, -1), 2]);
    expect(refusal(im2col)).toMatchObject({ code: 'ERR_ARGUMENT', expected: 'patches of one group' });
  });
});
