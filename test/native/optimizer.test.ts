// SPDX-License-Identifier: Apache-2.0
// SGD and Adam updates on every instruction set against double precision, and the formulas by hand.
import { describe, expect, it } from 'vitest';
import { call, checkAgainstReference, forSeeds, type Random, refusal, within } from '../helpers/native.js';

const EPSILON = 2 ** -24;
const sizes = [1, 3, 7, 8, 9, 15, 16, 17, 100, 16384, 16385, 65_536, 140_001];

function randomState(random: Random) {
  const size = random.pick(sizes);
  return {
    parameter: random.floats(size),
    gradient: random.floats(size, -3, 3),
    mean: random.floats(size),
    square: random.floats(size, 0.01, 2),
  };
}

// The instructions name the parameter, the gradient, then the state; all are outputs as far as tests go.
const sgd = (random: Random) => ({
  lr: random.next(),
  momentum: random.pick([0, 0.5, 0.9]),
  dampening: random.pick([0, 0.3]),
  weightDecay: random.pick([0, 0.01]),
  nesterov: random.int(0, 1),
  first: random.int(0, 1),
});

describe('sgd_update', () => {
  it('stays within rounding of the double-precision update', () => {
    forSeeds(40, (random) => {
      const { parameter, gradient, mean: velocity } = randomState(random);
      const options = sgd(random);
      const state = options.momentum === 0 ? [] : [velocity];
      within(JSON.stringify(options), () => {
        // Every term is below 8, and there are fewer than 8 roundings.
        const numbers = Object.values(options);
        const bound = () => 64 * EPSILON;
        checkAgainstReference('sgd_update', [parameter, gradient, ...state], [], numbers, bound);
      });
    });
  });

  it('is the formula by hand', () => {
    const of = (...numbers: number[]) =>
      call(
        'sgd_update',
        [2, 0.5, 4].map((value) => Float64Array.of(value)),
        [],
        numbers,
      ).map((x) => x[0]);
    expect(of(0.1, 0.9, 0, 0, 0, 0)).toEqual([2 - 0.1 * (0.9 * 4 + 0.5), 0.5, 0.9 * 4 + 0.5]);
    expect(of(0.1, 0.9, 0, 0, 0, 1)).toEqual([2 - 0.1 * 0.5, 0.5, 0.5]);
    expect(of(0.1, 0.5, 0.25, 0, 0, 0)).toEqual([2 - 0.1 * (2 + 0.75 * 0.5), 0.5, 2 + 0.75 * 0.5]);
    expect(of(0.1, 0.5, 0, 0, 1, 0)).toEqual([2 - 0.1 * (0.5 + 0.5 * 2.5), 0.5, 2.5]);
    expect(of(0.5, 0.5, 0, 0.25, 0, 0)).toEqual([2 - 0.5 * 3, 0.5, 3]);
  });

  it('needs a velocity for momentum, of the right size', () => {
    const x = Float32Array.of(1, 2);
    const code = (outputs: Float32Array[], momentum: number) =>
      refusal(() => call('sgd_update', outputs, [], [0.1, momentum, 0, 0, 0, 0])).code;
    expect(code([x, x], 0.9)).toBe('ERR_ARGUMENT');
    expect(code([x, x, Float32Array.of(1)], 0.9)).toBe('ERR_SHAPE');
    expect(code([x, Float32Array.of(1)], 0)).toBe('ERR_SHAPE');
  });
});

describe('adam_update', () => {
  it('stays within rounding of the double-precision update', () => {
    forSeeds(40, (random) => {
      const { parameter, gradient, mean, square } = randomState(random);
      const [lr, decay] = [random.next() * 0.1, random.pick([0, 0.01])];
      const step = random.pick([1, 2, 10, 1000, 1_000_000]);
      const numbers = [lr, 0.9, 0.999, 1e-8, decay, random.int(0, 1), step];
      within(`${numbers}`, () => {
        // mean / (1 - beta1^t) over sqrt(square / (1 - beta2^t)) is largest at the first step: at most 10 / sqrt(10)
        const ratio = 1.3 / (1 - 0.9 ** step) / Math.sqrt(0.00999 / (1 - 0.999 ** step));
        const bounds = [(8 * lr * ratio + 4) * EPSILON, 0, 16 * EPSILON, 64 * EPSILON];
        const outputs = [parameter, gradient, mean, square];
        checkAgainstReference('adam_update', outputs, [], numbers, (output) => bounds[output]);
      });
    });
  });

  it('first step moves by the learning rate against the sign of the gradient', () => {
    for (const decoupled of [0, 1]) {
      const state = [1, 0.25, 0, 0].map((value) => Float64Array.of(value));
      const [parameter] = call('adam_update', state, [], [0.01, 0.9, 0.999, 0, 0, decoupled, 1]);
      expect(parameter[0]).toBeCloseTo(0.99, 12);
    }
  });

  it('decays through the gradient, or the parameter where decoupled', () => {
    const of = (decoupled: number) =>
      call(
        'adam_update',
        [2, 0, 0, 0].map((value) => Float64Array.of(value)),
        [],
        [0.1, 0.9, 0.999, 0, 0.5, decoupled, 1],
      );
    expect(of(0)[0][0]).toBeCloseTo(2 - 0.1, 12);
    expect(of(0)[2][0]).toBeCloseTo(0.1, 12);
    // 0 / 0 without an epsilon: only the decay of the parameter shows where epsilon is there
    const numbers = [0.1, 0.9, 0.999, 1e-8, 0.5, 1, 1];
    const [parameter, , mean] = call(
      'adam_update',
      [2, 0, 0, 0].map((value) => Float64Array.of(value)),
      [],
      numbers,
    );
    expect([parameter[0], mean[0]]).toEqual([2 * (1 - 0.05), 0]);
  });

  it('refuses a step before the first, and state of another size', () => {
    const x = Float32Array.of(1);
    const numbers = [0.1, 0.9, 0.999, 1e-8, 0, 0];
    for (const step of [0, -1, 1.5, NaN]) {
      const error = refusal(() => call('adam_update', [x, x, x, x], [], [...numbers, step]));
      expect(error.code).toBe('ERR_ARGUMENT');
    }
    const error = refusal(() => call('adam_update', [x, x, x, Float32Array.of(1, 2)], [], [...numbers, 1]));
    expect(error.code).toBe('ERR_SHAPE');
  });
});
