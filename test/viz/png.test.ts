// SPDX-License-Identifier: Apache-2.0
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { pngOf } from '../../lib/viz/png.js';

/** The grey of each pixel, as another program reads it. */
const greys = async (png: Buffer) => {
  const { pixels, shape } = await decode(png);
  expect(pixels.every((value, i) => value === pixels[i - (i % shape[2])])).toBe(true);
  return pixels.filter((_, i) => i % shape[2] === 0);
};

/** What another program reads of a PNG file. */
const decode = async (png: Buffer) => {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { pixels: [...data], shape: [info.height, info.width, info.channels] };
};

describe('pngOf', () => {
  it.each([
    ['colours', [3, 2, 3]],
    ['one row', [1, 5, 3]],
  ] as const)('keeps every byte: %s', async (_, [h, w, c]) => {
    const image = Uint8Array.from({ length: h * w * c }, (_, i) => (i * 89) % 256);
    expect(await decode(pngOf(image, [h, w, c]))).toEqual({ pixels: [...image], shape: [h, w, c] });
  });

  it('shows one channel, and the first of two, as grey', async () => {
    const image = Uint8Array.of(0, 9, 100, 9, 200, 9, 255, 9);
    expect(await greys(pngOf(image, [2, 2, 2]))).toEqual([0, 100, 200, 255]);
  });

  it('spreads numbers from the least to the greatest, and survives what is no number', async () => {
    const grey = (values: number[]) => greys(pngOf(Float32Array.from(values), [1, values.length, 1]));
    expect(await grey([-2, 0, 2])).toEqual([0, 128, 255]);
    expect(await grey([3, 3])).toEqual([0, 0]);
    expect(await grey([0, Number.NaN, 1, Infinity])).toEqual([0, 0, 255, 255]);
  });

  it('shrinks what is large', async () => {
    const { shape } = await decode(pngOf(new Uint8Array(600 * 300 * 3), [600, 300, 3]));
    expect(shape).toEqual([200, 100, 3]);
  });
});
