// SPDX-License-Identifier: Apache-2.0
// Local response normalisation within a map on every instruction set against double precision.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectClose,
  expectGradient,
  forEachIsaAndThreads,
  forSeeds,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const UNIT = 2 ** -24;
const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

interface Case {
  readonly shape: readonly [n: number, h: number, w: number, c: number];
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

const randomCase = (random: Random): Case => ({
  shape: [random.int(1, 3), random.int(1, 9), random.int(1, 9), random.pick([1, 2, 3, 7, 16, 17, 33])],
  size: random.int(1, 7),
  alpha: random.pick([1e-4, 0.5, 2]),
  beta: random.pick([0.75, 0.5, 1, 2.25, -0.5]),
  k: random.pick([1, 2, 0.25]),
});

const cases: [string, number, (random: Random) => Case][] = [
  ['random sizes', 40, randomCase],
  ['cuda-convnet', 2, () => ({ shape: [3, 16, 16, 32], size: 3, alpha: 5e-5, beta: 0.75, k: 1 })],
  ['many bands of rows', 2, () => ({ shape: [2, 61, 40, 20], size: 5, alpha: 2, beta: 0.75, k: 1 })],
  ['windows larger than the image', 8, (random) => ({ ...randomCase(random), size: random.int(9, 60) })],
];

const numbersOf = ({ shape, size, alpha, beta, k }: Case) => [...shape, size, alpha, beta, k];
const elementsOf = ({ shape }: Case) => shape.reduce((product, length) => product * length);

describe.each(cases)('%s', (_, seeds, make) => {
  it('stays within rounding', () => {
    forSeeds(seeds, (random) => {
      const of = make(random);
      const elements = elementsOf(of);
      const x = random.floats(elements, -2, 2);
      const dy = random.floats(elements);
      const numbers = numbersOf(of);
      // base^beta is e^(beta log base), whose exponent is rounded; sums go down and then along
      const base = of.k + 4 * of.alpha;
      const ulps =
        16 + 8 * of.size + 8 * Math.abs(of.beta * Math.log(of.k)) + 8 * Math.abs(of.beta * Math.log(base));
      const most = Math.max(of.k ** -of.beta, base ** -of.beta);
      const through = (2 * Math.abs(of.beta) * of.alpha * 4 * most) / of.k;
      within(JSON.stringify(of), () => {
        checkAgainstReference(
          'map_response_norm_forward',
          [floats(elements)],
          [x],
          numbers,
          (_, __, y) => ulps * UNIT * Math.abs(y),
        );
        checkAgainstReference(
          'map_response_norm_backward',
          [floats(elements)],
          [dy, x],
          numbers,
          () => ulps * UNIT * (most + through),
        );
      });
    });
  });
});

it('has the gradient of central differences, in double precision', () => {
  forSeeds(20, (random) => {
    const drawn = randomCase(random);
    const of = { ...drawn, shape: [random.int(1, 2), random.int(1, 4), random.int(1, 4), 2] as const };
    const x = Float64Array.from(random.floats(elementsOf(of), -2, 2));
    const numbers = numbersOf(of);
    within(JSON.stringify(of), () =>
      expectGradient(
        x,
        (at) => call('map_response_norm_forward', [doubles(x.length)], [at], numbers)[0],
        (dy) => call('map_response_norm_backward', [doubles(x.length)], [dy, x], numbers)[0],
        random,
      ),
    );
  });
});

it('follows its definition', () => {
  // Two rows of three pixels and windows of 2 x 2: one pixel before, none behind
  const x = Float64Array.of(1, 2, 3, 4, 5, 6);
  const squares = [1, 1 + 4, 4 + 9, 1 + 16, 1 + 4 + 16 + 25, 4 + 9 + 25 + 36];
  const expected = squares.map((sum, i) => x[i] / (2 + (3 / 4) * sum) ** 0.5);
  const [y] = call('map_response_norm_forward', [doubles(6)], [x], [1, 2, 3, 1, 2, 3, 0.5, 2]);
  expectClose(y, expected, () => 1e-15);
});

it('NaN reaches the pixels around it only, in its channel and image', () => {
  forEachIsaAndThreads(() => {
    const [h, w, c] = [5, 6, 3];
    const x = new Float32Array(2 * h * w * c).fill(1);
    const at = (row: number, column: number) => (row * w + column) * c + 1;
    x[at(2, 5)] = NaN;
    const [y] = call('map_response_norm_forward', [floats(x.length)], [x], [2, h, w, c, 3, 1, 0.75, 1]);
    const around = [1, 2, 3].flatMap((row) => [at(row, 4), at(row, 5)]);
    expect([...y].flatMap((value, i) => (Number.isNaN(value) ? [i] : []))).toEqual(around);
  });
});

it('refuses operands that do not fit', () => {
  const of = (x: Float32Array | Float64Array, numbers: number[]) =>
    refusal(() => call('map_response_norm_forward', [floats(12)], [x], numbers)).code;
  const x = new Float32Array(12);
  expect(of(new Float32Array(11), [1, 2, 2, 3, 5])).toBe('ERR_SHAPE');
  expect(of(new Float64Array(12), [1, 2, 2, 3, 5])).toBe('ERR_DTYPE');
  expect(of(x, [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 5])).toBe('ERR_SHAPE');
  for (const bad of [-1, 0, 1.5, NaN, Infinity]) {
    for (let i = 0; i < 5; i++) {
      expect(
        of(
          x,
          [1, 2, 2, 3, 5].map((value, j) => (i === j ? bad : value)),
        ),
      ).toBe('ERR_ARGUMENT');
    }
  }
  // A window of 2^31 takes no memory: there are two rows
  expect(call('map_response_norm_forward', [floats(12)], [x], [1, 2, 2, 3, 2 ** 31, 1, 1, 1])[0][0]).toBe(0);
});
