// SPDX-License-Identifier: Apache-2.0
// From a folder or archive of pictures to one packed file.
import { stat } from 'node:fs/promises';
import { checkOptions, describe, fail } from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import { nameOf } from './image-files.js';
import { checkImageOptions, IMAGE_OPTIONS, type ReadImagesOptions, readImages } from './image-source.js';
import { PackedWriter } from './packed-writer.js';
import type { ImageReport } from './problems.js';

export interface PackOptions extends ReadImagesOptions {
  /** The set's name; default: that of the folder or archive. */
  readonly name?: string | undefined;
}

/** What was packed. */
export interface PackReport extends ImageReport {
  readonly file: string;
  readonly bytes: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** Images of each part. */
  readonly parts: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Packs the pictures of a folder or archive into one file: uint8 images `[n, h, w, c]`, labels, classes, the normalisation
 * of the training pictures, and checksums. `readPacked` and `loadDataset('packed')` read it.
 *
 * @param source as for `imageFolder`
 * @param file the file to write; an older one is replaced when the new one is whole, and what a killed packing left beside it is
 *   taken away
 *
 * Throws what `imageFolder` throws, but for classes of one picture; ERR_FILE where the file cannot be written, and then leaves
 * nothing.
 */
export async function packImages(
  source: string,
  file: string,
  options: PackOptions = {},
): Promise<PackReport> {
  checkPath('packImages', source, 'the path of a folder or archive');
  checkPath('packImages', file);
  checkOptions('packImages', options, [...IMAGE_OPTIONS, 'name']);
  const { name = nameOf(source), ...reading } = options;
  if (typeof name !== 'string' || name === '') {
    throw fail('ERR_ARGUMENT', { op: 'packImages', expected: 'name to be a text', received: describe(name) });
  }
  checkImageOptions('packImages', reading);
  await checkTarget(source, file);
  const began = performance.now();
  const writer = await PackedWriter.open('packImages', file);
  try {
    const { imageShape, classNames, report } = await readImages('packImages', source, writer, reading);
    const written = await writer.join(name, imageShape, classNames);
    const seconds = (performance.now() - began) / 1000;
    return { ...report, file, imageShape, classNames, ...written, seconds };
  } finally {
    await writer.dispose();
  }
}

/** Refuses to write over what is no file, and over the pictures themselves. */
async function checkTarget(source: string, file: string): Promise<void> {
  const there = await stat(file, { bigint: true }).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isFile()) {
    throw fail('ERR_FILE', {
      op: 'packImages',
      expected: `a file to write at ${file}`,
      received: there.isDirectory() ? 'a folder' : 'a device',
      hint: 'name a file, such as flowers.pack',
    });
  }
  const read = await stat(source, { bigint: true }).catch(() => undefined); // it is told when it is read
  if (read === undefined || read.dev !== there.dev || read.ino !== there.ino) return;
  throw fail('ERR_ARGUMENT', {
    op: 'packImages',
    expected: 'another file to write than the archive that is read',
    received: `${file} for both`,
  });
}
