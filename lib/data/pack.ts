// SPDX-License-Identifier: Apache-2.0
// From a folder or archive of pictures to one packed file. Pictures go to disk as they come, so that a set may be larger than
// memory; the file gets its name when it is whole.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkOptions, fail, ReceptiveError } from '../errors.js';
import { nameOf, type PartName } from './image-files.js';
import {
  IMAGE_OPTIONS,
  type ImageSink,
  type ReadImagesOptions,
  readImages,
  type SinkImage,
} from './image-source.js';
import { ALIGNMENT, encodeHeader, type PackedIndex, type PackedPart, type Section } from './packed-format.js';
import { PixelStatistics } from './pixel-statistics.js';
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
 * @param file the file to write; an older one is replaced when the new one is whole
 *
 * Throws what `imageFolder` throws; ERR_FILE where the file cannot be written, and then leaves nothing.
 */
export async function packImages(
  source: string,
  file: string,
  options: PackOptions = {},
): Promise<PackReport> {
  checkOptions('packImages', options, [...IMAGE_OPTIONS, 'name']);
  const { name = nameOf(source), ...reading } = options;
  const began = performance.now();
  const stem = `${file}.${randomUUID()}`;
  const parts = new FileParts(stem, file);
  try {
    const read = await readImages('packImages', source, parts, reading);
    const { imageShape, classNames, report } = read;
    const written = await parts.join(name, imageShape, classNames);
    const seconds = (performance.now() - began) / 1000;
    return { ...report, file, imageShape, classNames, ...written, seconds };
  } finally {
    await parts.dispose();
  }
}

/** Bytes that are gathered before they are written. */
const BUFFER_BYTES = 4 * 2 ** 20;

/** A part's images, in a file of their own until all parts are there. */
class PartFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  readonly statistics: PixelStatistics;
  readonly classes: string[] = [];

  constructor(path: string, file: FileHandle, channels: number) {
    this.path = path;
    this.#file = file;
    this.statistics = new PixelStatistics(channels);
  }

  async add(className: string, pixels: Uint8Array): Promise<void> {
    this.classes.push(className);
    this.statistics.add(pixels);
    if (this.#filled + pixels.length > BUFFER_BYTES) await this.flush();
    if (pixels.length > BUFFER_BYTES) return this.#file.appendFile(pixels);
    this.#buffer.set(pixels, this.#filled);
    this.#filled += pixels.length;
  }

  async flush(): Promise<void> {
    await this.#file.appendFile(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Collects parts in files beside the target, and joins them. */
class FileParts implements ImageSink {
  readonly #stem: string;
  readonly #target: string;
  readonly #parts = new Map<PartName, PartFile>();

  constructor(stem: string, target: string) {
    this.#stem = stem;
    this.#target = target;
  }

  async add(part: PartName, className: string, { pixels, channels }: SinkImage): Promise<void> {
    await this.#onDisk(async () => {
      const known = this.#parts.get(part) ?? (await this.#begin(part, channels));
      await known.add(className, pixels);
    });
  }

  async #begin(part: PartName, channels: number): Promise<PartFile> {
    await mkdir(dirname(this.#target), { recursive: true });
    const path = `${this.#stem}.${part}.part`;
    const begun = new PartFile(path, await open(path, 'wx+'), channels);
    this.#parts.set(part, begun);
    return begun;
  }

  /** Writes the whole file and gives it its name. */
  async join(
    name: string,
    imageShape: readonly [number, number, number],
    classNames: readonly string[],
  ): Promise<{ readonly bytes: number; readonly parts: Record<string, number> }> {
    return this.#onDisk(async () => {
      const whole = `${this.#stem}.part`;
      const out = new SectionWriter(await open(whole, 'wx'));
      try {
        const labelOf = new Map(classNames.map((className, label) => [className, label]));
        const parts: Record<string, PackedPart> = {};
        for (const [part, { path, classes }] of this.#parts) {
          await this.#parts.get(part)?.flush();
          const images = await out.write(chunksOf(path));
          const labels = Buffer.alloc(4 * classes.length);
          classes.forEach((className, i) => {
            labels.writeInt32LE(labelOf.get(className) ?? -1, 4 * i);
          });
          parts[part] = { length: classes.length, images, labels: await out.write([labels]) };
        }
        const measured = this.#parts.get('train') ?? this.#parts.get('all') ?? [...this.#parts.values()][0];
        const { normalization } = measured.statistics;
        const index: PackedIndex = { name, imageShape, classNames, normalization, parts };
        const bytes = await out.finish(index);
        await out.close();
        await rename(whole, this.#target);
        const counts = Object.entries(parts).map(([part, { length }]) => [part, length]);
        return { bytes, parts: Object.fromEntries(counts) };
      } catch (error) {
        await out.close();
        await rm(whole, { force: true });
        throw error;
      }
    });
  }

  /** Removes what was only needed on the way. */
  async dispose(): Promise<void> {
    for (const part of this.#parts.values()) {
      await part.close();
      await rm(part.path, { force: true });
    }
  }

  async #onDisk<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      if (cause instanceof ReceptiveError) throw cause;
      throw fail('ERR_FILE', {
        op: 'packImages',
        expected: `to be able to write ${this.#target}`,
        received: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: BUFFER_BYTES });
}

/** Writes sections one after another, each from a multiple of the alignment on. */
class SectionWriter {
  readonly #file: FileHandle;
  #position = ALIGNMENT;
  #isOpen = true;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Section> {
    const offset = Math.ceil(this.#position / ALIGNMENT) * ALIGNMENT;
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      hash.update(chunk);
      await this.#writeAt(offset + bytes, chunk);
      bytes += chunk.length;
    }
    this.#position = offset + bytes;
    return { offset, bytes, sha256: hash.digest('hex') };
  }

  /** Writes the index behind the last section and the header before the first, and waits for the disk. */
  async finish(index: PackedIndex): Promise<number> {
    const text = new TextEncoder().encode(JSON.stringify(index));
    await this.#writeAt(this.#position, text);
    await this.#writeAt(0, encodeHeader(text, this.#position));
    await this.#file.sync();
    return this.#position + text.length;
  }

  async #writeAt(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  }

  async close(): Promise<void> {
    if (this.#isOpen) await this.#file.close();
    this.#isOpen = false;
  }
}
