// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { confusionSvg, confusionText } from '../../lib/viz/confusion.js';

const COUNTS = [
  [390, 1, 0],
  [0, 12, 3],
  [0, 0, 0],
];

describe('confusionText', () => {
  it('has a row for each true class and its share', () => {
    expect(confusionText(COUNTS, ['a', 'b', 'c']).split('\n')).toEqual([
      '       predicted',
      'true     a    b    c',
      '   a   390    1    ·    99.7 %',
      '   b     ·   12    3    80.0 %',
      '   c     ·    ·    ·         —',
    ]);
  });

  it('shortens long names and makes up for missing ones', () => {
    const lines = confusionText(COUNTS, ['a very long class name', 'b']).split('\n');
    expect(lines[1]).toContain('a very lo…');
    expect(lines[4]).toContain('(2)');
    const widths = lines.slice(2).map(({ length }) => length);
    expect(new Set(widths).size).toBe(1);
  });

  it('lets right, wrong and quiet parts be set off', () => {
    const style = {
      right: (text: string) => `R${text}`,
      wrong: (text: string) => `W${text}`,
      quiet: (text: string) => `Q${text}`,
    };
    expect(confusionText(COUNTS, ['a', 'b', 'c'], style).split('\n')[3]).toBe(
      '   b   Q  ·  R 12  W  3  Q  80.0 %',
    );
  });
});

describe('confusionSvg', () => {
  it('shows counts and names', async () => {
    const svg = await confusionSvg(COUNTS, ['ant', 'bee', 'cat'], 'insects');
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    for (const text of ['insects', 'ant', 'bee', 'cat', '390', '12', '3', 'predicted class', 'true class']) {
      expect(texts, text).toContain(text);
    }
    expect(texts).not.toContain('0');
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
