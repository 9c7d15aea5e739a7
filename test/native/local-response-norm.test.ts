// SPDX-License-Identifier: Apache-2.0
// Local response normalisation on every instruction set against double precision.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectClose,
  expectGradient,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  free,
  fromTensor,
  type Random,
  refusal,
  run,
  toTensor,
  within,
} from '../helpers/native.js';

const UNIT = 2 ** -24;
const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

interface Case {
  readonly rows: number;
  readonly channels: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

const randomCase = (random: Random): Case => ({
  rows: random.int(1, 20),
  channels: random.pick([1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 96]),
  size: random.int(1, 9),
  alpha: random.pick([1e-4, 0.5, 2]),
  beta: random.pick([0.75, 0.5, 1, 2.25, -0.5]),
  k: random.pick([1, 2, 0.25]),
});

const cases: [string, number, (random: Random) => Case][] = [
  ['random sizes', 40, randomCase],
  ['AlexNet', 2, () => ({ rows: 729, channels: 96, size: 5, alpha: 1e-4, beta: 0.75, k: 2 })],
  [
    'windows wider than the channels',
    4,
    (random) => ({ ...randomCase(random), channels: 5, size: random.int(6, 40) }),
  ],
];

const numbersOf = ({ rows, channels, size, alpha, beta, k }: Case) => [rows, channels, size, alpha, beta, k];

describe.each(cases)('%s', (_, seeds, make) => {
  it('stays within rounding', () => {
    forSeeds(seeds, (random) => {
      const of = make(random);
      const elements = of.rows * of.channels;
      const x = random.floats(elements, -2, 2);
      const dy = random.floats(elements);
      const numbers = numbersOf(of);
      // base^beta is e^(beta log base), whose exponent is rounded
      const base = of.k + 4 * of.alpha;
      const ulps =
        16 + 4 * of.size + 8 * Math.abs(of.beta * Math.log(of.k)) + 8 * Math.abs(of.beta * Math.log(base));
      const most = Math.max(of.k ** -of.beta, base ** -of.beta);
      const through = (2 * Math.abs(of.beta) * of.alpha * 4 * most) / of.k;
      within(JSON.stringify(of), () => {
        checkAgainstReference(
          'local_response_norm_forward',
          [floats(elements)],
          [x],
          numbers,
          (_, __, y) => ulps * UNIT * Math.abs(y),
        );
        checkAgainstReference(
          'local_response_norm_backward',
          [floats(elements)],
          [dy, x],
          numbers,
          () => ulps * UNIT * (most + through),
        );
      });
    });
  });
});

it('results may lie over what they come from, in both precisions', () => {
  forSeeds(4, (random) => {
    const of = randomCase(random);
    const elements = of.rows * of.channels;
    const given = [random.floats(elements), random.floats(elements)];
    for (const [dy, x] of [given, given.map((data) => Float64Array.from(data))]) {
      const kind = x instanceof Float64Array ? doubles : floats;
      const [y] = call('local_response_norm_forward', [kind(elements)], [x], numbersOf(of));
      const [dx] = call('local_response_norm_backward', [kind(elements)], [dy, x], numbersOf(of));
      const over = toTensor(x);
      run('local_response_norm_forward', [over, over], numbersOf(of));
      expectSameBits(fromTensor(over), y, 'y over x');
      for (const operand of [0, 1]) {
        const handles = [toTensor(dy), toTensor(x)];
        run('local_response_norm_backward', [handles[operand], ...handles], numbersOf(of));
        expectSameBits(fromTensor(handles[operand]), dx, `dx over operand ${operand}`);
        free(...handles);
      }
      free(over);
    }
  });
});

it('has the gradient of central differences, in double precision', () => {
  forSeeds(20, (random) => {
    const of = { ...randomCase(random), rows: random.int(1, 2), channels: random.int(1, 7) };
    const x = Float64Array.from(random.floats(of.rows * of.channels, -2, 2));
    const numbers = numbersOf(of);
    within(JSON.stringify(of), () =>
      expectGradient(
        x,
        (at) => call('local_response_norm_forward', [doubles(x.length)], [at], numbers)[0],
        (dy) => call('local_response_norm_backward', [doubles(x.length)], [dy, x], numbers)[0],
        random,
      ),
    );
  });
});

it('follows its definition', () => {
  // Channels 1, 2, 3, 4 with a window of 4: two before, one behind
  const x = Float64Array.of(1, 2, 3, 4);
  const squares = [1 + 4, 1 + 4 + 9, 1 + 4 + 9 + 16, 4 + 9 + 16];
  const expected = squares.map((sum, c) => x[c] / (2 + (3 / 4) * sum) ** 0.5);
  const [y] = call('local_response_norm_forward', [doubles(4)], [x], [1, 4, 4, 3, 0.5, 2]);
  expectClose(y, expected, () => 1e-15);
});

it('NaN reaches its neighbours only; infinities and a base of 0 are as IEEE has them', () => {
  forEachIsaAndThreads(() => {
    const x = new Float32Array(40).fill(1);
    x[30] = NaN;
    const [y] = call('local_response_norm_forward', [floats(40)], [x], [2, 20, 3, 1, 0.75, 1]);
    expect([...y].flatMap((value, i) => (Number.isNaN(value) ? [i] : []))).toEqual([29, 30, 31]);
    const of = (...values: number[]) =>
      call('local_response_norm_forward', [floats(3)], [Float32Array.from(values)], [1, 3, 3, 1, 0.75, 0])[0];
    expect([...of(Infinity, 1, 1)].map(String)).toEqual(['NaN', '0', String(of(1, 1, 1)[2])]);
    expect([...of(0, 0, 1)].map(String)).toEqual(['NaN', '0', String(of(0, 0, 1)[2])]);
  });
});

it('refuses operands that do not fit', () => {
  const of = (x: Float32Array | Float64Array, numbers: number[]) =>
    refusal(() => call('local_response_norm_forward', [floats(12)], [x], numbers)).code;
  const x = new Float32Array(12);
  expect(of(new Float32Array(11), [4, 3, 5])).toBe('ERR_SHAPE');
  expect(of(new Float64Array(12), [4, 3, 5])).toBe('ERR_DTYPE');
  for (const bad of [-1, 0, 1.5, NaN, Infinity]) {
    expect(of(x, [bad, 3, 5])).toBe('ERR_ARGUMENT');
    expect(of(x, [4, bad, 5])).toBe('ERR_ARGUMENT');
    expect(of(x, [4, 3, bad])).toBe('ERR_ARGUMENT');
  }
  // A window of 2^31 takes no memory: there are three channels
  expect(call('local_response_norm_forward', [floats(12)], [x], [4, 3, 2 ** 31, 1, 1, 1])[0][0]).toBe(0);
});
