// SPDX-License-Identifier: Apache-2.0
// Resizing on every instruction set against double precision: by sizes and by factors, larger and smaller.
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

interface Axis {
  input: number;
  output: number;
  /** Pixels between two outputs, as a fraction. */
  ratio: [number, number];
}

interface Resize {
  params: number[];
  inSize: number;
  outSize: number;
}

function resize(batch: number, channels: number, h: Axis, w: Axis, aligned = 0): Resize {
  return {
    params: [batch, h.input, w.input, channels, h.output, w.output, ...h.ratio, ...w.ratio, aligned],
    inSize: batch * h.input * w.input * channels,
    outSize: batch * h.output * w.output * channels,
  };
}

const toSize = (input: number, output: number): Axis => ({ input, output, ratio: [input, output] });
const byFactor = (input: number, factor: number): Axis => ({
  input,
  output: Math.floor(input * factor),
  ratio: [1, factor],
});
const aligned = (input: number, output: number): Axis => ({
  input,
  output,
  ratio: output > 1 ? [input - 1, output - 1] : [0, 1],
});

function randomResize(random: Random, alignCorners: boolean): Resize {
  const axis = () => {
    const [input, output] = [random.int(1, 9), random.int(1, 15)];
    if (alignCorners) return aligned(input, output);
    return random.next() < 0.5
      ? toSize(input, output)
      : byFactor(input, Math.max(1 / input, random.pick([0.5, 0.7, 1, 1.5, 2, 3.3])));
  };
  const channels = random.pick([1, 3, 8, 15, 16, 17, 33]);
  return resize(random.int(1, 3), channels, axis(), axis(), alignCorners ? 1 : 0);
}

const modes = ['nearest', 'bilinear', 'bilinear, corners aligned'] as const;

describe.each(modes)('%s', (mode) => {
  const isAligned = mode === modes[2];
  const op = (pass: string) => `upsample_${mode === 'nearest' ? 'nearest' : 'bilinear'}_${pass}`;
  const large: [string, (random: Random) => Resize][] = [
    ['random sizes', (random) => randomResize(random, isAligned)],
    [
      'images that outnumber the tasks of one thread',
      () => {
        const axis = (input: number, output: number) => (isAligned ? aligned : toSize)(input, output);
        return resize(9, 20, axis(14, 28), axis(13, 40), isAligned ? 1 : 0);
      },
    ],
  ];

  it.each(large)('stays within rounding: %s', (name, make) => {
    forSeeds(name === 'random sizes' ? 40 : 2, (random) => {
      const { params, inSize, outSize } = make(random);
      const [x, dy] = [random.floats(inSize), random.floats(outSize)];
      within(`sizes ${params}`, () => {
        const forward = () => (mode === 'nearest' ? 0 : 2 ** -24 * 8);
        checkAgainstReference(op('forward'), [floats(outSize)], [x], params, forward);
        const magnitudes = Float64Array.from(dy, Math.abs);
        const [sums] = call(op('backward'), [doubles(inSize)], [magnitudes], params);
        const backward = (_: number, i: number) => 2 ** -24 * (8 + Math.sqrt(outSize)) * (sums[i] + 1e-3);
        checkAgainstReference(op('backward'), [floats(inSize)], [dy], params, backward);
      });
    });
  });

  it('has the gradient of central differences in its reference', () => {
    forSeeds(8, (random) => {
      const [h, w] = [random.int(1, 4), random.int(1, 4)];
      const axis = isAligned ? aligned : toSize;
      const { params, inSize, outSize } = resize(
        1,
        2,
        axis(h, random.int(1, 7)),
        axis(w, random.int(1, 7)),
        isAligned ? 1 : 0,
      );
      within(`sizes ${params}`, () => {
        expectGradient(
          Float64Array.from(random.floats(inSize)),
          (at) => call(op('forward'), [doubles(outSize)], [at], params)[0],
          (dy) => call(op('backward'), [doubles(inSize)], [dy], params)[0],
          random,
        );
      });
    });
  });
});

describe('by hand', () => {
  const row = (mode: string, x: number[], axis: Axis, alignCorners = 0) => {
    const { params } = resize(1, 1, toSize(1, 1), axis, alignCorners);
    const [y] = call(`upsample_${mode}_forward`, [floats(axis.output)], [Float32Array.from(x)], params);
    return [...y];
  };

  it('takes the nearest pixel, exactly where the quotient is whole', () => {
    forEachIsaAndThreads(() => {
      expect(row('nearest', [1, 2, 3], byFactor(3, 2))).toEqual([1, 1, 2, 2, 3, 3]);
      expect(row('nearest', [1, 2, 3, 4, 5], toSize(5, 3))).toEqual([1, 2, 4]);
      expect(row('nearest', [1, 2, NaN, Infinity], toSize(4, 2))).toEqual([1, NaN]);
    });
    // 49 outputs of 7 pixels: a rounded 1 / 7 would put every seventh one pixel before its own
    const wide = row('nearest', [0, 1, 2, 3, 4, 5, 6], toSize(7, 49));
    expect(wide).toEqual(Array.from({ length: 49 }, (_, o) => Math.floor(o / 7)));
  });

  it('is linear between centres, or between corners', () => {
    forEachIsaAndThreads(() => {
      expect(row('bilinear', [0, 4], toSize(2, 4))).toEqual([0, 1, 3, 4]);
      expect(row('bilinear', [0, 3], aligned(2, 4), 1)).toEqual([0, 1, 2, 3]);
      expect(row('bilinear', [5, 7], aligned(2, 1), 1)).toEqual([5]);
      expect(row('bilinear', [0, 2, 4, 6], toSize(4, 2))).toEqual([1, 5]);
    });
  });
});

it('refuses sizes, ratios and operands that do not fit', () => {
  const params = [1, 4, 4, 1, 2, 2, 4, 2, 4, 2];
  const forward = (numbers: number[], size = 4) =>
    refusal(() => call('upsample_nearest_forward', [floats(size)], [new Float32Array(16)], numbers)).code;
  for (const at of [0, 1, 2, 3, 4, 5])
    for (const bad of [-1, 0, 1.5, NaN, Infinity])
      expect(forward(params.map((value, i) => (i === at ? bad : value)))).toBe('ERR_ARGUMENT');
  for (const at of [6, 7, 8, 9])
    for (const bad of [-1, NaN, Infinity, 1e300])
      expect(forward(params.map((value, i) => (i === at ? bad : value)))).toBe('ERR_ARGUMENT');
  expect(forward([1, 4, 4, 1, 2, 2, 4, 0, 4, 2])).toBe('ERR_ARGUMENT');
  expect(forward(params, 5)).toBe('ERR_SHAPE');
  expect(forward([2 ** 31, 2 ** 31, 4, 1, 1, 1, 1, 1, 1, 1])).toBe('ERR_SHAPE');
});

it('reads no pixel beyond the image, whatever the ratios', () => {
  forSeeds(20, (random) => {
    const ratio = () => [random.pick([0, 1e-9, 1, 7, 1e9, 2 ** 53]), random.pick([2 ** -53, 0.3, 1, 1e12])];
    const params = [1, 3, 4, 2, 5, 6, ...ratio(), ...ratio(), random.int(0, 1)];
    const x = new Float32Array(24).fill(1);
    for (const mode of ['nearest', 'bilinear']) {
      const [y] = call(`upsample_${mode}_forward`, [floats(60)], [x], params);
      for (const value of y) expect(value).toBeCloseTo(1, 6);
      const [dx] = call(`upsample_${mode}_backward`, [floats(24)], [new Float32Array(60).fill(1)], params);
      expect(Float64Array.from(dx).reduce((total, value) => total + value, 0)).toBeCloseTo(60, 4);
    }
  });
});
