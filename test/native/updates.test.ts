// SPDX-License-Identifier: Apache-2.0
// The rules beside SGD and Adam, and what all rules do with gradients first, on every instruction set against double precision,
// and the formulas by hand.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
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

const EPSILON = 2 ** -24;
const sizes = [1, 3, 7, 8, 9, 15, 16, 17, 100, 16384, 16385, 65_536, 140_001];
const of = (...values: number[]) => Float64Array.of(...values);

/** A rule as the tests call it: its state beside parameter and gradient, and its numbers. */
interface Rule {
  /** Bounds of what each state tensor begins with. */
  readonly state: (random: Random) => readonly [low: number, high: number][];
  readonly numbers: (random: Random) => number[];
  /** Greatest error of the parameter, and of state, for states below 2 and gradients below 3 in magnitude. */
  readonly bounds: readonly number[];
}

const rules: Record<string, Rule> = {
  rmsprop_update: {
    // The mean is so small that the variance keeps its digits
    state: () => [
      [1, 2],
      [-0.5, 0.5],
      [-1, 1],
    ],
    numbers: (random) => [
      random.next(),
      random.pick([0.9, 0.5]),
      1e-8,
      random.pick([0, 0.01]),
      random.pick([0.5, 0.9]),
    ],
    bounds: [64, 0, 32, 16, 64],
  },
  adagrad_update: {
    state: () => [[0.1, 2]],
    numbers: (random) => [
      random.next(),
      random.pick([0, 0.1]),
      1e-10,
      random.pick([0, 0.01]),
      random.pick([1, 2, 1000]),
    ],
    bounds: [64, 0, 64],
  },
  ema_update: {
    state: () => [],
    numbers: (random) => [random.pick([0, 1e-3, 0.3, 0.5, 0.9, 1])],
    bounds: [8, 0],
  },
};

describe.each(Object.entries(rules))('%s', (op, rule) => {
  it('stays within rounding of the double-precision update', () => {
    forSeeds(30, (random) => {
      const size = random.pick(sizes);
      const state = rule.state(random).map(([low, high]) => random.floats(size, low, high));
      const numbers = rule.numbers(random);
      const outputs = [random.floats(size), random.floats(size, -3, 3), ...state];
      within(JSON.stringify(numbers), () => {
        checkAgainstReference(op, outputs, [], numbers, (output) => rule.bounds[output] * EPSILON);
      });
    });
  });
});

describe('lion_update', () => {
  it('has the signs of the double-precision update, and stays within rounding of it', () => {
    forSeeds(30, (random) => {
      const size = random.pick(sizes);
      // Gradient and mean of one sign: their blend is far from 0
      const gradient = random.floats(size, 0.1, 3).map((value) => (random.next() < 0.5 ? value : -value));
      const mean = gradient.map((value) => Math.sign(value) * random.next());
      const numbers = [random.next() * 0.1, random.pick([0.9, 0.5]), 0.99, random.pick([0, 0.1])];
      checkAgainstReference(
        'lion_update',
        [random.floats(size), gradient, mean],
        [],
        numbers,
        () => 8 * EPSILON,
      );
    });
  });

  it('leaves a weight whose blend is 0, and keeps NaN', () => {
    forEachIsaAndThreads(() => {
      const [parameter] = call(
        'lion_update',
        [Float32Array.of(1, 1, 1, 1), Float32Array.of(0, NaN, 2, -2), new Float32Array(4)],
        [],
        [0.5, 0.9, 0.99, 0],
      );
      expect([...parameter]).toEqual([1, NaN, 0.5, 1.5]);
    });
  });
});

describe('the formulas by hand', () => {
  const values = (op: string, state: NumberArray[], numbers: number[]) =>
    call(op, state, [], numbers).map((data) => data[0]);

  it('RMSprop: plain, centered, with momentum', () => {
    const plain = values('rmsprop_update', [of(2), of(3), of(1)], [0.1, 0.75, 1e-3, 0, 0]);
    const square = 0.75 + 0.25 * 9;
    expect(plain).toEqual([2 - (0.1 * 3) / (Math.sqrt(square) + 1e-3), 3, square]);
    const all = values('rmsprop_update', [of(2), of(3), of(1), of(0.5), of(4)], [0.1, 0.75, 1e-3, 0, 0.5]);
    const mean = 0.75 * 0.5 + 0.25 * 3;
    const velocity = 0.5 * 4 + 3 / (Math.sqrt(square - mean * mean) + 1e-3);
    expect(all).toEqual([2 - 0.1 * velocity, 3, square, mean, velocity]);
  });

  it('RMSprop, centered, divides by no less than eps where rounding has taken the variance below 0', () => {
    forEachIsaAndThreads(() => {
      const outputs = [Float32Array.of(0), Float32Array.of(1), Float32Array.of(0.9), Float32Array.of(1)];
      const [parameter] = call('rmsprop_update', outputs, [], [1, 0.99, 0.5, 0, 0]);
      expect(parameter[0]).toBe(-2);
    });
  });

  it('Adagrad: the rate of update 3 with a decay of 0.5', () => {
    const state = values('adagrad_update', [of(2), of(3), of(7)], [0.1, 0.5, 0, 0.5, 3]);
    expect(state[2]).toBe(7 + 16);
    expect(state[0]).toBeCloseTo(2 - ((0.1 / 2) * 4) / Math.sqrt(23), 14);
  });

  it('Adam with the largest square so far', () => {
    const numbers = [0.1, 0, 0.5, 0, 0, 0, 1e6];
    const [parameter, , , square, largest] = values(
      'adam_update',
      [of(2), of(2), of(0), of(0), of(9)],
      numbers,
    );
    expect([square, largest]).toEqual([2, 9]);
    expect(parameter).toBeCloseTo(2 - (0.1 * 2) / 3, 14);
  });

  it('averages: a share of 1 is the value itself, one of 0 the average', () => {
    forEachIsaAndThreads(() => {
      const average = Float32Array.of(0.1, 1e8, -3);
      const value = Float32Array.of(0.3, 1, 0.7);
      expect(call('ema_update', [average, value], [], [1])[0]).toEqual(value);
      expect(call('ema_update', [average, value], [], [0])[0]).toEqual(average);
    });
  });

  it.each(['rmsprop_update', 'adagrad_update', 'lion_update', 'adam_update'])('%s needs its state', (op) => {
    const x = Float32Array.of(1);
    const numbers = [0.1, 0.9, 0.9, 0, 1, 0, 1];
    expect(refusal(() => call(op, [x, x], [], numbers)).code).toBe('ERR_ARGUMENT');
    expect(refusal(() => call(op, [x, x, Float32Array.of(1, 2)], [], numbers)).code).toBe('ERR_SHAPE');
  });

  it('Adagrad refuses an update before the first', () => {
    const x = Float32Array.of(1);
    expect(refusal(() => call('adagrad_update', [x, x, x], [], [0.1, 0, 0, 0, 0])).code).toBe('ERR_ARGUMENT');
  });
});

// Each rule's own numbers, before those of the gradient
const own: Record<string, readonly [states: number, numbers: number[]]> = {
  sgd_update: [1, [0.1, 0.9, 0, 0.01, 0, 0]],
  adam_update: [3, [0.1, 0.9, 0.999, 1e-8, 0.01, 0, 3]],
  rmsprop_update: [3, [0.1, 0.9, 1e-3, 0.01, 0.5]],
  adagrad_update: [1, [0.1, 0, 1e-10, 0.01, 2]],
  lion_update: [1, [0.1, 0.9, 0.99, 0.01]],
};

describe.each(Object.entries(own))('%s', (op, [states, numbers]) => {
  const size = 70_003; // more than one task
  const setUp = (random: Random) => ({
    parameter: random.floats(size),
    gradient: random.floats(size, -3, 3),
    state: Array.from({ length: states }, (_, i) => random.floats(size, i > 0 ? 1.5 : 0.1, 2)),
  });

  /** The instruction with gradients clipped inside, and the same after they were clipped by themselves. */
  const both = (
    random: Random,
    maximize: number,
    squares: NumberArray | null,
    norm: number,
    limit: number,
  ) => {
    const { parameter, gradient, state } = setUp(random);
    const filled = [0, 1, 2].map((i) => state[i] ?? null);
    const update = (values: NumberArray, sum: NumberArray | null, gradientNumbers: number[]) => {
      const tensors = [parameter, values, ...filled, sum].map((data) =>
        data === null ? -1 : toTensor(data),
      );
      run(op, tensors, [...numbers, ...gradientNumbers]);
      const results = [tensors[0], ...tensors.slice(2, 2 + states)].map(fromTensor);
      free(...tensors);
      return results;
    };
    const [clipped] = call('clip', [gradient], squares === null ? [null] : [squares], [norm, limit]);
    const signed = maximize ? (clipped as Float32Array).map((value) => -value) : clipped;
    return { inside: update(gradient, squares, [maximize, norm, limit]), before: update(signed, null, []) };
  };

  it.each([
    ['by norm', 0, of(9e4), 2, 0],
    ['by norm, uphill', 1, of(9e4), 2, 0],
    ['by a norm that is large enough', 0, of(9e4), 400, 0],
    ['by value', 0, null, 0, 0.75],
    ['not at all, uphill', 1, null, 0, 0],
  ] as const)('has the bits of an update with gradients clipped %s', (_, maximize, squares, norm, limit) => {
    forSeeds(2, (random) => {
      forEachIsaAndThreads(() => {
        const { inside, before } = both(random, maximize, squares, norm, limit);
        inside.forEach((data, i) => {
          expectSameBits(data, before[i], `output ${i}`);
        });
      });
    });
  });
});

/** Without the error of a long sum, which is added up by itself (Neumaier 1974); squares of floats are exact. */
function exactSquares(data: Float32Array): number {
  let [sum, rest] = [0, 0];
  for (const value of data) {
    const square = value * value;
    const next = sum + square;
    rest += sum >= square ? sum - next + square : square - next + sum;
    sum = next;
  }
  return sum + rest;
}

describe('square_sum', () => {
  const squares = (data: NumberArray, start: number, first: number) =>
    call('square_sum', [of(start)], [data], [first])[0][0];

  it('is the sum in double precision, the same for every instruction set and number of threads', () => {
    forSeeds(20, (random) => {
      const data = random.floats(random.pick(sizes), -3, 3);
      const wanted = exactSquares(data);
      const seen = new Set<number>();
      forEachIsaAndThreads(() => seen.add(squares(data, 5, 1)));
      expect(seen.size).toBe(1);
      const [sum] = seen;
      // A chunk of 16,384 is 8 sums of 2,048, added one by one, as are at most 9 chunks: so many roundings of the whole
      expect(Math.abs(sum - wanted)).toBeLessThanOrEqual((2048 + 8 + 9) * 2 ** -53 * wanted);
      expect(squares(data, 5, 0)).toBe(5 + sum);
    });
  });

  it('neither overflows nor vanishes', () => {
    expect(squares(Float32Array.of(3e38, 4e38 / 2), 0, 1)).toBeGreaterThan(1e77);
    expect(squares(Float32Array.of(1e-30), 0, 1)).toBeCloseTo(1e-60, 65);
    expect(squares(Float32Array.of(1, NaN), 0, 1)).toBeNaN();
    expect(squares(Float32Array.of(1, -Infinity), 0, 1)).toBe(Infinity);
    expect(squares(of(3, 4), 0, 1)).toBe(25);
  });

  it('refuses a total that is not one double', () => {
    expect(refusal(() => call('square_sum', [Float32Array.of(0)], [of(1)], [1])).code).toBe('ERR_DTYPE');
    expect(refusal(() => call('square_sum', [of(0, 0)], [of(1)], [1])).code).toBe('ERR_SHAPE');
    expect(refusal(() => call('square_sum', [of(0)], [Int32Array.of(1)], [1])).code).toBe('ERR_DTYPE');
  });
});

describe('clip', () => {
  it('by norm scales by max / (norm + 1e-6), never up', () => {
    const clipped = (norm: number) => call('clip', [of(3, -4)], [of(25)], [norm, 0])[0];
    expect([...clipped(1)]).toEqual([3, -4].map((value) => value * (1 / (5 + 1e-6))));
    expect([...clipped(5.1)]).toEqual([3, -4]);
  });

  it('by value keeps NaN and takes infinities to the bound', () => {
    const values = [0.5, -0.5, 3, -3, NaN, Infinity, -Infinity, 0, 1];
    const wanted = [0.5, -0.5, 1, -1, NaN, 1, -1, 0, 1];
    forEachIsaAndThreads(() => {
      expect([...call('clip', [Float32Array.from(values)], [null], [0, 1])[0]]).toEqual(wanted);
    });
    expect([...call('clip', [Float64Array.from(values)], [null], [0, 1])[0]]).toEqual(wanted);
  });

  it('by a norm that is NaN gives NaN', () => {
    expect([...call('clip', [Float32Array.of(1, 2)], [of(NaN)], [1, 0])[0]]).toEqual([NaN, NaN]);
  });

  it('norm is the root', () => {
    expect(call('norm', [{ kind: 'float32', size: 1 }], [of(2)])[0][0]).toBe(Math.fround(Math.SQRT2));
    expect(call('norm', [{ kind: 'float64', size: 1 }], [of(2)])[0][0]).toBe(Math.SQRT2);
    expect(refusal(() => call('norm', [of(0)], [Float32Array.of(2)])).code).toBe('ERR_DTYPE');
  });
});
