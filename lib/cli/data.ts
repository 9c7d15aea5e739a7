// SPDX-License-Identifier: Apache-2.0
// `receptive data`: data sets as files.
import { packImages } from '../data/pack.js';
import { count, duration, plural } from './format.js';
import { type ImageFlags, imageOptionsOf, imagesLine, sayReport } from './images.js';
import { Output, type OutputFlags } from './output.js';
import { StopRequest } from './stop.js';

/** The options as program.ts reads them. */
export interface PackFlags extends OutputFlags, ImageFlags {
  readonly name?: string;
}

/** `receptive data pack SRC OUT` */
export async function packCommand(source: string, file: string, flags: PackFlags): Promise<number> {
  const output = new Output(flags);
  using stop = new StopRequest(() => process.stderr.write('\nstopping\n'));
  try {
    const report = await packImages(source, file, {
      ...imageOptionsOf(flags),
      name: flags.name,
      signal: stop.signal,
      onImages: imagesLine(output),
    });
    sayReport(output, report);
    const [h, w, c] = report.imageShape;
    const parts = Object.entries(report.parts).map(([part, images]) => `${count(images)} ${part}`);
    output.line(
      `packed ${parts.join(', ')} images of ${h} by ${w} (${c === 1 ? 'grey' : 'colour'}) ` +
        `in ${plural(report.classNames.length, 'class', 'classes')} in ${duration(report.seconds)}`,
    );
    output.line(`saved ${file}, ${count(report.bytes / 2 ** 20)} MiB`);
    output.json(report);
    return 0;
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return stop.exitCode;
  }
}
