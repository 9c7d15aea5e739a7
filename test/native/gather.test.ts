// SPDX-License-Identifier: Apache-2.0
// Batches gathered from a data set: exact arithmetic on every instruction set, and indices out of range.
import { describe, expect, it } from 'vitest';
import {
  call,
  expectClose,
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

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

function randomCase(random: Random) {
  const channels = random.pick([1, 2, 3, 4, 5, 7, 15, 16]);
  const imageSize = channels * random.pick([1, 5, 49, 784]);
  const [images, count] = [random.int(1, 6), random.pick([1, 3, 70])];
  const isBytes = random.next() < 0.5;
  const bytes = Uint8Array.from(random.ints(images * imageSize, 0, 255));
  return {
    channels,
    imageSize,
    count,
    source: isBytes ? bytes : random.floats(images * imageSize),
    scale: isBytes ? 1 / 255 : 1,
    indices: random.ints(count, 0, images - 1),
    mean: [...random.floats(channels)],
    inverseStd: [...random.floats(channels, 0.5, 5)],
  };
}

describe('gather_images', () => {
  it('is (x * scale - mean) * inverseStd, each operation rounded, on every instruction set', () => {
    forSeeds(40, (random) => {
      const { channels, imageSize, count, source, scale, indices, mean, inverseStd } = randomCase(random);
      const size = count * imageSize;
      const numbers = [count, imageSize, channels, ...mean, ...inverseStd];
      const pixel = (i: number) => source[indices[Math.floor(i / imageSize)] * imageSize + (i % imageSize)];
      const rounded = Math.fround(scale);
      const expected = Float32Array.from({ length: size }, (_, i) => {
        const centred = Math.fround(Math.fround(pixel(i) * rounded) - mean[i % channels]);
        return centred * inverseStd[i % channels];
      });
      within(`${count} of ${imageSize} with ${channels} channels`, () => {
        forEachIsaAndThreads(() => {
          const [out] = call('gather_images', [floats(size)], [source, indices], numbers);
          expectSameBits(out, expected);
        });
        const [reference] = call('gather_images', [doubles(size)], [source, indices], numbers);
        // Four roundings of numbers up to 2, times up to 5
        expectClose(expected, reference, () => 4 * 2 * 5 * 2 ** -24);
      });
    });
  });

  it('turns bytes 0 and 255 into 0 and 1', () => {
    const source = Uint8Array.of(0, 255, 0, 255);
    forEachIsaAndThreads(() => {
      const [out] = call('gather_images', [floats(4)], [source, Int32Array.of(0)], [1, 4, 1, 0, 1]);
      expect([...out]).toEqual([0, 1, 0, 1]);
    });
  });

  it.each([5, -1, 2147483647, -2147483648])('refuses index %i before it writes', (bad) => {
    const handles = [
      toTensor(new Float32Array(12).fill(7)),
      toTensor(new Uint8Array(20)),
      toTensor(Int32Array.of(0, 4, bad)),
    ];
    const error = refusal(() => run('gather_images', handles, [3, 4, 1, 0, 1]));
    expect(error).toMatchObject({
      code: 'ERR_DATA',
      expected: 'indices from 0 to 4',
      received: `index ${bad} at position 2`,
    });
    expect(fromTensor(handles[0]).every((value) => value === 7)).toBe(true);
    free(...handles);
  });

  it('refuses numbers, sizes and types that do not fit', () => {
    const indices = Int32Array.of(0);
    const code = (numbers: number[], source: Uint8Array | Int32Array | Float32Array = new Uint8Array(24)) =>
      refusal(() => call('gather_images', [floats(12)], [source, indices], numbers)).code;
    expect(code([1, 12, 0])).toBe('ERR_ARGUMENT'); // no channels
    expect(code([1, 12, 5, ...new Array(10).fill(1)])).toBe('ERR_ARGUMENT'); // 12 is not a multiple of 5
    expect(code([1, 34, 17, ...new Array(34).fill(1)])).toBe('ERR_ARGUMENT'); // too many channels
    expect(code([1, 12, 3, 0, 0, 0, 1])).toBe('ERR_ARGUMENT'); // numbers missing
    expect(code([1, 6, 1, 0, 1])).toBe('ERR_SHAPE');
    expect(code([1, 12, 1, 0, 1], new Uint8Array(23))).toBe('ERR_SHAPE'); // not whole images
    expect(code([1, 12, 1, 0, 1], new Int32Array(24))).toBe('ERR_DTYPE');
    expect(code([-1, 12, 1, 0, 1])).toBe('ERR_ARGUMENT');
    expect(code([1, NaN, 1, 0, 1])).toBe('ERR_ARGUMENT');
  });
});

describe('gather_labels', () => {
  const gather = (indices: number[]) =>
    call(
      'gather_labels',
      [{ kind: 'int32', size: indices.length }],
      [Int32Array.of(7, 8, 9), Int32Array.from(indices)],
      [indices.length],
    )[0];

  it('picks by index', () => {
    expect([...gather([2, 0, 0, 1])]).toEqual([9, 7, 7, 8]);
  });

  it('refuses an index out of range', () => {
    expect(refusal(() => gather([0, 3]))).toMatchObject({
      code: 'ERR_DATA',
      expected: 'indices from 0 to 2',
      received: 'index 3 at position 1',
    });
  });
});
