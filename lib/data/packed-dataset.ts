// SPDX-License-Identifier: Apache-2.0
// A part of a packed file whose images stay on disk: data sets larger than memory. A step reads the images of its batch from
// the file, on the threads that compute; what the system has read before comes out of its cache.
import { fstatSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { checkNumber, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import { isSameStamp, stampOf } from '../io/file-stamp.js';
import type { ImagePlace } from '../ops/gather.js';
import type { Dataset, Normalization } from './dataset.js';
import { openPart, type ReadPackedOptions } from './packed.js';
import type { PackedIndex } from './packed-format.js';

/** A file that several sets read. */
interface OpenFile {
  readonly handle: FileHandle;
  isOpen: boolean;
}

/** What a `PackedDataset` is made of. */
interface PackedParts {
  readonly file: OpenFile;
  readonly path: string;
  readonly place: Omit<ImagePlace, 'descriptor'>;
  readonly description: Pick<PackedIndex, 'name' | 'imageShape' | 'classNames' | 'normalization'>;
  readonly labels: Int32Array;
  /** Which of the images in the file are those of the set; nothing: all of them. */
  readonly rows: Int32Array | undefined;
}

/**
 * Labelled images of one size in a file that is kept open. `fit`, `evaluate` and `DataLoader` take it for a data set, and
 * `subset`, `take`, `stratifiedSplit` and `balanceClasses` make others of it, which share its file: closing one closes all.
 */
export class PackedDataset {
  readonly name: string;
  readonly length: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** `[n]`, in memory. */
  readonly labels: Int32Array;
  readonly normalization: Normalization;
  readonly #parts: PackedParts;

  /** @internal Use `openPacked`. */
  constructor(parts: PackedParts) {
    const { name, imageShape, classNames, normalization } = parts.description;
    this.name = name;
    this.imageShape = imageShape;
    this.classNames = classNames;
    this.normalization = normalization;
    this.labels = parts.labels;
    this.length = parts.labels.length;
    this.#parts = parts;
  }

  /** @internal Where the images are. Throws ERR_DISPOSED when the file is closed. */
  get place(): ImagePlace {
    const { place, file } = this.#parts;
    if (file.isOpen) return { ...place, descriptor: file.handle.fd };
    throw fail('ERR_DISPOSED', {
      op: 'PackedDataset',
      expected: 'a data set whose file is open',
      received: 'one that was closed',
    });
  }

  /** @internal Which of the images in the file are those of the set; nothing: all of them, in their order. */
  get rows(): Int32Array | undefined {
    return this.#parts.rows;
  }

  /**
   * The bytes of one image, `[h, w, c]`, read now. Throws ERR_FILE where that does not work or the file was changed,
   * ERR_DISPOSED.
   */
  imageAt(index: number): Uint8Array {
    const { descriptor, offset, stamp } = this.place;
    const { path, rows } = this.#parts;
    const [h, w, c] = this.imageShape;
    const size = h * w * c;
    checkNumber('PackedDataset', 'index', checkWhole('PackedDataset', 'index', index, 0), 0, this.length - 1);
    const bytes = new Uint8Array(size);
    let got = 0;
    let cause: unknown;
    try {
      got = readSync(descriptor, bytes, 0, size, offset + (rows?.[index] ?? index) * size);
      const now = stampOf(fstatSync(descriptor, { bigint: true }));
      if (!isSameStamp(now, stamp)) cause = new Error('it was changed meanwhile');
    } catch (error) {
      cause = error;
    }
    if (got === size && cause === undefined) return bytes;
    throw fail('ERR_FILE', {
      op: 'PackedDataset',
      expected: `to read image ${index} of ${path}, ${size} bytes`,
      received: cause instanceof Error ? cause.message : `${got} bytes`,
      cause,
    });
  }

  /** @internal The images at these places of the set, checked by the caller, out of the same file. */
  pick(indices: Int32Array): PackedDataset {
    const { rows } = this.#parts;
    return new PackedDataset({
      ...this.#parts,
      labels: indices.map((index) => this.labels[index]),
      rows: rows === undefined ? indices : indices.map((index) => rows[index]),
    });
  }

  /** @internal The same images, normalised as those of another set. */
  normalizedBy(normalization: Normalization): PackedDataset {
    const description = { ...this.#parts.description, normalization };
    return new PackedDataset({ ...this.#parts, description });
  }

  /** Closes the file, for all sets that read it. No training on them may be under way. */
  async close(): Promise<void> {
    const { file } = this.#parts;
    if (!file.isOpen) return;
    file.isOpen = false;
    await file.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A data set in memory, or one whose images stay in a file. */
export type AnyDataset = Dataset | PackedDataset;

/** A set to learn from and one to be judged on, in memory or not. */
export interface AnySplit {
  readonly train: AnyDataset;
  readonly test: AnyDataset;
}

/** The same images, normalised as those of another set. */
export function withNormalization(dataset: AnyDataset, normalization: Normalization): AnyDataset {
  if (dataset instanceof PackedDataset) return dataset.normalizedBy(normalization);
  return { ...dataset, normalization };
}

/** Closes those sets whose images are in files. */
export async function closeDatasets(...datasets: readonly AnyDataset[]): Promise<void> {
  for (const dataset of datasets) if (dataset instanceof PackedDataset) await dataset.close();
}

/**
 * Opens one part of a packed file, such as 'train', and leaves its images there: for sets larger than memory. Trainings on it
 * end with the same weights as those on the same part in memory. A file that is cut or written to while it is open ends
 * what reads it with ERR_FILE; one that is replaced by another, as `packImages` does, is read on as it was. Not on Windows.
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
  checkPath('openPacked', file);
  checkOptions('openPacked', options, ['verify', 'signal']);
  if (typeof part !== 'string') {
    throw fail('ERR_ARGUMENT', {
      op: 'openPacked',
      expected: 'the name of a part',
      received: describe(part),
    });
  }
  const { handle, index, images, labels, stamp } = await openPart(file, part, options);
  return new PackedDataset({
    ...{ file: { handle, isOpen: true }, path: file, labels, rows: undefined },
    ...{ place: { offset: images.offset, count: labels.length, stamp }, description: index },
  });
}

/** @internal Several parts of a packed file by name; each has a file of its own to be closed. */
export async function openParts(
  file: string,
  { parts, signal }: { readonly parts: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<Map<string, PackedDataset>> {
  const opened = new Map<string, PackedDataset>();
  try {
    for (const name of parts) {
      opened.set(name, await openPacked(file, name, { signal }));
    }
  } catch (error) {
    await closeDatasets(...opened.values());
    throw error;
  }
  return opened;
}
