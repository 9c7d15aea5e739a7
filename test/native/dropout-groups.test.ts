// SPDX-License-Identifier: Apache-2.0
// Dropout of whole channels and samples on every instruction set: the draws are those of single elements.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  forEachIsaAndThreads,
  forSeeds,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const KEY = [7, 3, 2, 11];

/** samples, repeats, groups */
const randomSize = (random: Random): [number, number, number] => [
  random.int(1, 9),
  random.pick([1, 2, 9, 49, 300]),
  random.pick([1, 1, 2, 3, 8, 15, 16, 17, 64, 130]),
];

describe('dropout of groups', () => {
  it('drops all elements of a group or none, on every instruction set alike', () => {
    forSeeds(30, (random) => {
      const [samples, repeats, groups] = randomSize(random);
      const size = samples * repeats * groups;
      const [p, first] = [random.pick([0, 0.1, 0.5, 0.9]), random.int(0, 9)];
      const x = random.floats(size, 1, 2);
      const params = [p, ...KEY, first, samples, repeats, groups];
      within(`size ${[samples, repeats, groups]}`, () => {
        const scaled = (_: number, __: number, wanted: number) => 2 ** -22 * Math.abs(wanted);
        checkAgainstReference('dropout_groups', [floats(size)], [x], params, scaled);
      });
    });
  });

  it('gives group j of sample i the number first + i groups + j of its key', () => {
    forSeeds(20, (random) => {
      const [samples, repeats, groups] = randomSize(random);
      const [p, first] = [0.4, random.int(0, 9)];
      const ones = new Float32Array(samples * groups).fill(1);
      const [single] = call('dropout', [floats(ones.length)], [ones], [p, ...KEY, first]);
      const image = new Float32Array(samples * repeats * groups).fill(1);
      forEachIsaAndThreads(() => {
        const params = [p, ...KEY, first, samples, repeats, groups];
        const [y] = call('dropout_groups', [floats(image.length)], [image], params);
        y.forEach((value, i) => {
          const [sample, group] = [Math.floor(i / groups / repeats), i % groups];
          if (value !== single[sample * groups + group]) throw new Error(`element ${i} fares otherwise`);
        });
      });
    });
  });

  it('cuts one large sample into pieces that fare alike', () => {
    const x = new Float32Array(100_000).fill(1);
    const kept = new Set<number>();
    forEachIsaAndThreads(() => {
      for (let first = 0; first < 8; first++) {
        const [y] = call('dropout_groups', [floats(x.length)], [x], [0.5, ...KEY, first, 1, x.length, 1]);
        expect(new Set(y).size).toBe(1);
        kept.add(y[0]);
      }
    });
    expect(kept).toEqual(new Set([0, 2]));
  });

  it('refuses probabilities, sizes and operands that do not fit', () => {
    const params = [0.5, ...KEY, 0, 2, 3, 4];
    const run = (numbers: number[], size = 24) =>
      refusal(() => call('dropout_groups', [floats(size)], [new Float32Array(24)], numbers)).code;
    for (const at of [0, 1, 5, 6, 7, 8])
      for (const bad of [-1, NaN, Infinity])
        expect(run(params.map((value, i) => (i === at ? bad : value)))).toBe('ERR_ARGUMENT');
    expect(run([0.5, ...KEY, 0, 2, 0, 4])).toBe('ERR_ARGUMENT');
    expect(run([0.5, ...KEY, 0, 2, 3, 5])).toBe('ERR_SHAPE');
    expect(run(params, 25)).toBe('ERR_SHAPE');
    expect(run([0.5, ...KEY, 0, 2 ** 31, 2 ** 31, 4])).toBe('ERR_SHAPE');
  });
});
