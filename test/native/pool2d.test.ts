// SPDX-License-Identifier: Apache-2.0
// Max, average and p-norm pooling on every instruction set against double precision: any window, stride and padding,
// outputs rounded down or up.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  expectGradient,
  forEachIsaAndThreads,
  forSeeds,
  type Kind,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

interface Geometry {
  params: number[];
  inSize: number;
  outSize: number;
  window: number;
  indexKind: Kind;
}

interface Axis {
  input: number;
  kernel: number;
  stride: number;
  pad: number;
  ceil?: boolean;
}

function geometry(batch: number, channels: number, h: Axis, w: Axis): Geometry {
  const outputs = ({ input, kernel, stride, pad, ceil = false }: Axis) => {
    const steps = (input + 2 * pad - kernel) / stride;
    const last = ceil ? Math.ceil(steps) : Math.floor(steps);
    return last * stride >= input + pad ? last : last + 1; // none begins behind the image
  };
  const [outH, outW] = [outputs(h), outputs(w)];
  const window = h.kernel * w.kernel;
  return {
    params: [
      ...[batch, h.input, w.input, channels, outH, outW, h.kernel, w.kernel],
      ...[h.stride, w.stride, h.pad, w.pad],
    ],
    inSize: batch * h.input * w.input * channels,
    outSize: batch * outH * outW * channels,
    window,
    indexKind: window <= 256 ? 'uint8' : 'int32',
  };
}

function square(
  batch: number,
  size: number,
  channels: number,
  kernel: number,
  stride: number,
  pad = 0,
  ceil = false,
) {
  const axis = { input: size, kernel, stride, pad, ceil };
  return geometry(batch, channels, axis, axis);
}

function randomAxis(random: Random): Axis {
  const kernel = random.int(1, 5);
  const pad = random.int(0, kernel >> 1);
  const [stride, ceil] = [random.int(1, 5), random.next() < 0.5];
  return { kernel, pad, stride, input: random.int(Math.max(1, kernel - 2 * pad), 13), ceil };
}

function randomGeometry(random: Random): Geometry {
  const channels = random.pick([1, 2, 3, 6, 7, 8, 9, 15, 16, 17, 33]);
  return geometry(random.int(1, 3), channels, randomAxis(random), randomAxis(random));
}

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const magnitudes = (data: Float32Array) => Float64Array.from(data, Math.abs);
const rounding = (g: Geometry, numbers: NumberArray) => (_: number, i: number) =>
  4 * Math.sqrt(g.window) * 2 ** -24 * numbers[i] + 2 ** -126;

/** Whole numbers: many ties. */
const tied = (random: Random, size: number) => Float32Array.from(random.ints(size, -2, 2));

const cases: [string, (random: Random) => Geometry][] = [
  ['random geometries', randomGeometry],
  ['2x2 windows of LeNet-5', () => square(3, 28, 6, 2, 2)],
  ['2x2 windows on odd images', () => square(2, 5, 16, 2, 2)],
  ['overlapping 3x3 windows', () => square(2, 14, 20, 3, 2, 1)],
  ['windows beyond the image', () => square(2, 12, 5, 3, 2, 0, true)],
  ['windows beyond the padding', () => square(2, 8, 17, 4, 3, 2, true)],
  ['gaps between windows', () => square(2, 11, 5, 2, 3)],
  ['global windows of more than 256 elements', () => square(2, 17, 9, 17, 17)],
  ['images that outnumber the tasks of one thread', () => square(40, 28, 6, 3, 2)],
];

describe.each(cases)('%s', (name, make) => {
  const seeds = name === 'random geometries' ? 40 : 2;

  it('max pooling is exact, and its winners are the first maxima', () => {
    forSeeds(seeds, (random) => {
      const g = make(random);
      const x = random.next() < 0.5 ? tied(random, g.inSize) : random.floats(g.inSize);
      const outputs = [floats(g.outSize), { kind: g.indexKind, size: g.outSize }];
      within(`geometry ${g.params}`, () => {
        const [, winners] = checkAgainstReference('max_pool2d_forward', outputs, [x], g.params, () => 0);
        const dy = random.floats(g.outSize);
        const [bound] = call('max_pool2d_backward', [doubles(g.inSize)], [magnitudes(dy), winners], g.params);
        const out = [floats(g.inSize)];
        checkAgainstReference('max_pool2d_backward', out, [dy, winners], g.params, rounding(g, bound));
      });
    });
  });

  it.each([0, 1])('average pooling stays within rounding (padding counts: %i)', (countsPadding) => {
    forSeeds(seeds, (random) => {
      const g = make(random);
      const params = [...g.params, countsPadding];
      const [x, dy] = [random.floats(g.inSize), random.floats(g.outSize)];
      const [forward] = call('avg_pool2d_forward', [doubles(g.outSize)], [magnitudes(x)], params);
      const [backward] = call('avg_pool2d_backward', [doubles(g.inSize)], [magnitudes(dy)], params);
      within(`geometry ${g.params}`, () => {
        checkAgainstReference('avg_pool2d_forward', [floats(g.outSize)], [x], params, rounding(g, forward));
        checkAgainstReference('avg_pool2d_backward', [floats(g.inSize)], [dy], params, rounding(g, backward));
      });
    });
  });

  it.each([2, 1, 3, 5])('pooling by the %i-norm stays within rounding', (p) => {
    forSeeds(p === 2 ? seeds : Math.ceil(seeds / 4), (random) => {
      const g = make(random);
      const params = [...g.params, p];
      const x = random.next() < 0.5 ? tied(random, g.inSize) : random.floats(g.inSize);
      const dy = random.floats(g.outSize);
      within(`geometry ${params}`, () => {
        const [norms] = call('lp_pool2d_forward', [doubles(g.outSize)], [doubled(x)], params);
        const y = Float32Array.from(norms);
        checkAgainstReference('lp_pool2d_forward', [floats(g.outSize)], [x], params, rounding(g, norms));
        const inputs = [magnitudes(dy), magnitudes(x), doubled(y)];
        const [bound] = call('lp_pool2d_backward', [doubles(g.inSize)], inputs, params);
        const powers = (_: number, i: number) => 2 * p * 2 ** -24 * bound[i]; // of p - 1 equal factors
        const allowed = (o: number, i: number) => rounding(g, bound)(o, i) + powers(o, i);
        checkAgainstReference('lp_pool2d_backward', [floats(g.inSize)], [dy, x, y], params, allowed);
      });
    });
  });
});

describe('reference gradients', () => {
  it('are those of central differences', () => {
    forSeeds(12, (random) => {
      const [h, w] = [randomAxis(random), randomAxis(random)];
      const g = geometry(1, 2, { ...h, input: Math.min(h.input, 6) }, { ...w, input: Math.min(w.input, 6) });
      const x = Float64Array.from(random.floats(g.inSize));
      const [out, into] = [[doubles(g.outSize)], [doubles(g.inSize)]];
      const withWinners = [doubles(g.outSize), { kind: g.indexKind, size: g.outSize }];
      const max = (at: Float64Array) => call('max_pool2d_forward', withWinners, [at], g.params);
      const norm = [...g.params, random.int(1, 4)];
      const [norms] = call('lp_pool2d_forward', out, [x], norm);
      const average = [...g.params, random.int(0, 1)];
      within(`geometry ${g.params}`, () => {
        expectGradient(
          x,
          (at) => max(at)[0],
          (dy) => call('max_pool2d_backward', into, [dy, max(x)[1]], g.params)[0],
          random,
        );
        expectGradient(
          x,
          (at) => call('avg_pool2d_forward', out, [at], average)[0],
          (dy) => call('avg_pool2d_backward', into, [dy], average)[0],
          random,
        );
        expectGradient(
          x,
          (at) => call('lp_pool2d_forward', out, [at], norm)[0],
          (dy) => call('lp_pool2d_backward', into, [dy, x, norms], norm)[0],
          random,
        );
      });
    });
  });
});

describe('special values', () => {
  const max = (x: number[]) => {
    const g = square(1, 2, 1, 2, 2);
    const outputs = [floats(1), { kind: 'uint8', size: 1 } as const];
    const [y, winner] = call('max_pool2d_forward', outputs, [Float32Array.from(x)], g.params);
    return [y[0], winner[0]];
  };

  it.each([
    { x: [1, NaN, 3, 4], y: NaN, winner: 1 },
    { x: [NaN, 2, NaN, 4], y: NaN, winner: 2 }, // each NaN replaces the one before, as in PyTorch
    { x: [Infinity, NaN, 0, 0], y: NaN, winner: 1 },
    { x: [-Infinity, -Infinity, -Infinity, -Infinity], y: -Infinity, winner: 0 },
    { x: [5, 5, 5, 5], y: 5, winner: 0 },
    { x: [1, 7, 7, 2], y: 7, winner: 1 },
    { x: [0, -0, 0, -0], y: 0, winner: 0 },
  ])('the maximum of $x is $y at $winner', ({ x, y, winner }) => {
    forEachIsaAndThreads(() => expect(max(x)).toEqual([y, winner]));
  });

  it('padding never wins over negative numbers', () => {
    const g = square(1, 3, 1, 3, 2, 1);
    const x = Float32Array.from([-1, -2, -3, -4, -5, -6, -7, -8, -9]);
    const outputs = [floats(4), { kind: 'uint8', size: 4 } as const];
    forEachIsaAndThreads(() => {
      const [y, winners] = call('max_pool2d_forward', outputs, [x], g.params);
      expect([...y]).toEqual([-1, -2, -4, -5]);
      expect([...winners]).toEqual([4, 3, 1, 0]);
    });
  });

  it.each([1, 2, 3])('the %i-norm of zeros sends back zeros', (p) => {
    const params = [...square(1, 2, 1, 2, 2).params, p];
    const x = new Float32Array(4);
    forEachIsaAndThreads(() => {
      const inputs = [Float32Array.of(3), x, Float32Array.of(0)];
      const [dx] = call('lp_pool2d_backward', [floats(4)], inputs, params);
      expect([...dx]).toEqual([0, 0, 0, 0]);
    });
  });

  it('what a window reaches beyond the padding never counts in a mean', () => {
    const g = square(1, 2, 1, 2, 2, 1, true); // windows begin at -1 and 1: padding and pixel, pixel and padding
    const beyond = square(1, 3, 1, 2, 2, 0, true); // windows begin at 0 and 2: pixel and nothing
    const x = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const average = (params: number[], size: number) => [
      ...call('avg_pool2d_forward', [floats(4)], [x.slice(0, size)], params)[0],
    ];
    forEachIsaAndThreads(() => {
      expect(average([...g.params, 1], 4)).toEqual([0.25, 0.5, 0.75, 1]);
      expect(average([...g.params, 0], 4)).toEqual([1, 2, 3, 4]);
      for (const counts of [0, 1]) expect(average([...beyond.params, counts], 9)).toEqual([3, 4.5, 7.5, 9]);
    });
  });
});

describe('refusals', () => {
  const g = square(1, 4, 1, 2, 2);
  const forward = (params: number[], kind: Kind = 'uint8', size = 4) => {
    const outputs = [floats(size), { kind, size }];
    return refusal(() => call('max_pool2d_forward', outputs, [new Float32Array(16)], params));
  };
  const replaced = (at: number, by: number) => g.params.map((value, i) => (i === at ? by : value));

  it('a window that lies in padding alone', () => {
    expect(forward(replaced(10, 2)).code).toBe('ERR_SHAPE'); // padTop = kH
    expect(forward(replaced(8, 4)).code).toBe('ERR_SHAPE'); // the second row of windows begins below the image
  });

  it('sizes that are negative, fractional, zero or NaN', () => {
    for (const at of [0, 1, 3, 4, 6, 8])
      for (const bad of [-1, 0, 1.5, NaN, Infinity])
        expect(forward(replaced(at, bad)).code).toBe('ERR_ARGUMENT');
    expect(forward(replaced(11, -1)).code).toBe('ERR_ARGUMENT');
  });

  it('operands of another size or type', () => {
    expect(forward(g.params, 'uint8', 5).code).toBe('ERR_SHAPE');
    expect(forward(g.params, 'int32').code).toBe('ERR_DTYPE');
  });

  it('norms that are none', () => {
    for (const bad of [0, -1, 1.5, NaN, 1025]) {
      const norm = () => call('lp_pool2d_forward', [floats(4)], [new Float32Array(16)], [...g.params, bad]);
      expect(refusal(norm).code).toBe('ERR_ARGUMENT');
    }
  });

  it('images whose number of elements does not fit 64 bits', () => {
    const params = [2 ** 31, 2 ** 31, 4, 1, 2 ** 31, 4, 1, 1, 1, 1, 0, 0]; // 2^64 elements: 0, if it wrapped
    const outputs = [floats(0), { kind: 'uint8', size: 0 } as const];
    const error = refusal(() => call('max_pool2d_forward', outputs, [new Float32Array(0)], params));
    expect(error).toMatchObject({ code: 'ERR_SHAPE', expected: 'images that can be addressed' });
  });

  it('a window too large for exact winners', () => {
    const params = [1, 4097, 4097, 1, 1, 1, 4097, 4097, 1, 1, 0, 0];
    expect(forward(params).code).toBe('ERR_ARGUMENT');
  });
});
