// SPDX-License-Identifier: Apache-2.0
// A part of a packed file whose images stay on disk: data sets larger than memory. A step reads the images of its batch from
// the file, on the threads that compute; what the system has read before comes out of its cache.
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { checkNumber, checkOptions, checkWhole, describe, fail } from '../errors.js';
import type { ImagePlace } from '../ops/gather.js';
import { ArrayDataset, type Dataset, type Normalization, take } from './dataset.js';
import { openPart, type ReadPackedOptions } from './packed.js';

/** Labelled images of one size in a file that is kept open. `fit`, `evaluate` and `DataLoader` take it for a data set. */
export class PackedDataset {
  readonly name: string;
  readonly length: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** `[n]`, in memory. */
  readonly labels: Int32Array;
  readonly normalization: Normalization;
  readonly #file: FileHandle;
  readonly #offset: number;
  #isOpen = true;

  /** @internal Use `openPacked`. */
  constructor(part: Awaited<ReturnType<typeof openPart>>) {
    const { name, imageShape, classNames, normalization } = part.index;
    this.name = name;
    this.imageShape = imageShape;
    this.classNames = classNames;
    this.normalization = normalization;
    this.labels = part.labels;
    this.length = part.labels.length;
    this.#file = part.handle;
    this.#offset = part.images.offset;
  }

  /** @internal Where the images are. Throws ERR_DISPOSED when the file is closed. */
  get place(): ImagePlace {
    if (this.#isOpen) return { descriptor: this.#file.fd, offset: this.#offset, count: this.length };
    throw fail('ERR_DISPOSED', {
      op: 'PackedDataset',
      expected: 'a data set whose file is open',
      received: 'one that was closed',
    });
  }

  /** The bytes of one image, `[h, w, c]`, read now. Throws ERR_FILE where that does not work, ERR_DISPOSED. */
  imageAt(index: number): Uint8Array {
    const { descriptor, offset, count } = this.place;
    const [h, w, c] = this.imageShape;
    const size = h * w * c;
    checkNumber('PackedDataset', 'index', checkWhole('PackedDataset', 'index', index, 0), 0, count - 1);
    const bytes = new Uint8Array(size);
    let got = 0;
    let cause: unknown;
    try {
      got = readSync(descriptor, bytes, 0, size, offset + index * size);
    } catch (error) {
      cause = error;
    }
    if (got === size) return bytes;
    throw fail('ERR_FILE', {
      op: 'PackedDataset',
      expected: `to read image ${index}, ${size} bytes`,
      received: cause instanceof Error ? cause.message : `${got} bytes`,
      cause,
    });
  }

  /** Closes the file. No training on it may be under way. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A data set in memory, or one whose images stay in a file. */
export type AnyDataset = Dataset | PackedDataset;

/**
 * The first `count` samples of either, or all of them where there are fewer; read into memory. Throws what `take` and `imageAt`
 * do.
 */
export function takeAny(dataset: AnyDataset, count: number): AnyDataset {
  if (!(dataset instanceof PackedDataset)) return take(dataset, count);
  checkWhole('take', 'count', count);
  if (count >= dataset.length) return dataset;
  const { name, imageShape, classNames, normalization } = dataset;
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const images = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) images.set(dataset.imageAt(i), i * size);
  const labels = dataset.labels.subarray(0, count);
  return new ArrayDataset({ name, images, labels, imageShape, classNames, normalization });
}

/**
 * Opens one part of a packed file, such as 'train', and leaves its images there: for sets larger than memory. Trainings on it
 * end with the same weights as those on the same part in memory. Not on Windows.
 *
 * @param options `verify` (default true) reads the whole part once, piece by piece, against its checksum
 *
 * Throws what `readPacked` throws.
 */
export async function openPacked(
  file: string,
  part: string,
  options: Omit<ReadPackedOptions, 'parts'> = {},
): Promise<PackedDataset> {
  checkOptions('openPacked', options, ['verify', 'signal']);
  if (typeof part !== 'string') {
    throw fail('ERR_ARGUMENT', {
      op: 'openPacked',
      expected: 'the name of a part',
      received: describe(part),
    });
  }
  return new PackedDataset(await openPart(file, part, options));
}
