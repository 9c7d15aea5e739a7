// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ArrayDataset, type ArrayDatasetOptions, subset, take } from '../../lib/data/dataset.js';

/** Three images of [2, 2, 1] whose pixels tell them apart. */
const good = (): ArrayDatasetOptions => ({
  images: Uint8Array.from({ length: 12 }, (_, i) => i),
  labels: [0, 1, 0],
  imageShape: [2, 2, 1],
  classNames: ['a', 'b'],
});

function detached<T extends Uint8Array | Float32Array | Int32Array>(array: T): T {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

describe('ArrayDataset', () => {
  it('holds what it is given, images in place and labels as its own', () => {
    const options = { ...good(), labels: Int32Array.of(0, 1, 0) };
    const set = new ArrayDataset(options);
    options.labels[0] = 1;
    expect(set.length).toBe(3);
    expect(set.images).toBe(options.images);
    expect([...set.labels]).toEqual([0, 1, 0]);
    expect(set.name).toBe('array');
    expect(set.normalization).toEqual({ mean: [0], std: [1] });
  });

  it('takes float images and labels of bytes', () => {
    const set = new ArrayDataset({ ...good(), images: new Float32Array(12), labels: Uint8Array.of(1, 1, 1) });
    expect(set.images).toBeInstanceOf(Float32Array);
    expect([...set.labels]).toEqual([1, 1, 1]);
  });

  const bad: [string, Record<string, unknown>, string, RegExp][] = [
    ['too few image values', { images: new Uint8Array(11) }, 'ERR_SHAPE', /12 image values.*11 values/],
    ['too many image values', { images: new Uint8Array(16) }, 'ERR_SHAPE', /16 values, which is 4 images/],
    ['images of another type', { images: new Float64Array(12) }, 'ERR_DTYPE', /Float32Array.*Float64Array/],
    ['images in a plain array', { images: [1, 2, 3] }, 'ERR_DTYPE', /Uint8Array/],
    ['no images', { images: new Uint8Array(0), labels: [] }, 'ERR_ARGUMENT', /empty or detached/],
    ['no labels', { labels: [] }, 'ERR_ARGUMENT', /an empty set/],
    ['detached images', { images: detached(new Uint8Array(12)) }, 'ERR_ARGUMENT', /detached.*pass a copy/],
    ['detached labels', { labels: detached(Int32Array.of(0, 1, 0)) }, 'ERR_ARGUMENT', /labels.*detached/],
    ['a label above the classes', { labels: [0, 2, 0] }, 'ERR_ARGUMENT', /0 to 1.*label 2 at index 1/],
    ['a negative label', { labels: [0, 0, -1] }, 'ERR_ARGUMENT', /label -1 at index 2/],
    ['a fractional label', { labels: [0.5, 0, 0] }, 'ERR_ARGUMENT', /label 0.5 at index 0/],
    ['labels of another type', { labels: new Float32Array(3) }, 'ERR_DTYPE', /Int32Array.*Float32Array/],
    ['an image shape of rank 2', { imageShape: [2, 2] }, 'ERR_SHAPE', /\[h, w, c\].*\[2, 2\]/],
    ['a fractional image shape', { imageShape: [2, 1.5, 1] }, 'ERR_SHAPE', /1.5/],
    ['an image without height', { imageShape: [0, 2, 1] }, 'ERR_SHAPE', /above 0/],
    ['no classes', { classNames: [] }, 'ERR_ARGUMENT', /at least one name/],
    ['a mean too many', { normalization: { mean: [0, 0], std: [1] } }, 'ERR_ARGUMENT', /1 finite means/],
    ['a deviation of 0', { normalization: { mean: [0], std: [0] } }, 'ERR_ARGUMENT', /above 0/],
    ['a mean that is not a number', { normalization: { mean: [NaN], std: [1] } }, 'ERR_ARGUMENT', /NaN/],
  ];
  it.each(bad)('refuses %s', (_, change, code, message) => {
    const build = () => new ArrayDataset({ ...good(), ...change } as ArrayDatasetOptions);
    expect(build).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('subset', () => {
  it('picks samples in the order asked for', () => {
    const set = subset(new ArrayDataset(good()), [2, 0, 2]);
    expect([...set.labels]).toEqual([0, 0, 0]);
    expect([...set.images]).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    expect(set.classNames).toEqual(['a', 'b']);
  });

  it.each([[[3]], [[-1]], [[0.5]], [[]]])('refuses %j', (indices) => {
    expect(() => subset(new ArrayDataset(good()), indices)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('take', () => {
  it('takes from the start, and no more than there is', () => {
    const set = new ArrayDataset(good());
    expect([...take(set, 2).labels]).toEqual([0, 1]);
    expect(take(set, 2).images.length).toBe(8);
    expect(take(set, 9)).toBe(set);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %d', (count) => {
    expect(() => take(new ArrayDataset(good()), count)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
