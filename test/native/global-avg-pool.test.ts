// SPDX-License-Identifier: Apache-2.0
// Global average pooling on every instruction set against double precision.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectGradient,
  forSeeds,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

/** batch, pixels, channels */
function randomSize(random: Random): [number, number, number] {
  const pixels = random.pick([1, 2, 16, 49, 64, 400]);
  return [random.int(1, 9), pixels, random.pick([1, 3, 8, 15, 16, 17, 64, 130])];
}

describe('global average pooling', () => {
  it('is the mean of all pixels, within rounding', () => {
    forSeeds(20, (random) => {
      const size = randomSize(random);
      const [batch, pixels, channels] = size;
      const x = random.floats(batch * pixels * channels);
      within(`size ${size}`, () => {
        const outputs = [floats(batch * channels)];
        const bound = () => 2 ** -24 * (2 + Math.sqrt(pixels));
        checkAgainstReference('global_avg_pool_forward', outputs, [x], size, bound);
      });
    });
  });

  it('sends each pixel its share back', () => {
    forSeeds(20, (random) => {
      const size = randomSize(random);
      const [batch, pixels, channels] = size;
      const dy = random.floats(batch * channels);
      within(`size ${size}`, () => {
        const outputs = [floats(batch * pixels * channels)];
        const bound = (_: number, __: number, wanted: number) => 2 ** -23 * Math.abs(wanted);
        checkAgainstReference('global_avg_pool_backward', outputs, [dy], size, bound);
      });
    });
  });

  it('has the gradient of central differences in its reference', () => {
    forSeeds(4, (random) => {
      const size = [2, 6, 3];
      expectGradient(
        Float64Array.from(random.floats(36)),
        (x) => call('global_avg_pool_forward', [doubles(6)], [x], size)[0],
        (dy) => call('global_avg_pool_backward', [doubles(36)], [dy], size)[0],
        random,
      );
    });
  });

  it('refuses sizes and operands that do not fit', () => {
    const forward = (size: number[], output: { kind: 'float32' | 'float64'; size: number } = floats(6)) =>
      refusal(() => call('global_avg_pool_forward', [output], [new Float32Array(24)], size)).code;
    for (const bad of [-1, 0, 1.5, NaN])
      for (const at of [0, 1, 2])
        expect(forward([2, 4, 3].map((value, i) => (i === at ? bad : value)))).toBe('ERR_ARGUMENT');
    expect(forward([2, 4, 3], floats(5))).toBe('ERR_SHAPE');
    expect(forward([2, 5, 3])).toBe('ERR_SHAPE');
    expect(forward([2, 4, 3], doubles(6))).toBe('ERR_DTYPE');
    expect(forward([2 ** 31, 2 ** 31, 4])).toBe('ERR_SHAPE'); // 2^64 elements: 0, if it wrapped
  });
});
