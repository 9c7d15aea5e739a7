// SPDX-License-Identifier: Apache-2.0
// Writes packed files. Pictures go to disk as they come, so that a set may be larger than memory; the file gets its name when it is
// whole. Whatever goes wrong, nothing else is left.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ReceptiveError } from '../errors.js';
import { fileError, makeFolder, removeFolders, syncFolder, writeWhole } from '../io/atomic-file.js';
import { removeStale, temporaryName } from '../io/temporary-name.js';
import type { ImageSink, SinkImage } from './image-source.js';
import type { PartName } from './layout.js';
import { ALIGNMENT, encodeHeader, type PackedIndex, type PackedPart, type Section } from './packed-format.js';
import { PixelStatistics } from './pixel-statistics.js';

/** Bytes that are gathered before they are written. */
const BUFFER_BYTES = 4 * 2 ** 20;

/** A part's images, in a file of their own until all parts are there. */
class PartFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  readonly statistics: PixelStatistics;
  readonly classes: string[] = [];

  constructor(path: string, file: FileHandle, channels: number) {
    this.path = path;
    this.file = file;
    this.statistics = new PixelStatistics(channels);
  }

  async add(className: string, pixels: Uint8Array): Promise<void> {
    this.classes.push(className);
    this.statistics.add(pixels);
    if (this.#filled + pixels.length > BUFFER_BYTES) await this.flush();
    if (pixels.length > BUFFER_BYTES) return writeWhole(this.file, pixels);
    this.#buffer.set(pixels, this.#filled);
    this.#filled += pixels.length;
  }

  async flush(): Promise<void> {
    await writeWhole(this.file, this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  /** The bytes of the images, each of `size`, whose classes are kept. */
  async *imagesOf(kept: ReadonlyMap<string, number>, size: number): AsyncGenerator<Uint8Array> {
    const { classes, path } = this;
    for (let first = 0, end = 0; first < classes.length; first = end) {
      const isKept = kept.has(classes[first]);
      while (end < classes.length && kept.has(classes[end]) === isKept) end += 1;
      if (!isKept) continue;
      yield* createReadStream(path, {
        ...{ start: first * size, end: end * size - 1, highWaterMark: BUFFER_BYTES },
      });
    }
  }
}

/** Collects parts in files beside the target, and joins them. */
export class PackedWriter implements ImageSink {
  readonly #op: string;
  readonly #target: string;
  /** The file that becomes the target. */
  readonly #path: string;
  readonly #file: FileHandle;
  /** Folders that were made for it, the innermost first. */
  readonly #made: readonly string[];
  readonly #parts = new Map<PartName, PartFile>();

  private constructor(op: string, target: string, path: string, file: FileHandle, made: readonly string[]) {
    this.#op = op;
    this.#target = target;
    this.#path = path;
    this.#file = file;
    this.#made = made;
  }

  /** Proves that the target can be written, before anything is read for it. Throws ERR_FILE. */
  static async open(op: string, target: string): Promise<PackedWriter> {
    const made: string[] = [];
    try {
      await makeFolder(resolve(dirname(target)), made);
      await removeStale(target);
      const path = temporaryName(target);
      return new PackedWriter(op, target, path, await open(path, 'wx'), made);
    } catch (cause) {
      await removeFolders(made);
      throw unwritable(op, target, cause);
    }
  }

  async add(part: PartName, className: string, { pixels, channels }: SinkImage): Promise<void> {
    await this.#onDisk(async () => {
      const known = this.#parts.get(part) ?? (await this.#begin(part, channels));
      await known.add(className, pixels);
    });
  }

  async #begin(part: PartName, channels: number): Promise<PartFile> {
    const path = temporaryName(this.#target);
    const begun = new PartFile(path, await open(path, 'wx'), channels);
    this.#parts.set(part, begun);
    return begun;
  }

  /** Writes the whole file, without pictures of classes that are not named, and gives it its name. Throws ERR_FILE. */
  async join(
    name: string,
    imageShape: readonly [number, number, number],
    classNames: readonly string[],
  ): Promise<{ readonly bytes: number; readonly parts: Record<string, number> }> {
    return this.#onDisk(async () => {
      const out = new SectionWriter(this.#file);
      const labelOf = new Map(classNames.map((className, label) => [className, label]));
      const size = imageShape[0] * imageShape[1] * imageShape[2];
      const parts: Record<string, PackedPart> = {};
      for (const [part, written] of this.#parts) {
        await written.flush();
        const labels = Int32Array.from(written.classes.flatMap((className) => labelOf.get(className) ?? []));
        if (labels.length === 0) continue;
        const images = await out.write(written.imagesOf(labelOf, size));
        parts[part] = { length: labels.length, images, labels: await out.write([littleEndian(labels)]) };
      }
      const measured = this.#parts.get('train') ?? this.#parts.get('all') ?? [...this.#parts.values()][0];
      const { normalization } = measured.statistics;
      const index: PackedIndex = { name, imageShape, classNames, normalization, parts };
      const bytes = await out.finish(index);
      await this.#file.close();
      await rename(this.#path, this.#target);
      await syncFolder(dirname(this.#target));
      const counts = Object.entries(parts).map(([part, { length }]) => [part, length]);
      return { bytes, parts: Object.fromEntries(counts) };
    });
  }

  /** Removes what was only needed on the way; nothing that fails here is worth more than what went wrong before. */
  async dispose(): Promise<void> {
    for (const { path, file } of [{ path: this.#path, file: this.#file }, ...this.#parts.values()]) {
      await file.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
    }
    await removeFolders(this.#made);
  }

  async #onDisk<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      throw cause instanceof ReceptiveError ? cause : unwritable(this.#op, this.#target, cause);
    }
  }
}

function unwritable(op: string, target: string, cause: unknown) {
  return fileError(op, 'a place to write a packed file', target, cause);
}

function littleEndian(labels: Int32Array): Uint8Array {
  const bytes = Buffer.alloc(4 * labels.length);
  labels.forEach((label, i) => {
    bytes.writeInt32LE(label, 4 * i);
  });
  return bytes;
}

/** Writes sections one after another, each from a multiple of the alignment on. */
class SectionWriter {
  readonly #file: FileHandle;
  #position = ALIGNMENT;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Section> {
    const offset = Math.ceil(this.#position / ALIGNMENT) * ALIGNMENT;
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      hash.update(chunk);
      await writeWhole(this.#file, chunk, offset + bytes);
      bytes += chunk.length;
    }
    this.#position = offset + bytes;
    return { offset, bytes, sha256: hash.digest('hex') };
  }

  /** Writes the index behind the last section and the header before the first, and waits for the disk. */
  async finish(index: PackedIndex): Promise<number> {
    const text = new TextEncoder().encode(JSON.stringify(index));
    await writeWhole(this.#file, text, this.#position);
    await writeWhole(this.#file, encodeHeader(text, this.#position), 0);
    await this.#file.sync();
    return this.#position + text.length;
  }
}
