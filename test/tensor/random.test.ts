// SPDX-License-Identifier: Apache-2.0
// Random tensors: the same seed, the same bits, on every instruction set and any number of threads; and the moments.
import { afterAll, describe, expect, test } from 'vitest';
import { nativeInfo, setIsa, setNumThreads } from '../../lib/native/bindings.js';
import { dropout } from '../../lib/ops/dropout.js';
import { ones } from '../../lib/tensor/create.js';
import { Generator, manualSeed, type RandomOptions, rand, randn, randperm } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { expectRefusal } from '../helpers/refusal.js';

const before = nativeInfo();
afterAll(() => {
  setIsa(before.isa);
  setNumThreads(before.threads);
});

const bits = (data: ArrayBufferView) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

/** The bits of one draw of each kind, large enough to be split among threads. */
function draws(seed: number, stream = 0): string[] {
  return tensorScope(() => {
    const generator = new Generator(seed, stream);
    const options: RandomOptions = { generator };
    return [
      rand([70_001], options),
      randn([70_001], options),
      rand([999], { ...options, low: -3, high: 5 }),
      randn([999], { ...options, dtype: 'float64', mean: 2, std: 3 }),
      randperm(1001, options),
      dropout(ones([70_001]), 0.3, generator),
    ].map((x) => bits(x.data()));
  });
}

test('a seed gives the same bits again, and on every instruction set and thread count', () => {
  const first = draws(42);
  expect(draws(42)).toEqual(first);
  for (const isa of nativeInfo().supportedIsas) {
    setIsa(isa);
    for (const threads of [1, 2, 3, 7]) {
      setNumThreads(threads);
      draws(42).forEach((drawn, i) => {
        expect(drawn === first[i], `${isa}, ${threads} threads, draw ${i}`).toBe(true);
      });
    }
  }
});

test('seeds, streams and steps differ', () =>
  tensorScope(() => {
    const generator = new Generator(1);
    const all = [
      rand([64], { generator }),
      rand([64], { generator }),
      rand([64], { generator: new Generator(2) }),
      rand([64], { generator: new Generator(-1) }),
      rand([64], { generator: new Generator(1, 1) }),
      rand([64], { generator: new Generator(1 + 2 ** 32) }),
    ].map((x) => bits(x.data()));
    expect(new Set(all).size).toBe(all.length);
  }));

test('manualSeed restarts what is drawn without a generator', () =>
  tensorScope(() => {
    const sequence = () =>
      [rand([5]), randn([5]), randperm(5), dropout(ones([50]), 0.5)].map((x) => bits(x.data()));
    manualSeed(7);
    const first = sequence();
    expect(sequence()).not.toEqual(first);
    manualSeed(7);
    expect(sequence()).toEqual(first);
  }));

test('a saved state goes on where it was, in another generator too', () =>
  tensorScope(() => {
    const generator = new Generator(-5, 3);
    for (let i = 0; i < 4; i++) rand([3], { generator });
    const { state } = generator;
    expect(state).toEqual({ seed: -5, stream: 3, step: 4 });
    const expected = bits(randn([9], { generator }).data());
    const resumed = new Generator(0);
    resumed.state = JSON.parse(JSON.stringify(state));
    expect(bits(randn([9], { generator: resumed }).data())).toBe(expected);
    expect(resumed.state.step).toBe(5);
    generator.state = { ...state, step: 2 ** 32 - 1 };
    rand([1], { generator });
    expect(generator.state.step).toBe(0); // the counter wraps
  }));

describe('moments of 200,000 numbers', () => {
  const n = 200_000;
  const moments = (values: ArrayLike<number>) => {
    let [m1, m2, m3, m4, low, high] = [0, 0, 0, 0, Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      m1 += values[i] / n;
      [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
    }
    for (let i = 0; i < values.length; i++) {
      const d = values[i] - m1;
      m2 += d ** 2 / n;
      m3 += d ** 3 / n;
      m4 += d ** 4 / n;
    }
    return { mean: m1, variance: m2, skew: m3 / m2 ** 1.5, kurtosis: m4 / m2 ** 2, low, high };
  };
  const wide = (sigma: number) => (5 * sigma) / Math.sqrt(n); // five standard errors

  test.each(['float32', 'float64'] as const)('uniform in [low, high), %s', (dtype) =>
    tensorScope(() => {
      const generator = new Generator(11);
      const m = moments(rand([n], { generator, dtype, low: -1, high: 3 }).data());
      expect(m.low).toBeGreaterThanOrEqual(-1);
      expect(m.high).toBeLessThan(3);
      expect(Math.abs(m.mean - 1)).toBeLessThan(wide(4 / Math.sqrt(12)));
      expect(Math.abs(m.variance - 16 / 12)).toBeLessThan(0.02);
      expect(Math.abs(m.kurtosis - 1.8)).toBeLessThan(0.02);
    }),
  );

  test.each(['float32', 'float64'] as const)('normal, %s', (dtype) =>
    tensorScope(() => {
      const generator = new Generator(12);
      const m = moments(randn([n], { generator, dtype, mean: 5, std: 2 }).data());
      expect(Math.abs(m.mean - 5)).toBeLessThan(wide(2));
      expect(Math.abs(m.variance - 4)).toBeLessThan(wide(4 * Math.SQRT2));
      expect(Math.abs(m.skew)).toBeLessThan(wide(Math.sqrt(6)));
      expect(Math.abs(m.kurtosis - 3)).toBeLessThan(wide(Math.sqrt(24)));
      expect(m.high).toBeGreaterThan(5 + 2 * 3.5); // tails are there
    }),
  );

  test('dropout keeps a share of 1 - p and the mean', () =>
    tensorScope(() => {
      const values = dropout(ones([n]), 0.3, new Generator(13)).data();
      const kept = values.filter((value) => value !== 0);
      expect(Math.abs(kept.length / n - 0.7)).toBeLessThan(wide(Math.sqrt(0.21)));
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.7)]));
    }));

  test('randperm is a permutation, and moves nearly everything', () =>
    tensorScope(() => {
      const values = randperm(10_000, { generator: new Generator(14) }).data();
      expect(Array.from(values).sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
      expect(values.filter((value, i) => value === i).length).toBeLessThan(10); // 1 is expected
      expect(Array.from(randperm(1).data())).toEqual([0]);
    }));
});

describe('refusals', () => {
  test('seeds and streams that are none', () => {
    for (const seed of [1.5, Number.NaN, 2 ** 53, '1', null, 1n]) {
      expectRefusal(() => new Generator(seed as number), 'ERR_ARGUMENT', { expected: /safe integer/ });
      expectRefusal(() => manualSeed(seed as number), 'ERR_ARGUMENT');
    }
    for (const stream of [-1, 2 ** 32, 0.5, Number.NaN, '0']) {
      expectRefusal(() => new Generator(0, stream as number), 'ERR_ARGUMENT', { expected: /stream/ });
    }
  });

  test('states that are none leave the generator where it was', () => {
    const generator = new Generator(3, 4);
    const state = generator.state;
    const wrong = [{ seed: 0.5 }, { stream: -1 }, { step: 2 ** 32 }, { step: -1 }, { step: undefined }];
    for (const part of wrong) {
      expectRefusal(() => {
        generator.state = { ...state, ...part } as typeof state;
      }, 'ERR_ARGUMENT');
    }
    expect(generator.state).toEqual(state);
  });

  test('types without fractions, sizes, numbers and generators that are none', () => {
    for (const make of [rand, randn]) {
      expectRefusal(() => make([2], { dtype: 'int32' }), 'ERR_DTYPE', { received: '"int32"' });
      expectRefusal(() => make([0]), 'ERR_SHAPE');
      expectRefusal(() => make([2], { generator: {} as Generator }), 'ERR_ARGUMENT', {
        expected: /Generator/,
      });
    }
    expectRefusal(() => rand([2], { low: Number.NaN }), 'ERR_ARGUMENT');
    expectRefusal(() => rand([2], { max: 2 } as object), 'ERR_ARGUMENT', { op: 'rand', received: 'max' });
    expectRefusal(() => randn([2], { sigma: 2 } as object), 'ERR_ARGUMENT', {
      op: 'randn',
      received: 'sigma',
    });
    expectRefusal(() => randperm(2, { seed: 1 } as object), 'ERR_ARGUMENT', { op: 'randperm' });
    expectRefusal(() => randn([2], { std: '1' as unknown as number }), 'ERR_ARGUMENT');
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 31]) expectRefusal(() => randperm(n), 'ERR_SHAPE');
  });
});
