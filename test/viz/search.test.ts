// SPDX-License-Identifier: Apache-2.0
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type SearchPicture, searchSvg } from '../../lib/viz/search.js';

function picture(choices: number): SearchPicture {
  const names = Array.from({ length: choices }, (_, i) => `choice${i}`);
  const scores = Array.from({ length: 12 }, (_, trial) => ({
    trial,
    score: 0.9 + trial / 200,
    values: Object.fromEntries(names.map((name, i) => [name, [3, 5][(trial >> (i % 3)) & 1]])),
  }));
  const groups = [3, 5].map((value) => ({ values: [value], mean: 0.92 }));
  const lr = { name: 'lr', share: 0.4, scale: 'log' as const };
  return {
    title: '12 trials',
    best: 11,
    baseline: 0,
    effects: [
      { ...lr, groups: [0.001, 0.01].map((low) => ({ values: [low, low * 9], mean: 0.93 })) },
      ...names.map((name, i) => ({ name, share: 0.3 / (i + 1), scale: 'list' as const, groups })),
    ],
    scores: scores.map((row, i) => ({ ...row, values: { ...row.values, lr: 0.001 * 1.4 ** i } })),
  };
}

const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe('searchSvg', () => {
  it('draws shares, and a panel for each choice', async () => {
    const svg = await searchSvg(picture(5));
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const texts = textsOf(svg);
    for (const text of ['12 trials', 'lr', 'choice4', '40 %', 'best', 'baseline']) {
      expect(texts, text).toContain(text);
    }
    expect(texts.filter((text) => /^choice\d {2}[\d.]+ %$/.test(text))).toHaveLength(5);
    const { data, info } = await sharp(Buffer.from(svg))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.width).toBeGreaterThan(600);
    const has = (color: number[]) => {
      for (let i = 0; i < data.length; i += 3) {
        if (color.every((part, c) => Math.abs(data[i + c] - part) < 24)) return true;
      }
      return false;
    };
    expect([has([0xd5, 0x5e, 0]), has([0, 0x9e, 0x73])]).toEqual([true, true]);
  });

  it.each([
    ['one choice', picture(0)],
    ['many', picture(30)],
    ['equal scores', { ...picture(2), scores: picture(2).scores.map((row) => ({ ...row, score: 1 })) }],
    ['no scores', { ...picture(2), scores: [] }],
  ])('has finite coordinates for %s', async (_, input) => {
    expect(await searchSvg(input)).not.toMatch(/NaN|Infinity|undefined/);
  });
});
