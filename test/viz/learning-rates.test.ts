// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { learningRatesSvg } from '../../lib/viz/learning-rates.js';

/** A loss that falls, is best at 0.1, and runs away. */
const rates = Array.from({ length: 60 }, (_, i) => 1e-5 * 10 ** (i / 10));
const smoothed = rates.map(
  (rate) => 2.3 - 2 * Math.exp(-(Math.log10(rate / 0.1) ** 2)) + (rate > 1 ? 20 * rate : 0),
);
const losses = smoothed.map((loss, i) => loss + 0.1 * Math.sin(7 * i));
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe('learningRatesSvg', () => {
  it('draws losses over rates, and the rate that is suggested', async () => {
    const svg = await learningRatesSvg({
      title: 'rates of <xo>',
      rates,
      losses,
      smoothed,
      suggestion: 0.0123,
    });
    const texts = textsOf(svg);
    for (const text of ['rates of &lt;xo&gt;', 'learning rate', 'loss', '0.012', '1e-4'])
      expect(texts).toContain(text);
    expect(svg.match(/stroke-dasharray="5,4"/g)).toHaveLength(1);
  });

  it('cuts off what has run away, and does without a suggestion', async () => {
    const svg = await learningRatesSvg({ title: '', rates, losses, smoothed });
    expect(textsOf(svg)).not.toContain('100');
    expect(textsOf(svg)).toContain('3');
    expect(svg).not.toContain('stroke-dasharray');
  });
});
