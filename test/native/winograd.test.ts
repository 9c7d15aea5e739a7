// SPDX-License-Identifier: Apache-2.0
// Winograd's convolutions, F(2x2, 3x3), F(4x4, 3x3) and F(2x2, 5x5), against the double-precision reference on every instruction
// set; that they are adjoint to each other; that threads do not change a bit; and what they refuse.
import { describe, expect, it } from 'vitest';
import {
  addon,
  call,
  checkAgainstReference,
  expectClose,
  expectSameBits,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

/** Padding is that of a 3x3 kernel; 5x5 ones get one more, so that images keep their sizes. */
interface Case {
  n: number;
  h: number;
  w: number;
  inC: number;
  outC: number;
  pH: number;
  pW: number;
}

/** By the number that instructions carry. */
const DIRECT = 1;
const F2 = 3;
const F4 = 4;
const tiles = [
  { name: 'F(2x2, 3x3)', kernel: 3, choice: F2, factor: 6 },
  { name: 'F(4x4, 3x3)', kernel: 3, choice: F4, factor: 24 },
  { name: 'F(2x2, 5x5)', kernel: 5, choice: F2, factor: 24 },
] as const;

function sizes({ n, h, w, inC, outC, pH, pW }: Case, kernel: number) {
  const [outH, outW] = [h + 2 * pH - 2, w + 2 * pW - 2];
  const more = (kernel - 3) / 2;
  return {
    numbers: (choice: number, relu = 0) =>
      [n, h, w, inC, outH, outW, outC, kernel, kernel, 1, 1, pH + more, pW + more, relu, choice] as const,
    x: n * h * w * inC,
    y: n * outH * outW * outC,
    weight: outC * kernel ** 2 * inC,
  };
}

/** The three passes by one algorithm. */
function passes(
  c: Case,
  kernel: number,
  x: NumberArray,
  weight: NumberArray,
  dy: NumberArray,
  choice: number,
) {
  const s = sizes(c, kernel);
  const numbers = s.numbers(choice);
  const one = (op: string, size: number, inputs: (NumberArray | null)[]) =>
    call(op, [{ kind: 'float32', size }], inputs, numbers)[0];
  return {
    y: one('conv2d_forward', s.y, [x, weight, null]),
    dx: one('conv2d_grad_input', s.x, [dy, weight]),
    dw: one('conv2d_grad_weight', s.weight, [null, dy, x]),
  };
}

const magnitudes = (data: NumberArray | null) => (data === null ? null : Float64Array.from(data, Math.abs));

/**
 * Within factor · 2^-24 of the largest sum |a||b|: a tile's rounding errors are spread over all of its outputs, so a bound
 * by the element's own sum, as direct convolutions keep it, would not hold.
 */
function checkPass(
  op: string,
  size: number,
  inputs: (NumberArray | null)[],
  numbers: readonly number[],
  factor: number,
) {
  const [sums] = call(op, [{ kind: 'float64', size }], inputs.map(magnitudes), [...numbers]);
  const largest = largestOf(sums);
  checkAgainstReference(
    op,
    [{ kind: 'float32', size }],
    inputs,
    [...numbers],
    () => factor * 2 ** -24 * largest,
  );
}

function checkCase(c: Case, random: Random): void {
  for (const { name, kernel, choice, factor } of tiles) {
    if (kernel === 3 && Math.min(c.pH, c.pW) < 0) continue;
    const s = sizes(c, kernel);
    const [x, weight, dy] = [random.floats(s.x), random.floats(s.weight), random.floats(s.y)];
    const bias = random.int(0, 1) === 1 ? random.floats(c.outC) : null;
    within(`${name} ${JSON.stringify(c)}`, () => {
      const relu = random.int(0, 1);
      checkPass('conv2d_forward', s.y, [x, weight, bias], s.numbers(choice, relu), factor);
      checkPass('conv2d_grad_input', s.x, [dy, weight], s.numbers(choice), factor);
      checkPass('conv2d_grad_weight', s.weight, [null, dy, x], s.numbers(choice), factor);
    });
  }
}

function randomCase(random: Random, channels: readonly number[]): Case {
  const [pH, pW] = [random.int(0, 2), random.int(0, 2)];
  return {
    n: random.int(1, 3),
    h: random.int(Math.max(1, 3 - 2 * pH), 11),
    w: random.int(Math.max(1, 3 - 2 * pW), 11),
    inC: random.pick(channels),
    outC: random.pick(channels),
    pH,
    pW,
  };
}

function largestOf(data: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, data[i]);
  return largest;
}
const norm = (data: ArrayLike<number>) => Math.sqrt(dot(data, data));
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

describe('winograd', () => {
  it('agrees with the reference for odd images, borders and few channels', () => {
    forSeeds(12, (random) => checkCase(randomCase(random, [1, 3, 5, 16, 17]), random));
  });

  it('agrees with the reference for many channels', () => {
    forSeeds(5, (random) => checkCase(randomCase(random, [33, 64, 70, 130]), random));
  });

  it.each([
    ['images smaller than a tile', { n: 5, h: 1, w: 2, inC: 20, outC: 18, pH: 1, pW: 1 }],
    ['no padding of 5x5 kernels', { n: 2, h: 9, w: 8, inC: 6, outC: 7, pH: -1, pW: -1 }],
    ['padding beyond the kernel', { n: 1, h: 3, w: 2, inC: 4, outC: 3, pH: 4, pW: 5 }],
    ['groups of channels for the gradient', { n: 2, h: 5, w: 6, inC: 150, outC: 140, pH: 1, pW: 1 }],
    ['groups of channels throughout', { n: 1, h: 4, w: 5, inC: 300, outC: 310, pH: 1, pW: 1 }],
  ])('agrees with the reference for %s', (_, c) => {
    forSeeds(1, (random) => checkCase(c, random));
  });

  it('agrees with direct convolution where tiles come in rounds', () => {
    forSeeds(1, (random) => {
      const c = { n: 5, h: 15, w: 14, inC: 1400, outC: 64, pH: 1, pW: 1 };
      for (const { kernel, choice } of tiles) {
        const s = sizes(c, kernel);
        const [x, weight, dy] = [random.floats(s.x), random.floats(s.weight), random.floats(s.y)];
        const direct = passes(c, kernel, x, weight, dy, DIRECT);
        const winograd = passes(c, kernel, x, weight, dy, choice);
        for (const pass of ['y', 'dx', 'dw'] as const) {
          const bound = (8e-6 * norm(direct[pass])) / Math.sqrt(direct[pass].length);
          expectClose(winograd[pass], direct[pass], () => 4 * bound, pass);
        }
      }
    });
  });

  it.each([
    ['direct', 3, DIRECT, 8e-7],
    ['F(2x2, 3x3)', 3, F2, 6e-7],
    ['F(4x4, 3x3)', 3, F4, 1.6e-6],
    ['F(2x2, 5x5)', 5, F2, 1.6e-6],
  ] as const)('rounds as finely as documented: %s', (_, kernel, choice, bound) => {
    forSeeds(1, (random) => {
      for (const c of [
        { n: 4, h: 8, w: 8, inC: 64, outC: 64, pH: 1, pW: 1 },
        { n: 1, h: 4, w: 5, inC: 512, outC: 96, pH: 1, pW: 1 },
      ]) {
        const s = sizes(c, kernel);
        const x = random.floats(s.x).map((value) => Math.max(0, value)); // as a ReLU leaves them
        const [weight, dy] = [random.floats(s.weight), random.floats(s.y)];
        const double = (data: Float32Array) => Float64Array.from(data);
        const exact = {
          y: call(
            'conv2d_forward',
            [{ kind: 'float64', size: s.y }],
            [double(x), double(weight), null],
            s.numbers(0),
          )[0],
          dx: call(
            'conv2d_grad_input',
            [{ kind: 'float64', size: s.x }],
            [double(dy), double(weight)],
            s.numbers(0),
          )[0],
          dw: call(
            'conv2d_grad_weight',
            [{ kind: 'float64', size: s.weight }],
            [null, double(dy), double(x)],
            s.numbers(0),
          )[0],
        };
        const results = passes(c, kernel, x, weight, dy, choice);
        for (const pass of ['y', 'dx', 'dw'] as const) {
          const error = Float64Array.from(
            results[pass] as Float32Array,
            (value, i) => value - exact[pass][i],
          );
          expect(norm(error) / norm(exact[pass])).toBeLessThan(bound);
        }
      }
    });
  });

  it('has passes that are adjoint to each other', () => {
    forSeeds(6, (random) => {
      const c = randomCase(random, [16, 40, 64]);
      for (const { kernel, choice } of tiles) {
        const s = sizes(c, kernel);
        const [x, weight, dy] = [random.floats(s.x), random.floats(s.weight), random.floats(s.y)];
        const { y, dx, dw } = passes(c, kernel, x, weight, dy, choice);
        const scale = norm(y) * norm(dy);
        expect(Math.abs(dot(dy, y) - dot(dx, x)) / scale).toBeLessThan(2e-6);
        expect(Math.abs(dot(dy, y) - dot(dw, weight)) / scale).toBeLessThan(2e-6);
      }
    });
  });

  it('has the same bits for 1, 2, 3 and 7 threads', () => {
    const before = addon.info().threads;
    try {
      forSeeds(1, (random) => {
        for (const c of [
          { n: 9, h: 15, w: 13, inC: 48, outC: 70, pH: 1, pW: 1 }, // chunks and blocks
          { n: 3, h: 7, w: 7, inC: 310, outC: 300, pH: 1, pW: 1 }, // groups
        ]) {
          for (const { name, kernel, choice } of tiles) {
            const s = sizes(c, kernel);
            const [x, weight, dy] = [random.floats(s.x), random.floats(s.weight), random.floats(s.y)];
            const runs = [1, 2, 3, 7].map((threads) => {
              addon.setThreads(threads);
              return passes(c, kernel, x, weight, dy, choice);
            });
            for (const run of runs.slice(1))
              for (const pass of ['y', 'dx', 'dw'] as const) expectSameBits(run[pass], runs[0][pass], name);
          }
        }
      });
    } finally {
      addon.setThreads(before);
    }
  });

  it('refuses other kernels, strides and unknown algorithms', () => {
    const run = (kernel: number, stride: number, choice: number) => () => {
      const numbers = [1, 5, 5, 1, 1, 1, 1, kernel, kernel, stride, stride, 0, 0, 0, choice];
      const inputs = [new Float32Array(25), new Float32Array(kernel * kernel), null];
      return call('conv2d_forward', [{ kind: 'float32', size: 1 }], inputs, numbers);
    };
    for (const choice of [2, F2, F4]) {
      expect(refusal(run(4, 1, choice)).code).toBe('ERR_ARGUMENT');
      expect(refusal(run(3, 2, choice)).code).toBe('ERR_ARGUMENT');
      expect(run(3, 1, choice)()).toHaveLength(1);
    }
    expect(run(5, 1, F2)()).toHaveLength(1);
    expect(refusal(run(5, 1, F4)).code).toBe('ERR_ARGUMENT');
    for (const choice of [-1, 5, Number.NaN]) expect(refusal(run(3, 1, choice)).code).toBe('ERR_ARGUMENT');
  });
});
