// SPDX-License-Identifier: Apache-2.0
// `packed`: data sets out of packed files (packed-format.ts), verified against their checksums as they are read.
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { checkBooleans, checkListeners, checkOptions, describe, fail, ReceptiveError } from '../errors.js';
import { ArrayDataset, type Dataset } from './dataset.js';
import { decodeHeader, decodeIndex, HEADER_BYTES, type PackedIndex, type Section } from './packed-format.js';

export interface ReadPackedOptions {
  /** Only these parts; default: all that the file has. */
  readonly parts?: readonly string[] | undefined;
  /** Compare the checksums of what is read. Default true. */
  readonly verify?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes read at a time: few enough for the event loop to turn between two. */
const PIECE_BYTES = 2 ** 20;

/**
 * Reads the parts of a packed file into memory, by name: `train`, `test`, `validation`, or `all` where the set is not divided.
 *
 * Throws ERR_FILE for a file that cannot be read; ERR_DATA for one that is no packed data set, is cut off or damaged, or of
 * a newer version; ERR_ARGUMENT for a part that it does not have; ERR_ABORTED.
 */
export async function readPacked(
  file: string,
  options: ReadPackedOptions = {},
): Promise<Map<string, Dataset>> {
  checkOptions('readPacked', options, ['parts', 'verify', 'signal']);
  checkBooleans('readPacked', { verify: options.verify });
  checkListeners('readPacked', options.signal);
  return withPacked(file, async (handle, index) => {
    const names = options.parts ?? Object.keys(index.parts);
    const datasets = new Map<string, Dataset>();
    for (const name of names) {
      const part = Object.hasOwn(index.parts, name) ? index.parts[name] : undefined;
      if (part === undefined) {
        const expected = `one of the parts ${Object.keys(index.parts).join(', ')} of ${file}`;
        throw fail('ERR_ARGUMENT', { op: 'readPacked', expected, received: describe(name) });
      }
      const images = await readSection(file, handle, part.images, `images of ${name}`, options);
      const labelBytes = await readSection(file, handle, part.labels, `labels of ${name}`, options);
      const view = new DataView(labelBytes.buffer);
      const labels = Int32Array.from({ length: part.length }, (_, i) => view.getInt32(4 * i, true));
      datasets.set(name, datasetOf(file, index, images, labels));
    }
    return datasets;
  });
}

/** Opens a packed file and reads its index. */
async function withPacked<T>(
  file: string,
  body: (handle: FileHandle, index: PackedIndex) => Promise<T>,
): Promise<T> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    const { size } = await handle.stat();
    const header = await readExactly(file, handle, 0, Math.min(size, HEADER_BYTES));
    const { offset, length } = decodeHeader(file, header, size);
    const index = decodeIndex(file, header, await readExactly(file, handle, offset, length), offset);
    return await body(handle, index);
  } catch (cause) {
    throw cause instanceof ReceptiveError ? cause : unreadable(file, cause);
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, cause: unknown) {
  const received = cause instanceof Error ? cause.message : String(cause);
  return fail('ERR_FILE', { op: 'readPacked', expected: `a packed data set at ${file}`, received, cause });
}

async function readExactly(
  file: string,
  handle: FileHandle,
  offset: number,
  length: number,
  into = new Uint8Array(length),
): Promise<Uint8Array<ArrayBuffer>> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(into, done, length - done, offset + done);
    if (bytesRead === 0) throw damaged(file, `${length} bytes at ${offset}`, `${done}, then the end`);
    done += bytesRead;
  }
  return into;
}

function damaged(file: string, expected: string, received: string) {
  const hint = 'the file was damaged or changed: pack it again';
  return fail('ERR_DATA', { op: `reading ${file}`, expected, received, hint });
}

/** A section, piece by piece, each hashed while the event loop turns between them. */
async function readSection(
  file: string,
  handle: FileHandle,
  { offset, bytes, sha256 }: Section,
  what: string,
  { verify = true, signal }: ReadPackedOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const contents = new Uint8Array(bytes);
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    if (signal?.aborted) {
      throw fail('ERR_ABORTED', {
        op: `reading ${file}`,
        expected: 'to run to the end',
        received: 'an abort signal',
      });
    }
    const piece = contents.subarray(at, Math.min(bytes, at + PIECE_BYTES));
    await readExactly(file, handle, offset + at, piece.length, piece);
    if (verify) hash.update(piece);
  }
  const found = verify ? hash.digest('hex') : sha256;
  if (found !== sha256) throw damaged(file, `${what} with SHA-256 ${sha256}`, found);
  return contents;
}

function datasetOf(
  file: string,
  { name, imageShape, classNames, normalization }: PackedIndex,
  images: Uint8Array,
  labels: Int32Array,
): Dataset {
  try {
    return new ArrayDataset({ name, imageShape, classNames, normalization, images, labels });
  } catch (cause) {
    if (!(cause instanceof ReceptiveError)) throw cause;
    throw damaged(file, cause.expected, cause.received);
  }
}
