// SPDX-License-Identifier: Apache-2.0
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type CurvesInput, curvesSvg } from '../../lib/viz/curves.js';

/** A training of some epochs with 20 points each, ending near an accuracy. */
function training(epochs: number, accuracy = 0.99): CurvesInput {
  return {
    title: 'lenet5 on glyphs',
    points: Array.from({ length: 20 * epochs }, (_, i) => ({
      epoch: (i + 1) / 20,
      loss: 2.3 * Math.exp(-i / 8) + 0.02 + 0.01 * Math.sin(i * 7),
      accuracy: accuracy - (accuracy - 0.1) * Math.exp(-i / 7),
    })),
    history: Array.from({ length: epochs }, (_, i) => ({
      epoch: i + 1,
      valLoss: 0.3 / (i + 1),
      valAccuracy: accuracy - 0.05 / (i + 1),
    })),
  };
}

const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe('curvesSvg', () => {
  it('draws loss and accuracy with a title, axes and a legend', async () => {
    const svg = await curvesSvg(training(3));
    const texts = textsOf(svg);
    expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    for (const text of ['lenet5 on glyphs', 'Loss', 'Accuracy', 'epoch', 'training', 'validation', '100%']) {
      expect(texts, text).toContain(text);
    }
    expect(texts.filter((text) => text === '3')).not.toHaveLength(0);
  });

  it('is a picture that others can draw: coloured lines on white', async () => {
    const { data, info } = await sharp(Buffer.from(await curvesSvg(training(5))))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.width).toBeGreaterThan(700);
    const isNear = (i: number, color: number[]) =>
      color.every((part, c) => Math.abs(data[i + c] - part) < 24);
    const share = (color: number[]) => {
      let hits = 0;
      for (let i = 0; i < data.length; i += 3) if (isNear(i, color)) hits += 1;
      return hits / (data.length / 3);
    };
    expect(share([255, 255, 255])).toBeGreaterThan(0.8);
    expect(share([0, 0x72, 0xb2])).toBeGreaterThan(0.001);
    expect(share([0xd5, 0x5e, 0])).toBeGreaterThan(0.001);
  });

  it.each([
    ['one epoch', training(1)],
    ['many', training(100)],
    ['nearly nothing right', training(3, 0.12)],
    ['no validation', { ...training(2), history: [{ epoch: 1 }, { epoch: 2 }] }],
    [
      'two points that are equal',
      { title: 't', history: [], points: [1, 2].map((epoch) => ({ epoch, loss: 0, accuracy: 1 })) },
    ],
  ])('has finite coordinates for %s', async (_, input) => {
    const svg = await curvesSvg(input);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(textsOf(svg)).toContain('100%');
  });

  it('names the sets as it is told, and only those that are there', async () => {
    const renamed = textsOf(await curvesSvg({ ...training(2), validationName: "other's" }));
    expect(renamed.some((text) => text.startsWith('other'))).toBe(true);
    expect(renamed).not.toContain('validation');
    expect(textsOf(await curvesSvg({ ...training(2), history: [] }))).not.toContain('validation');
  });

  it('does not let a title escape into the markup', async () => {
    const svg = await curvesSvg({ ...training(1), title: '<script>alert(1)</script> & "more"' });
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('&lt;script&gt;');
  });
});
