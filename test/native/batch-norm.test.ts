// SPDX-License-Identifier: Apache-2.0
// Batch normalisation on every instruction set against double precision, with any number of rows and channels.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  expectClose,
  expectGradient,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const EPS = 1e-5;
const UNIT = 2 ** -24; // half a unit in the last place of 1

interface Case {
  readonly rows: number;
  readonly channels: number;
  /** What the elements of each channel lie around. */
  readonly offset: number;
}

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const largest = (data: Float32Array) =>
  data.reduce((most: number, value) => Math.max(most, Math.abs(value)), 0);

const randomCase = (random: Random): Case => ({
  rows: random.int(2, 90),
  channels: random.pick([1, 2, 3, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 96, 130]),
  offset: random.pick([0, 0, -1, 30]),
});

const cases: [string, number, (random: Random) => Case][] = [
  ['random sizes', 40, randomCase],
  ['two rows', 2, () => ({ rows: 2, channels: 20, offset: 0 })],
  ['many chunks of one channel', 2, () => ({ rows: 20_011, channels: 1, offset: 0 })],
  ['many chunks of 64 channels', 2, () => ({ rows: 1000, channels: 64, offset: 2 })],
  ['rows wider than a chunk', 1, () => ({ rows: 70, channels: 1030, offset: 0 })],
];

/** Elements around `offset`, at most 1 from it. */
const around = (random: Random, size: number, offset: number) => random.floats(size, offset - 1, offset + 1);

interface Operands {
  x: Float32Array;
  weight: Float32Array | null;
  bias: Float32Array | null;
  mean: Float32Array;
  variance: Float32Array;
}

function operands(random: Random, { rows, channels, offset }: Case): Operands {
  const affine = random.next() < 0.7;
  return {
    x: around(random, rows * channels, offset),
    weight: affine ? random.floats(channels, 0.5, 2) : null,
    bias: affine ? random.floats(channels) : null,
    mean: around(random, channels, offset),
    variance: random.floats(channels, 0.1, 2),
  };
}

/** Rounding errors of a sum of `rows` terms that are added in chunks: random walks, not worst cases. */
const walk = (rows: number) => 8 + Math.sqrt(Math.min(rows, 8192));

describe.each(cases)('%s', (_, seeds, make) => {
  it('the statistics of the batch, what is normalised with them, and the running ones', () => {
    forSeeds(seeds, (random) => {
      const size = make(random);
      const { rows, channels } = size;
      const { x, weight, bias, mean, variance } = operands(random, size);
      const outputs = [floats(x.length), floats(channels), floats(channels), mean, variance];
      const unit = walk(rows) * UNIT;
      const most = largest(x);
      within(JSON.stringify(size), () => {
        const wide = call(
          'batch_norm_forward',
          [doubles(x.length), doubles(channels), doubles(channels), doubled(mean), doubled(variance)],
          [doubled(x), doubled(weight), doubled(bias)],
          [rows, channels, EPS, 0.1],
        );
        const inverseStd = wide[2];
        const bounds = [
          (i: number) => 2 * unit * (most * inverseStd[i % channels] * (weight?.[i % channels] ?? 1) + 1),
          () => unit * most,
          // relative: the variance is off by rounding, and by the rounding of means that lie far from zero
          (c: number) => unit * inverseStd[c] * (1 + UNIT * (most * inverseStd[c]) ** 2),
          () => unit * most,
          () => unit * 4,
        ];
        checkAgainstReference(
          'batch_norm_forward',
          outputs,
          [x, weight, bias],
          [rows, channels, EPS, 0.1],
          (output, i) => bounds[output](i),
        );
      });
    });
  });

  it('normalisation with given statistics', () => {
    forSeeds(seeds, (random) => {
      const size = make(random);
      const { rows, channels, offset } = size;
      const { x, weight, bias, mean, variance } = operands(random, size);
      const outputs = [floats(x.length), floats(channels), floats(channels)];
      const scale = (c: number) => ((weight?.[c] ?? 1) * (Math.abs(offset) + 2)) / Math.sqrt(variance[c]);
      within(JSON.stringify(size), () => {
        const [, kept] = checkAgainstReference(
          'batch_norm_eval',
          outputs,
          [x, mean, variance, weight, bias],
          [rows, channels, EPS],
          (output, i, wanted) =>
            output === 0 ? 4 * UNIT * (scale(i % channels) + 1) : UNIT * Math.abs(wanted),
        );
        expect([...kept]).toEqual([...mean]);
      });
    });
  });

  it.each([1, 0])('gradients (statistics of the batch: %i)', (fromBatch) => {
    forSeeds(seeds, (random) => {
      const size = make(random);
      const { rows, channels } = size;
      const { x, weight, mean } = operands(random, size);
      const dy = random.floats(x.length);
      const std = random.floats(channels, 0.5, 2);
      const deviation = 2 * Math.max(...std);
      const unit = walk(rows) * UNIT;
      const outputs = [floats(x.length), floats(channels), floats(channels)];
      const bounds = [
        (i: number) => 4 * unit * (weight?.[i % channels] ?? 1) * std[i % channels] * (1 + deviation ** 2),
        () => unit * rows * deviation,
        () => unit * rows,
      ];
      within(JSON.stringify(size), () => {
        checkAgainstReference(
          'batch_norm_backward',
          outputs,
          [dy, x, mean, std, weight],
          [rows, channels, fromBatch],
          (output, i) => bounds[output](i),
        );
      });
    });
  });
});

describe('reference gradients', () => {
  const outputsOf = (size: number, channels: number) => [doubles(size), doubles(channels), doubles(channels)];

  it('are those of central differences, by the input, the weight and the bias', () => {
    forSeeds(6, (random) => {
      const [rows, channels] = [random.int(2, 6), random.int(1, 3)];
      const size = rows * channels;
      const [x, weight, bias, runningMean] = [size, channels, channels, channels].map((count) =>
        Float64Array.from(random.floats(count, 0.5, 2)),
      );
      const runningVar = Float64Array.from(random.floats(channels, 0.5, 2));
      for (const fromBatch of [1, 0]) {
        const forward = (x: NumberArray, weight: NumberArray, bias: NumberArray) =>
          fromBatch === 1
            ? call(
                'batch_norm_forward',
                [...outputsOf(size, channels), new Float64Array(channels), new Float64Array(channels)],
                [x, weight, bias],
                [rows, channels, EPS, 0.1],
              )
            : call(
                'batch_norm_eval',
                outputsOf(size, channels),
                [x, runningMean, runningVar, weight, bias],
                [rows, channels, EPS],
              );
        const [, mean, inverseStd] = forward(x, weight, bias);
        const backward = (dy: Float64Array, which: number) =>
          call(
            'batch_norm_backward',
            outputsOf(size, channels),
            [dy, x, mean, inverseStd, weight],
            [rows, channels, fromBatch],
          )[which];
        within(`${rows} rows, ${channels} channels, statistics of the batch: ${fromBatch}`, () => {
          expectGradient(
            x,
            (at) => forward(at, weight, bias)[0],
            (dy) => backward(dy, 0),
            random,
          );
          expectGradient(
            weight,
            (at) => forward(x, at, bias)[0],
            (dy) => backward(dy, 1),
            random,
          );
          expectGradient(
            bias,
            (at) => forward(x, weight, at)[0],
            (dy) => backward(dy, 2),
            random,
          );
        });
      }
    });
  });
});

describe('difficult numbers', () => {
  it('a mean a thousand deviations from zero leaves the variance its digits', () => {
    forSeeds(3, (random) => {
      const [rows, channels] = [4096, 17];
      const x = random.floats(rows * channels, 999, 1001);
      const wide = [doubles(x.length), doubles(channels), doubles(channels)];
      const numbers = [rows, channels, 0, 0];
      const expected = call(
        'batch_norm_forward',
        [...wide, ...wide.slice(1)],
        [doubled(x), null, null],
        numbers,
      );
      const outputs = [floats(x.length), floats(channels), floats(channels)];
      forEachIsaAndThreads(() => {
        const inputs = [null, null, x, null, null];
        const [, mean, inverseStd] = call('batch_norm_forward', outputs, inputs, numbers);
        expectClose(mean, expected[1], () => 2 ** -14, 'mean'); // float32 near 1000 has steps of 2^-14
        expectClose(inverseStd, expected[2], (c) => 1e-6 * expected[2][c], 'inverse deviation');
      });
    });
  });

  it('a constant channel becomes the bias, and eps keeps it finite', () => {
    forEachIsaAndThreads(() => {
      const x = new Float32Array(40).fill(3);
      const inputs = [null, null, x, null, Float32Array.of(0.5, -2)];
      const outputs = [floats(40), floats(2), floats(2)];
      const [y, mean, inverseStd] = call('batch_norm_forward', outputs, inputs, [20, 2, 2 ** -10, 0]);
      expect([...mean]).toEqual([3, 3]);
      expect([...inverseStd]).toEqual([32, 32]);
      expect([...y]).toEqual(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 0.5 : -2)));
    });
  });

  it('NaN spoils its own channel only', () => {
    forEachIsaAndThreads(() => {
      const x = Float32Array.from({ length: 60 }, (_, i) => i % 7);
      x[4] = NaN;
      const inputs = [null, null, x, null, null];
      const [y] = call('batch_norm_forward', [floats(60), floats(3), floats(3)], inputs, [20, 3, EPS, 0]);
      expect([...y].every((value, i) => Number.isNaN(value) === (i % 3 === 1))).toBe(true);
    });
  });
});

describe('operands left out', () => {
  const [rows, channels] = [50, 20];

  it('outputs of the backward pass that nobody wants do not change the others', () => {
    forSeeds(2, (random) => {
      const [dy, x] = [random.floats(rows * channels), random.floats(rows * channels)];
      const [mean, std, weight] = [0, 1, 2].map(() => random.floats(channels, 0.5, 2));
      const inputs = [dy, x, mean, std, weight];
      for (const fromBatch of [0, 1]) {
        const numbers = [rows, channels, fromBatch];
        const outputs = [floats(x.length), floats(channels), floats(channels)];
        const all = call('batch_norm_backward', outputs, inputs, numbers);
        const [dx] = call('batch_norm_backward', [outputs[0]], [null, null, ...inputs], numbers);
        expect(dx).toEqual(all[0]);
        // Operand 0 must be an output here: it is given as an input that stands in its place.
        const wide = inputs.map(doubled);
        const [wideDx] = call('batch_norm_backward', [doubles(x.length)], [null, null, ...wide], numbers);
        expectClose(dx, wideDx, () => 1e-5, 'dx');
      }
    });
  });
});

describe('refusals', () => {
  const x = new Float32Array(12);
  const outputs = [floats(12), floats(3), floats(3)];
  const forward = (numbers: number[], first: readonly { kind: 'float32'; size: number }[] = outputs) =>
    refusal(() => call('batch_norm_forward', first, [null, null, x, null, null], numbers)).code;

  it('a batch of one row, which has no variance', () => {
    const one = [floats(12), floats(12), floats(12)];
    expect(forward([1, 12, EPS, 0.1], one)).toBe('ERR_ARGUMENT');
  });

  it('sizes that are negative, fractional, zero or NaN', () => {
    for (const bad of [-1, 0, 1.5, NaN, Infinity]) {
      expect(forward([bad, 3, EPS, 0.1])).toBe('ERR_ARGUMENT');
      expect(forward([4, bad, EPS, 0.1])).toBe('ERR_ARGUMENT');
    }
  });

  it('operands of another size or type', () => {
    expect(forward([4, 4, EPS, 0.1])).toBe('ERR_SHAPE');
    expect(forward([4, 3, EPS, 0.1], [floats(12), floats(3), floats(4)])).toBe('ERR_SHAPE');
    const running = (data: NumberArray) =>
      refusal(() => call('batch_norm_forward', [...outputs, data], [null, x, null, null], [4, 3, EPS, 0.1]))
        .code;
    expect(running(new Float32Array(2))).toBe('ERR_SHAPE');
    expect(running(new Float64Array(3))).toBe('ERR_DTYPE');
    const evaluate = (mean: NumberArray | null) =>
      refusal(() => call('batch_norm_eval', outputs, [x, mean, new Float32Array(3)], [4, 3, EPS])).code;
    expect(evaluate(null)).toBe('ERR_ARGUMENT');
    expect(evaluate(new Float32Array(4))).toBe('ERR_SHAPE');
    const backward = (dy: NumberArray) =>
      refusal(() =>
        call('batch_norm_backward', outputs, [dy, x, new Float32Array(3), new Float32Array(3)], [4, 3, 1]),
      ).code;
    expect(backward(new Float32Array(11))).toBe('ERR_SHAPE');
    expect(backward(new Float64Array(12))).toBe('ERR_DTYPE');
  });
});
