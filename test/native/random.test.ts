// SPDX-License-Identifier: Apache-2.0
// Random tensors and dropout: the words of lib/tensor/philox.ts, the same bits everywhere, and the moments
// of the distributions.
import { describe, expect, it } from 'vitest';
import { philoxKey, RandomStream } from '../../lib/tensor/philox.js';
import {
  call,
  checkAgainstReference,
  expectClose,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type Random,
  refusal,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const sizes = [1, 2, 3, 4, 5, 31, 63, 64, 65, 100, 16384, 16387, 50_001];

function randomKey(random: Random) {
  const seed = random.pick([0, 1, -1, 12345, 2 ** 40 + 17, Number.MAX_SAFE_INTEGER]);
  const stream = random.pick([0, 3, 2 ** 32 - 1]);
  const step = random.pick([0, 1, 77, 2 ** 32 - 1]);
  return { params: [...philoxKey(seed), stream, step], words: new RandomStream(seed, stream, 0, step) };
}

describe('random_uniform', () => {
  it('draws the numbers of a RandomStream, in the same bits on every instruction set', () => {
    for (const size of sizes) {
      forSeeds(1, (random) => {
        const { params, words } = randomKey(random);
        const expected = Float32Array.from({ length: size }, () => words.uniform());
        forEachIsaAndThreads(() => {
          expectSameBits(call('random_uniform', [floats(size)], [], [0, 1, ...params])[0], expected);
        });
      });
    }
  });

  it('scales to other limits, each operation rounded', () => {
    forSeeds(5, (random) => {
      const { params, words } = randomKey(random);
      const low = Math.fround(random.next() * 10 - 5);
      const range = Math.fround(random.next() * 3);
      const numbers = [low, low + range, ...params];
      const step = Math.fround(low + range - low);
      const expected = Float32Array.from({ length: 1000 }, () => low + Math.fround(step * words.uniform()));
      forEachIsaAndThreads(() => {
        expectSameBits(call('random_uniform', [floats(1000)], [], numbers)[0], expected);
      });
      const [inDouble] = call('random_uniform', [doubles(1000)], [], numbers);
      expectClose(expected, inDouble, () => 2 ** -20);
    });
  });

  it('differs between seeds, streams and steps', () => {
    const of = (...key: number[]) => call('random_uniform', [floats(100)], [], [0, 1, ...key])[0].join();
    const all = [of(1, 0, 0, 0), of(2, 0, 0, 0), of(1, 1, 0, 0), of(1, 0, 1, 0), of(1, 0, 0, 1)];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('random_normal', () => {
  it('draws the normal numbers of a RandomStream on every instruction set', () => {
    for (const size of sizes) {
      forSeeds(1, (random) => {
        const { params, words } = randomKey(random);
        const expected = Float64Array.from({ length: size }, () => 2 + 0.5 * words.normal());
        // Two mathematics libraries may differ in the last bit of a double.
        expectClose(
          call('random_normal', [doubles(size)], [], [2, 0.5, ...params])[0],
          expected,
          () => 1e-14,
        );
        const [first] = call('random_normal', [floats(size)], [], [2, 0.5, ...params]);
        expectClose(first, expected, (i) => 2 ** -24 * Math.abs(expected[i]) + 1e-14);
        forEachIsaAndThreads(() => {
          expectSameBits(call('random_normal', [floats(size)], [], [2, 0.5, ...params])[0], first);
        });
      });
    }
  });

  it('has the moments of a normal distribution', () => {
    const size = 400_000;
    const x = Float64Array.from(call('random_normal', [doubles(size)], [], [0, 1, 9, 0, 0, 0])[0]);
    const moment = (power: number) => x.reduce((total, value) => total + value ** power, 0) / size;
    // Five standard errors: sqrt(1, 2, 15, 96) / sqrt(size)
    const expected = [0, 1, 0, 3];
    const errors = [1, Math.sqrt(2), Math.sqrt(15), Math.sqrt(96)];
    expected.forEach((value, i) => {
      expect(Math.abs(moment(i + 1) - value)).toBeLessThan((5 * errors[i]) / Math.sqrt(size));
    });
  });
});

describe('random_permutation', () => {
  it('is the shuffle of Fisher and Yates with the words of a RandomStream', () => {
    for (const size of [1, 2, 3, 10, 1000, 60_000]) {
      forSeeds(1, (random) => {
        const { params, words } = randomKey(random);
        const expected = Int32Array.from({ length: size }, (_, i) => i);
        for (let i = size - 1; i > 0; i--) {
          const j = words.int(i + 1);
          [expected[i], expected[j]] = [expected[j], expected[i]];
        }
        expectSameBits(call('random_permutation', [{ kind: 'int32', size }], [], params)[0], expected);
      });
    }
  });

  it('puts every order of three in a sixth of the draws', () => {
    const counts = new Map<string, number>();
    const draws = 6000;
    for (let step = 0; step < draws; step++) {
      const [order] = call('random_permutation', [{ kind: 'int32', size: 3 }], [], [5, 0, 0, step]);
      counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Five standard errors of a binomial count
    const error = 5 * Math.sqrt((draws * (1 / 6) * 5) / 6);
    for (const count of counts.values()) expect(Math.abs(count - draws / 6)).toBeLessThan(error);
  });
});

describe('dropout', () => {
  it('keeps the elements whose number reaches p, scaled up', () => {
    for (const size of sizes) {
      forSeeds(1, (random) => {
        const { params, words } = randomKey(random);
        const p = random.pick([0, 0.1, 0.25, 0.5, 0.9]);
        const x = random.floats(size);
        const scale = Math.fround(1 / (1 - p));
        const expected = x.map((value) => value * (words.uniform() >= p ? scale : 0));
        forEachIsaAndThreads(() => {
          expectSameBits(call('dropout', [floats(size)], [x], [p, ...params])[0], expected);
        });
        const rounding = 2 ** -23;
        checkAgainstReference(
          'dropout',
          [floats(size)],
          [x],
          [p, ...params],
          (_, __, y) => rounding * Math.abs(y),
        );
      });
    }
  });

  it('goes on in the middle of a tensor as if it were there', () => {
    forSeeds(10, (random) => {
      const { params } = randomKey(random);
      const size = random.pick([9, 70, 16390]);
      const x = random.floats(size);
      const [whole] = call('dropout', [floats(size)], [x], [0.4, ...params]);
      const first = random.int(0, size - 1);
      forEachIsaAndThreads(() => {
        const part = call('dropout', [floats(size - first)], [x.slice(first)], [0.4, ...params, first])[0];
        expectSameBits(part, whole.slice(first));
      });
      const wide = Float64Array.from(x.slice(first));
      const [reference] = call('dropout', [doubles(size - first)], [wide], [0.4, ...params, first]);
      reference.forEach((value, i) => {
        expect(value === 0).toBe(whole[first + i] === 0);
      });
    });
  });

  it('drops a share of p', () => {
    const size = 100_000;
    for (const p of [0.1, 0.5, 0.8]) {
      const [y] = call('dropout', [floats(size)], [new Float32Array(size).fill(1)], [p, 3, 0, 0, 0]);
      const dropped = Float32Array.from(y).reduce((count, value) => count + (value === 0 ? 1 : 0), 0) / size;
      expect(Math.abs(dropped - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / size));
    }
  });

  it('with p = 1 leaves nothing, with p = 0 everything', () => {
    const x = Float32Array.of(1, -2, 3, 1e30, -5);
    forEachIsaAndThreads(() => {
      expect(call('dropout', [floats(5)], [x], [1, 1, 0, 0, 0])[0].every((value) => value === 0)).toBe(true);
      expectSameBits(call('dropout', [floats(5)], [x], [0, 1, 0, 0, 0])[0], x);
    });
  });
});

describe('refusals', () => {
  const x = new Float32Array(4);

  it.each([-0.1, 1.1, NaN])('a probability of %d', (p) => {
    const error = refusal(() => call('dropout', [floats(4)], [x], [p, 0, 0, 0, 0]));
    expect(error.code).toBe('ERR_ARGUMENT');
  });

  it.each([-1, NaN, 2 ** 60])('a place of %d', (first) => {
    const error = refusal(() => call('dropout', [floats(4)], [x], [0.5, 0, 0, 0, 0, first]));
    expect(error.code).toBe('ERR_ARGUMENT');
  });

  it.each([-1, 0.5, 2 ** 32, NaN, Infinity])('a key word of %d', (bad) => {
    for (let at = 0; at < 4; at++) {
      const key = [0, 0, 0, 0].map((value, i) => (i === at ? bad : value));
      const error = refusal(() => call('random_uniform', [floats(4)], [], [0, 1, ...key]));
      expect(error.code).toBe('ERR_ARGUMENT');
      expect(refusal(() => call('dropout', [floats(4)], [x], [0.5, ...key])).code).toBe('ERR_ARGUMENT');
    }
  });

  it('outputs of another type or size', () => {
    const key = [0, 0, 0, 0];
    const kinds = { kind: 'int32', size: 4 } as const;
    expect(refusal(() => call('random_uniform', [kinds], [], [0, 1, ...key])).code).toBe('ERR_DTYPE');
    expect(refusal(() => call('random_permutation', [floats(4)], [], key)).code).toBe('ERR_DTYPE');
    expect(refusal(() => call('dropout', [floats(5)], [x], [0.5, ...key])).code).toBe('ERR_SHAPE');
  });
});
