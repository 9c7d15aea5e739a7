// SPDX-License-Identifier: Apache-2.0
// `receptive data`: data sets as files, and as they are seen in training.
import type { Augmentation } from '../data/augment.js';
import { subset } from '../data/dataset.js';
import { DataLoader } from '../data/loader.js';
import { packImages } from '../data/pack.js';
import { type AnyDataset, closeDatasets } from '../data/packed-dataset.js';
import { loadDataset } from '../data/registry.js';
import { loadSharp } from '../data/sharp.js';
import { fail } from '../errors.js';
import { writeAtomically } from '../io/atomic-file.js';
import { contactSheet } from '../viz/contact-sheet.js';
import { count, duration, plural } from './format.js';
import { type ImageFlags, imageOptionsOf, imagesLine, sayReport } from './images.js';
import { loadingLines } from './loading-lines.js';
import { checkDataDir } from './options.js';
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
    const parts = Object.entries(report.parts).map(
      ([part, images]) => `${count(images)}${part === 'all' ? '' : ` ${part}`}`,
    );
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

/** The options as program.ts reads them. */
export interface PreviewFlags extends OutputFlags, ImageFlags {
  readonly data: string;
  readonly dataDir?: string;
  readonly augment?: readonly Augmentation[];
  readonly images: number;
  readonly epochs: number;
  readonly seed: number;
}

/** `receptive data preview OUT`: training images as they are, and as epochs show them. */
export async function previewCommand(file: string, flags: PreviewFlags): Promise<number> {
  const output = new Output(flags);
  const { data, dataDir, augment, images, epochs, seed } = flags;
  checkDataDir(data, dataDir);
  const sharp = await loadSharp('data preview');
  const { train, test } = await loadDataset(data, {
    ...{ dataDir, seed, images: imageOptionsOf(flags) },
    ...loadingLines(output),
    onDisk: true,
  });
  const [h, w, c] = train.imageShape;
  const few = Math.min(images, train.length);
  const chosen = subset(
    train,
    Array.from({ length: few }, (_, i) => Math.floor((i * train.length) / few)),
  );
  const original = epochsOf(chosen, undefined, seed, 1);
  const columns = [...original, ...(augment === undefined ? [] : epochsOf(chosen, augment, seed, epochs))];
  await closeDatasets(train, test);
  const rows = Array.from({ length: few }, (_, i) =>
    columns.map((pixels) => pixels.subarray(i * h * w * c, (i + 1) * h * w * c)),
  );
  const { pixels, height, width } = contactSheet(rows, train.imageShape);
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  await writeAtomically('data preview', file, png);
  const how = augment === undefined ? '' : `, each as it is and as ${plural(epochs, 'epoch')} show it`;
  output.line(`saved ${file}: ${plural(few, 'training image')} of ${train.name}${how}`);
  output.json({ file, images: few, epochs: columns.length - 1, height, width });
  return 0;
}

/** All images as each epoch gives them out, turned back into bytes. */
function epochsOf(
  dataset: AnyDataset,
  augment: readonly Augmentation[] | undefined,
  seed: number,
  epochs: number,
): Uint8Array[] {
  const { mean, std } = dataset.normalization;
  using loader = new DataLoader(dataset, { batchSize: dataset.length, seed, augment });
  return Array.from({ length: epochs }, () => {
    for (const batch of loader) {
      using _ = batch;
      const values = batch.images.data();
      return Uint8Array.from(values, (value, i) => {
        const c = i % mean.length;
        return Math.max(0, Math.min(255, Math.round(255 * (value * std[c] + mean[c]))));
      });
    }
    throw fail('ERR_ARGUMENT', { op: 'data preview', expected: 'at least one image', received: 'none' });
  });
}
