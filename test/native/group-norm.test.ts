// SPDX-License-Identifier: Apache-2.0
// Group and layer normalisation on every instruction set against double precision, with any number of samples,
// pixels, groups and channels.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  expectClose,
  expectGradient,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  free,
  fromTensor,
  type NumberArray,
  type Random,
  refusal,
  run,
  toTensor,
  within,
} from '../helpers/native.js';

const EPS = 1e-5;
const UNIT = 2 ** -24; // half a unit in the last place of 1

/** Sizes of a case: layer normalisation has one pixel and one group. */
interface Case {
  readonly op: 'group_norm' | 'layer_norm';
  readonly samples: number;
  readonly pixels: number;
  readonly groups: number;
  readonly width: number;
  /** What the elements lie around. */
  readonly offset: number;
}

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const widths = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130];

const groupCase = (random: Random): Case => ({
  op: 'group_norm',
  samples: random.int(1, 4),
  pixels: random.int(2, 40),
  groups: random.int(1, 5),
  width: random.pick(widths.slice(0, 9)),
  offset: random.pick([0, 0, -1, 30]),
});
const layerCase = (random: Random): Case => ({
  op: 'layer_norm',
  samples: random.int(1, 60),
  pixels: 1,
  groups: 1,
  width: random.pick(widths.slice(1)),
  offset: random.pick([0, 0, -1, 30]),
});
const plain = { offset: 0.5, groups: 1, pixels: 1 } as const;

const cases: [string, number, (random: Random) => Case][] = [
  ['groups, random sizes', 30, groupCase],
  ['groups of vectors', 4, (random) => ({ ...groupCase(random), pixels: 1, width: random.int(2, 30) })],
  [
    'a group for each channel',
    2,
    () => ({ ...plain, op: 'group_norm', samples: 2, pixels: 30, groups: 20, width: 1 }),
  ],
  [
    'many chunks of an image',
    2,
    () => ({ ...plain, op: 'group_norm', samples: 2, pixels: 700, groups: 4, width: 10 }),
  ],
  ['rows, random sizes', 30, layerCase],
  ['many chunks of rows', 2, () => ({ ...plain, op: 'layer_norm', samples: 1500, width: 24 })],
  ['rows of several runs', 2, () => ({ ...plain, op: 'layer_norm', samples: 5, width: 9001 })],
];

const numbersOf = ({ op, samples, pixels, groups, width }: Case) =>
  op === 'layer_norm' ? [samples, width] : [samples, pixels, groups, width];

function sizesOf({ samples, pixels, groups, width }: Case) {
  const channels = groups * width;
  return {
    elements: samples * pixels * channels,
    statistics: samples * groups,
    channels,
    terms: pixels * width,
  };
}

function operands(random: Random, of: Case) {
  const { elements, statistics, channels } = sizesOf(of);
  const around = (size: number) => random.floats(size, of.offset - 1, of.offset + 1);
  const affine = random.next() < 0.7;
  return {
    x: around(elements),
    dy: random.floats(elements),
    weight: affine ? random.floats(channels, 0.5, 2) : null,
    bias: affine ? random.floats(channels) : null,
    mean: around(statistics),
    std: random.floats(statistics, 0.5, 2),
  };
}

/** Which statistic element i of a case belongs to, and which channel. */
function placeOf({ samples, pixels, groups, width }: Case, i: number) {
  const channel = i % (groups * width);
  const sample = Math.floor(i / (pixels * groups * width));
  if (sample >= samples) throw new Error(`element ${i} is in no sample`);
  return { statistic: sample * groups + Math.floor(channel / width), channel };
}

/** Rounding errors of a sum of that many terms, added in chunks: random walks, not worst cases. */
const walk = (terms: number) => 8 + Math.sqrt(Math.min(terms, 8192));

describe.each(cases)('%s', (_, seeds, make) => {
  it('forward', () => {
    forSeeds(seeds, (random) => {
      const of = make(random);
      const { elements, statistics, terms } = sizesOf(of);
      const { x, weight, bias } = operands(random, of);
      const numbers = [...numbersOf(of), EPS];
      const most = Math.abs(of.offset) + 1;
      within(JSON.stringify(of), () => {
        const wide = [doubles(elements), doubles(statistics), doubles(statistics)];
        const inverseStd = call(
          `${of.op}_forward`,
          wide,
          [doubled(x), doubled(weight), doubled(bias)],
          numbers,
        )[2];
        const unit = walk(terms) * UNIT;
        // The deviations of few values may be small beside the values: they are off by the rounding of the mean.
        const spread = (s: number) => most * inverseStd[s];
        checkAgainstReference(
          `${of.op}_forward`,
          [floats(elements), floats(statistics), floats(statistics)],
          [x, weight, bias],
          numbers,
          (output, i) => {
            if (output === 1) return unit * most;
            if (output === 2) return unit * inverseStd[i] * (1 + UNIT * spread(i) ** 2);
            const { statistic, channel } = placeOf(of, i);
            return 2 * unit * (spread(statistic) * (weight?.[channel] ?? 1) + 1);
          },
        );
      });
    });
  });

  it('gradients', () => {
    forSeeds(seeds, (random) => {
      const of = make(random);
      const { elements, channels, terms } = sizesOf(of);
      const { x, dy, weight, mean, std } = operands(random, of);
      const deviation = 2 * Math.max(...std);
      const rows = elements / channels;
      const heaviest = Math.max(1, ...(weight ?? []));
      within(JSON.stringify(of), () => {
        checkAgainstReference(
          `${of.op}_backward`,
          [floats(elements), floats(channels), floats(channels)],
          [dy, x, mean, std, weight],
          numbersOf(of),
          (output, i) => {
            if (output > 0) return walk(rows) * UNIT * rows * (output === 1 ? deviation : 1);
            const { statistic } = placeOf(of, i);
            return 4 * walk(terms) * UNIT * heaviest * std[statistic] * (1 + deviation ** 2);
          },
        );
      });
    });
  });
});

describe('operands', () => {
  const some = [
    groupCase,
    layerCase,
    () => ({ ...plain, op: 'layer_norm', samples: 3, width: 5000 }) as Case,
  ];

  it('results may lie over what they come from, in both precisions', () => {
    forSeeds(3, (random) => {
      for (const make of some) {
        const of = make(random);
        const { elements, statistics, channels } = sizesOf(of);
        const given = operands(random, of);
        for (const widen of [<D extends NumberArray | null>(data: D) => data as D | Float64Array, doubled]) {
          const { x, dy, weight, bias, mean, std } = Object.fromEntries(
            Object.entries(given).map(([key, data]) => [key, widen(data)]),
          ) as Record<keyof typeof given, NumberArray | null>;
          const kind = x instanceof Float64Array ? doubles : floats;
          const inputs = [x, weight, bias];
          const outputs = [kind(elements), kind(statistics), kind(statistics)];
          const numbers = [...numbersOf(of), EPS];
          const [y] = call(`${of.op}_forward`, outputs, inputs, numbers);
          const space = (size: number) =>
            toTensor(kind === doubles ? new Float64Array(size) : new Float32Array(size));
          const tensors = inputs.map((input) => (input === null ? -1 : toTensor(input)));
          const kept = [space(statistics), space(statistics)];
          run(`${of.op}_forward`, [tensors[0], ...kept, ...tensors], numbers);
          expectSameBits(fromTensor(tensors[0]), y, `${of.op}: y over x`);
          free(...tensors, ...kept);
          const gradients = [dy, x, mean, std, weight];
          const wanted = call(
            `${of.op}_backward`,
            [kind(elements), kind(channels), kind(channels)],
            gradients,
            numbersOf(of),
          );
          for (const over of [0, 1]) {
            const handles = gradients.map((input) => (input === null ? -1 : toTensor(input)));
            const sums = [space(channels), space(channels)];
            run(`${of.op}_backward`, [handles[over], ...sums, ...handles], numbersOf(of));
            [handles[over], ...sums].forEach((handle, o) => {
              expectSameBits(fromTensor(handle), wanted[o], `${of.op}: output ${o}, dx over operand ${over}`);
            });
            free(...handles, ...sums);
          }
        }
      }
    });
  });

  it('gradients that nobody wants do not change the others', () => {
    forSeeds(3, (random) => {
      for (const make of some) {
        const of = make(random);
        const { elements, channels } = sizesOf(of);
        const { x, dy, weight, mean, std } = operands(random, of);
        for (const inputs of [[dy, x, mean, std, weight], [dy, x, mean, std, weight].map(doubled)]) {
          const kind = inputs[0] instanceof Float64Array ? doubles : floats;
          const sizes = [elements, channels, channels];
          const outputs = sizes.map((size) => kind(size));
          const all = call(`${of.op}_backward`, outputs, inputs, numbersOf(of));
          sizes.forEach((size, wanted) => {
            const handles = inputs.map((input) => (input === null ? -1 : toTensor(input)));
            const out = toTensor(kind === doubles ? new Float64Array(size) : new Float32Array(size));
            const operands = [...sizes.map((_, o) => (o === wanted ? out : -1)), ...handles];
            run(`${of.op}_backward`, operands, numbersOf(of));
            expectSameBits(fromTensor(out), all[wanted], `${of.op}, output ${wanted}`);
            free(out, ...handles);
          });
        }
      }
    });
  });
});

it('reference gradients are those of central differences', () => {
  forSeeds(6, (random) => {
    const sizes = { samples: random.int(1, 2), offset: 0, width: random.int(2, 3) };
    for (const of of [
      { ...sizes, op: 'group_norm', pixels: random.int(1, 4), groups: random.int(1, 2) } as const,
      { ...sizes, op: 'layer_norm', pixels: 1, groups: 1, width: random.int(3, 6) } as const,
    ]) {
      const { elements, statistics, channels } = sizesOf(of);
      const [x, weight, bias] = [elements, channels, channels].map((size) =>
        Float64Array.from(random.floats(size, -2, 2)),
      );
      const outputs = [doubles(elements), doubles(statistics), doubles(statistics)];
      const forward = (x: NumberArray, weight: NumberArray, bias: NumberArray) =>
        call(`${of.op}_forward`, outputs, [x, weight, bias], [...numbersOf(of), 0.1]);
      const [, mean, inverseStd] = forward(x, weight, bias);
      const backward = (dy: Float64Array, which: number) =>
        call(
          `${of.op}_backward`,
          [doubles(elements), doubles(channels), doubles(channels)],
          [dy, x, mean, inverseStd, weight],
          numbersOf(of),
        )[which];
      within(JSON.stringify(of), () => {
        const at = (which: number, value: Float64Array) =>
          [x, weight, bias].map((given, i) => (i === which ? value : given));
        [x, weight, bias].forEach((given, which) => {
          expectGradient(
            given,
            (value) => {
              const [x, weight, bias] = at(which, value);
              return forward(x, weight, bias)[0];
            },
            (dy) => backward(dy, which),
            random,
          );
        });
      });
    }
  });
});

describe('difficult numbers', () => {
  const both = [
    ['group_norm', [2, 100, 1, 20]],
    ['layer_norm', [2, 2000]],
  ] as const;

  it.each(both)('%s: a mean a thousand deviations from zero leaves the variance its digits', (op, sizes) => {
    forSeeds(3, (random) => {
      const x = random.floats(4000, 999, 1001);
      const wide = [doubles(4000), doubles(2), doubles(2)];
      const [, mean, inverseStd] = call(`${op}_forward`, wide, [doubled(x)], [...sizes, 0]);
      forEachIsaAndThreads(() => {
        const actual = call(`${op}_forward`, [floats(4000), floats(2), floats(2)], [x], [...sizes, 0]);
        expectClose(actual[1], mean, () => 2 ** -14, 'mean'); // float32 near 1000 has steps of 2^-14
        expectClose(actual[2], inverseStd, (i) => 1e-6 * inverseStd[i], 'inverse deviation');
      });
    });
  });

  it.each(both)('%s: a constant sample becomes the bias, and NaN spoils its own sample only', (op, sizes) => {
    forEachIsaAndThreads(() => {
      const x = new Float32Array(4000).fill(3);
      x[2345] = NaN;
      const bias = Float32Array.from({ length: op === 'layer_norm' ? 2000 : 20 }, (_, i) => i - 4);
      const [y, mean, inverseStd] = call(
        `${op}_forward`,
        [floats(4000), floats(2), floats(2)],
        [x, null, bias],
        [...sizes, 2 ** -10],
      );
      expect([mean[0], inverseStd[0]]).toEqual([3, 32]);
      expectSameBits(
        y.slice(0, 2000),
        Float32Array.from({ length: 2000 }, (_, i) => bias[i % bias.length]),
      );
      expect(y.slice(2000).every(Number.isNaN)).toBe(true);
    });
  });
});

describe('refusals', () => {
  const x = new Float32Array(24);
  const group = (numbers: number[], outputs = [24, 4, 4]) =>
    refusal(() => call('group_norm_forward', outputs.map(floats), [x], numbers)).code;
  const layer = (numbers: number[], outputs = [24, 4, 4]) =>
    refusal(() => call('layer_norm_forward', outputs.map(floats), [x], numbers)).code;

  it('sizes that are negative, fractional, zero, NaN or beyond memory', () => {
    for (const bad of [-1, 0, 1.5, NaN, Infinity]) {
      for (const at of [0, 1, 2, 3]) {
        const sizes = [2, 3, 2, 2];
        sizes[at] = bad;
        expect(group([...sizes, EPS])).toBe('ERR_ARGUMENT');
      }
      expect(layer([bad, 6, EPS])).toBe('ERR_ARGUMENT');
      expect(layer([4, bad, EPS])).toBe('ERR_ARGUMENT');
    }
    expect(group([2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, EPS])).toBe('ERR_SHAPE');
  });

  it('operands of another size or type', () => {
    expect(group([2, 3, 2, 3, EPS])).toBe('ERR_SHAPE');
    expect(group([2, 3, 2, 2, EPS], [24, 4, 3])).toBe('ERR_SHAPE');
    expect(layer([4, 5, EPS])).toBe('ERR_SHAPE');
    expect(layer([4, 6, EPS], [24, 3, 4])).toBe('ERR_SHAPE');
    const weight = (data: NumberArray) =>
      refusal(() => call('layer_norm_forward', [24, 4, 4].map(floats), [x, data], [4, 6, EPS])).code;
    expect(weight(new Float32Array(4))).toBe('ERR_SHAPE');
    expect(weight(new Float64Array(6))).toBe('ERR_DTYPE');
    const backward = (dy: NumberArray) =>
      refusal(() =>
        call(
          'group_norm_backward',
          [24, 4, 4].map(floats),
          [dy, x, new Float32Array(4), new Float32Array(4)],
          [2, 3, 2, 2],
        ),
      ).code;
    expect(backward(new Float32Array(23))).toBe('ERR_SHAPE');
    expect(backward(new Float64Array(24))).toBe('ERR_DTYPE');
  });
});
