// SPDX-License-Identifier: Apache-2.0
// The progress bar of a training, as terminals of several widths show it.
import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { expect, it } from 'vitest';
import { EpochDisplay } from '../../lib/cli/epochs.js';
import type { Output } from '../../lib/cli/output.js';
import type { ProgressReport } from '../../lib/train/progress.js';

/** The first line that a terminal of so many columns is given. */
function lineFor(columns: number, report: Partial<ProgressReport>): string {
  let written = '';
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        written += String(chunk);
        done();
      },
    }),
    { isTTY: true, columns },
  );
  const output = { stream, isTerminal: true, isQuiet: false, colors: pc.createColors(false) };
  const display = new EpochDisplay(output as unknown as Output, 20, new AbortController().signal);
  display.onProgress({
    epoch: 10,
    epochs: 20,
    batch: 938,
    batches: 938,
    loss: 2.25004,
    accuracy: 0.98765,
    imagesPerSecond: 123_456,
    epochSecondsLeft: 0,
    secondsLeft: 65,
    ...report,
  });
  display.clear();
  return stripVTControlCharacters(written)
    .trim()
    .split(/[\r\n]/)[0]
    .split(' left')[0];
}

it.each([80, 81, 94, 95, 120, 200])(
  'shows everything, the time left at the end, in %i columns',
  (columns) => {
    const line = lineFor(columns, {});
    for (const part of [
      'epoch 10/20',
      '░░░░░',
      '  0 %',
      'loss 2.2500',
      '98.77 %',
      '123,456 images/s',
      '1 min 05 s',
    ]) {
      expect(line).toContain(part);
    }
    expect(`${line} left`.length).toBeLessThanOrEqual(columns);
  },
);

it('says what the share is where there is room', () => {
  expect(lineFor(120, {})).toContain('accuracy 98.77 %');
  expect(lineFor(80, {})).not.toContain('accuracy');
});
