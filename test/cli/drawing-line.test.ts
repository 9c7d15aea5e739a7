// SPDX-License-Identifier: Apache-2.0
// The line about pictures that are being drawn, on terminals and elsewhere.
import { expect, it } from 'vitest';
import { drawingLine } from '../../lib/cli/drawing-line.js';
import type { Output } from '../../lib/cli/output.js';

/** What is written while `total` pictures are drawn in four parts. */
function written(total: number, flags: Partial<Pick<Output, 'isTerminal' | 'isQuiet'>> = {}): string {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  const output = {
    ...{ isTerminal: false, isQuiet: false, stream: { write } },
    ...{ progress: (line: string) => write(`${line}\n`), ...flags },
  };
  const line = drawingLine(output as unknown as Output);
  for (const quarter of [1, 2, 3, 4]) line({ name: 'glyphs', drawn: (quarter * total) / 4, total });
  return text;
}

it('is one line where nothing can be redrawn', () => {
  expect(written(24_000)).toBe('drawing 24,000 pictures: glyphs\n');
});

it('counts to 100 % on a terminal, and ends there', () => {
  const text = written(24_000, { isTerminal: true });
  expect(text).toMatch(/^\rdrawing 24,000 pictures: glyphs \(25 %\)/);
  expect(text.endsWith('\rdrawing 24,000 pictures: glyphs (100 %)\n')).toBe(true);
});

it('is not there for few pictures, or where nothing shall be said', () => {
  expect(written(400)).toBe('');
  expect(written(24_000, { isQuiet: true })).toBe('');
});
