// SPDX-License-Identifier: Apache-2.0
// The two sets that are drawn: what every such set promises, for each of them.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawSplit, generateSplit } from '../../lib/data/generated.js';
import { GLYPH_SERIES, glyphs } from '../../lib/data/glyphs.js';
import { XO_SERIES, xo } from '../../lib/data/xo.js';

describe.each([
  { series: GLYPH_SERIES, make: glyphs, classes: 10 },
  { series: XO_SERIES, make: xo, classes: 2 },
])('$series.name', ({ series, make, classes }) => {
  const imageSize = series.imageShape.reduce((a, b) => a * b);
  const hash = (bytes: Uint8Array | Float32Array) => createHash('sha256').update(bytes).digest('hex');
  const pictures = (images: Uint8Array | Float32Array) =>
    Array.from({ length: images.length / imageSize }, (_, i) => {
      return hash(images.subarray(i * imageSize, (i + 1) * imageSize));
    });

  it('is the same for the same seed, whole, in slices, or as the start of a longer series', async () => {
    const { train, test } = make({ seed: 5, trainSize: 300, testSize: 40 });
    const sliced = await drawSplit(series, { seed: 5, trainSize: 300, testSize: 40 });
    const shorter = generateSplit(series, { seed: 5, trainSize: 100, testSize: 20 });
    expect(hash(sliced.train.images)).toBe(hash(train.images));
    expect(hash(sliced.test.images)).toBe(hash(test.images));
    expect(sliced.train.labels).toEqual(train.labels);
    expect(pictures(shorter.train.images)).toEqual(pictures(train.images).slice(0, 100));
    expect(pictures(shorter.test.images)).toEqual(pictures(test.images).slice(0, 20));
  });

  it('tells how far it is, up to the end, and stops where it is told to', async () => {
    const told: number[] = [];
    const sizes = { trainSize: 300, testSize: 40 };
    await drawSplit(series, {
      ...sizes,
      onDraw: ({ name, drawn, total }) => {
        expect({ name, total }).toEqual({ name: series.name, total: 340 });
        told.push(drawn);
      },
    });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.length).toBeGreaterThan(2);
    expect(told.at(-1)).toBe(340);
    const stop = new AbortController();
    const stopped = drawSplit(series, { ...sizes, signal: stop.signal, onDraw: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('draws picture i alike whatever was drawn before it, and nothing beside its place', () => {
    const { train } = make({ seed: 5, trainSize: 50, testSize: 1 });
    const out = new Uint8Array(imageSize + 20).fill(77);
    for (const index of [49, 0, 17]) {
      expect(series.draw(5, index, out, 10, 0)).toBe(train.labels[index]);
      expect(hash(out.subarray(10, 10 + imageSize))).toBe(pictures(train.images)[index]);
    }
    expect(out.subarray(0, 10)).toEqual(new Uint8Array(10).fill(77));
    expect(out.subarray(10 + imageSize)).toEqual(new Uint8Array(10).fill(77));
  });

  it('never shows a test picture, or a picture of another seed, in training', () => {
    const { train, test } = make({ seed: 5, trainSize: 300, testSize: 300 });
    const other = make({ seed: 6, trainSize: 300, testSize: 300 });
    const all = [train, test, other.train, other.test].flatMap((set) => pictures(set.images));
    expect(new Set(all).size).toBe(1200);
  });

  it('has all classes about equally often', () => {
    const n = 4000;
    const { train } = make({ trainSize: n, testSize: 1 });
    const counts = new Array<number>(classes).fill(0);
    for (const label of train.labels) counts[label]++;
    const expected = n / classes;
    for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it('has ink on every picture, paper around it, and the mean and deviation it states', () => {
    const { train } = make({ trainSize: 2000, testSize: 1 });
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < train.length; i++) {
      let dark = 0;
      let bright = 0;
      for (const value of train.images.subarray(i * imageSize, (i + 1) * imageSize)) {
        if (value > 128) bright++;
        if (value < 64) dark++;
        sum += value;
        squares += value * value;
      }
      expect(bright, `ink of picture ${i}`).toBeGreaterThan(7);
      expect(dark / imageSize, `paper of picture ${i}`).toBeGreaterThan(0.35);
    }
    const mean = sum / train.images.length;
    const deviation = Math.sqrt(squares / train.images.length - mean * mean);
    expect(mean / 255).toBeCloseTo(train.normalization.mean[0], 2);
    expect(deviation / 255).toBeCloseTo(train.normalization.std[0], 2);
  });

  it('has its documented sizes', () => {
    expect([series.defaultTrainSize, series.defaultTestSize]).toEqual(
      series.name === 'glyphs' ? [20_000, 4_000] : [8_000, 2_000],
    );
    expect(make({ trainSize: 3, testSize: undefined, seed: undefined }).test.length).toBe(
      series.defaultTestSize,
    );
  });

  it.each([
    { trainSize: 0 },
    { trainSize: -5 },
    { testSize: 1.5 },
    { testSize: Number.NaN },
    { trainSize: 2 ** 40 },
    { seed: 0.5 },
    { seed: 2 ** 60 },
  ])('refuses %j', async (sizes) => {
    const refusal = expect.objectContaining({ code: 'ERR_ARGUMENT', op: series.name });
    expect(() => make(sizes)).toThrow(refusal);
    await expect(drawSplit(series, sizes)).rejects.toThrow(refusal);
  });
});
