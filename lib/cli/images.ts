// SPDX-License-Identifier: Apache-2.0
// Reading pictures as the commands show it, and the options that say how.
import type { Command } from 'commander';
import type { ImageOptions, ImageProgress } from '../data/image-source.js';
import { FIT_NAMES, type Fit } from '../data/picture-fit.js';
import type { ImageReport } from '../data/problems.js';
import { count, oneLine, plural } from './format.js';
import { imageSize, oneOf } from './options.js';
import type { Output } from './output.js';

/** The options as program.ts reads them. */
export interface ImageFlags {
  readonly imageSize?: readonly [height: number, width: number];
  readonly fit?: Fit;
  readonly grey?: boolean;
  readonly skipBad?: boolean;
}

export function addImageOptions(command: Command): Command {
  return command
    .option('--image-size <hxw>', 'bring pictures of a folder to one size, such as 32x32', imageSize)
    .option(
      '--fit <how>',
      `how: one of ${FIT_NAMES.join(', ')}; default: cover, which cuts`,
      oneOf(FIT_NAMES),
    )
    .option('--grey', 'read pictures of a folder as grey ones')
    .option('--skip-bad', 'leave out files that cannot be used, and count them');
}

/** What the library is given. */
export function imageOptionsOf({ imageSize, fit, grey, skipBad }: ImageFlags): ImageOptions {
  return { size: imageSize, fit, channels: grey ? 1 : 3, onBad: skipBad ? 'skip' : 'refuse' };
}

const REDRAW_INTERVAL = 100; // ms

/** What `loadDataset` and `packImages` are given as onImages. */
export function imagesLine(output: Output): (progress: ImageProgress) => void {
  let shown = Number.NEGATIVE_INFINITY;
  return ({ images }) => {
    const now = performance.now();
    if (output.isQuiet || !output.isTerminal || now - shown < REDRAW_INTERVAL) return;
    shown = now;
    output.stream.write(`\rreading pictures: ${count(images)}`);
  };
}

/** Says what became of the files; nothing where all were plain pictures. */
export function sayReport(
  output: Output,
  { images, skipped, examples, ignored, converted }: ImageReport,
): void {
  if (output.isTerminal && !output.isQuiet) output.stream.write('\r\x1b[K');
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, n]) => `${count(n)} ${name}`)
      .join(', ');
  output.progress(`read ${plural(images, 'picture')}`);
  if (Object.keys(converted).length > 0) output.progress(`converted: ${list(converted)}`);
  if (ignored > 0) output.progress(`ignored ${plural(ignored, 'file')} of other kinds`);
  if (Object.keys(skipped).length === 0) return;
  output.progress(`left out: ${list(skipped)}`);
  for (const example of examples) output.progress(`  ${oneLine(example)}`);
}
