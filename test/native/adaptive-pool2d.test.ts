// SPDX-License-Identifier: Apache-2.0
// Pooling to a given size on every instruction set against double precision: any sizes, also larger than the image.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectGradient,
  forEachIsaAndThreads,
  forSeeds,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const ints = (size: number) => ({ kind: 'int32', size }) as const;

interface Sizes {
  /** batch, inH, inW, channels, outH, outW */
  params: number[];
  inSize: number;
  outSize: number;
}

function sizes(batch: number, channels: number, [inH, inW]: number[], [outH, outW]: number[]): Sizes {
  return {
    params: [batch, inH, inW, channels, outH, outW],
    inSize: batch * inH * inW * channels,
    outSize: batch * outH * outW * channels,
  };
}

const randomSizes = (random: Random) =>
  sizes(
    random.int(1, 3),
    random.pick([1, 3, 8, 15, 16, 17, 33]),
    [random.int(1, 11), random.int(1, 11)],
    [random.int(1, 13), random.int(1, 13)],
  );

const cases: [string, (random: Random) => Sizes][] = [
  ['random sizes', randomSizes],
  ['VGG of another size', () => sizes(2, 32, [9, 10], [7, 7])],
  ['a global window', () => sizes(3, 70, [14, 13], [1, 1])],
  ['more outputs than pixels', () => sizes(2, 5, [3, 4], [7, 9])],
  ['images that outnumber the tasks of one thread', () => sizes(40, 6, [27, 28], [4, 4])],
];

/** Whole numbers: many ties. */
const tied = (random: Random, size: number) => Float32Array.from(random.ints(size, -2, 2));

describe.each(cases)('%s', (name, make) => {
  const seeds = name === 'random sizes' ? 40 : 2;

  it('maxima are exact, and their winners the first ones', () => {
    forSeeds(seeds, (random) => {
      const { params, inSize, outSize } = make(random);
      const x = random.next() < 0.5 ? tied(random, inSize) : random.floats(inSize);
      within(`sizes ${params}`, () => {
        const outputs = [floats(outSize), ints(outSize)];
        const [, winners] = checkAgainstReference(
          'adaptive_max_pool2d_forward',
          outputs,
          [x],
          params,
          () => 0,
        );
        const dy = random.floats(outSize);
        const bound = () => 2 ** -22 * outSize; // every output may have one winner
        checkAgainstReference('adaptive_max_pool2d_backward', [floats(inSize)], [dy, winners], params, bound);
      });
    });
  });

  it('means stay within rounding', () => {
    forSeeds(seeds, (random) => {
      const { params, inSize, outSize } = make(random);
      const [x, dy] = [random.floats(inSize), random.floats(outSize)];
      const pixels = params[1] * params[2];
      within(`sizes ${params}`, () => {
        const forward = () => 2 ** -24 * (2 + 2 * Math.sqrt(pixels));
        checkAgainstReference('adaptive_avg_pool2d_forward', [floats(outSize)], [x], params, forward);
        const readers = (Math.ceil(params[4] / params[1]) + 1) * (Math.ceil(params[5] / params[2]) + 1);
        const backward = () => 2 ** -24 * (2 + 2 * readers);
        checkAgainstReference('adaptive_avg_pool2d_backward', [floats(inSize)], [dy], params, backward);
      });
    });
  });
});

it('cuts the image as PyTorch does', () => {
  const x = Float32Array.from({ length: 7 }, (_, i) => 2 ** i);
  const sums = (out: number) => {
    const params = [1, 1, 7, 1, 1, out];
    const [means] = call('adaptive_avg_pool2d_forward', [doubles(out)], [Float64Array.from(x)], params);
    return [...means];
  };
  // of 7 pixels 3 outputs: 0 to 2, 2 to 4, 4 to 6; 2 outputs: 0 to 3, 3 to 6
  expect(sums(3)).toEqual([7 / 3, 28 / 3, 112 / 3]);
  expect(sums(2)).toEqual([15 / 4, 120 / 4]);
  expect(sums(9)).toEqual([1, 1.5, 3, 4, 8, 16, 24, 48, 64].map((_, i) => meanOf(x, i, 9)));
});

/** The mean of the pixels from floor(o 7 / n) to ceil((o + 1) 7 / n) - 1. */
function meanOf(x: Float32Array, o: number, n: number): number {
  const covered = x.slice(Math.floor((o * 7) / n), Math.ceil(((o + 1) * 7) / n));
  return covered.reduce((total, value) => total + value, 0) / covered.length;
}

it('reference gradients are those of central differences', () => {
  forSeeds(8, (random) => {
    const { params, inSize, outSize } = sizes(
      1,
      2,
      [random.int(1, 5), random.int(1, 5)],
      [random.int(1, 6), random.int(1, 6)],
    );
    const x = Float64Array.from(random.floats(inSize));
    const [out, into] = [[doubles(outSize)], [doubles(inSize)]];
    const max = (at: Float64Array) =>
      call('adaptive_max_pool2d_forward', [...out, ints(outSize)], [at], params);
    within(`sizes ${params}`, () => {
      expectGradient(
        x,
        (at) => max(at)[0],
        (dy) => call('adaptive_max_pool2d_backward', into, [dy, max(x)[1]], params)[0],
        random,
      );
      expectGradient(
        x,
        (at) => call('adaptive_avg_pool2d_forward', out, [at], params)[0],
        (dy) => call('adaptive_avg_pool2d_backward', into, [dy], params)[0],
        random,
      );
    });
  });
});

it.each([
  { x: [1, NaN, 3, 4], y: NaN, winner: 1 },
  { x: [NaN, 2, NaN, 4], y: NaN, winner: 2 },
  { x: [Infinity, NaN, 0, 0], y: NaN, winner: 1 },
  { x: [-Infinity, -Infinity, -Infinity, -Infinity], y: -Infinity, winner: 0 },
  { x: [1, 7, 7, 2], y: 7, winner: 1 },
])('the maximum of $x is $y at $winner', ({ x, y, winner }) => {
  forEachIsaAndThreads(() => {
    const outputs = [floats(1), ints(1)];
    const found = call('adaptive_max_pool2d_forward', outputs, [Float32Array.from(x)], [1, 2, 2, 1, 1, 1]);
    expect([found[0][0], found[1][0]]).toEqual([y, winner]);
  });
});

it('refuses sizes and operands that do not fit', () => {
  const forward = (params: number[], winners = ints(4)) =>
    refusal(() => call('adaptive_max_pool2d_forward', [floats(4), winners], [new Float32Array(16)], params))
      .code;
  for (const at of [0, 1, 2, 3, 4, 5])
    for (const bad of [-1, 0, 1.5, NaN, Infinity])
      expect(forward([1, 4, 4, 1, 2, 2].map((value, i) => (i === at ? bad : value)))).toBe('ERR_ARGUMENT');
  expect(forward([1, 4, 4, 1, 2, 3])).toBe('ERR_SHAPE');
  expect(forward([1, 4, 3, 1, 2, 2])).toBe('ERR_SHAPE');
  expect(forward([1, 4, 4, 1, 2, 2], ints(5))).toBe('ERR_SHAPE');
  expect(forward([1, 4, 4, 1, 2, 2], { kind: 'uint8', size: 4 } as never)).toBe('ERR_DTYPE');
  expect(forward([2 ** 31, 2 ** 31, 4, 1, 1, 1])).toBe('ERR_SHAPE'); // 2^64 elements: 0, if it wrapped
});
