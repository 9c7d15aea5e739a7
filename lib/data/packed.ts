// SPDX-License-Identifier: Apache-2.0
// `packed`: data sets out of packed files (packed-format.ts), verified against their checksums as they are read.
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { checkBooleans, checkListeners, checkOptions, describe, fail, ReceptiveError } from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import { stampOf } from '../io/file-stamp.js';
import { PIECE_BYTES } from '../io/pieces.js';
import { ArrayDataset, type Dataset } from './dataset.js';
import {
  decodeHeader,
  decodeIndex,
  HEADER_BYTES,
  type PackedIndex,
  type PackedPart,
  type Section,
} from './packed-format.js';

export interface ReadPackedOptions {
  /** Only these parts; default: all that the file has. */
  readonly parts?: readonly string[] | undefined;
  /** Compare the checksums of what is read. Default true. */
  readonly verify?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

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
  checkPath('readPacked', file);
  checkOptions('readPacked', options, ['parts', 'verify', 'signal']);
  checkParts(options.parts);
  checkBooleans('readPacked', { verify: options.verify });
  checkListeners('readPacked', options.signal);
  return withPacked(file, async (handle, index) => {
    const names = options.parts ?? Object.keys(index.parts);
    const datasets = new Map<string, Dataset>();
    for (const name of names) {
      const part = partOf(file, index, name);
      const images = await readSection(file, handle, part.images, `images of ${name}`, options);
      datasets.set(name, datasetOf(file, index, images, await labelsOf(file, handle, part, name, options)));
    }
    return datasets;
  });
}

function checkParts(parts: unknown): void {
  if (parts === undefined || (Array.isArray(parts) && parts.every((name) => typeof name === 'string')))
    return;
  const expected = 'parts to be an array of names';
  throw fail('ERR_ARGUMENT', { op: 'readPacked', expected, received: describe(parts) });
}

function partOf(file: string, index: PackedIndex, name: string): PackedPart {
  if (Object.hasOwn(index.parts, name)) return index.parts[name];
  const expected = `one of the parts ${Object.keys(index.parts).join(', ')} of ${file}`;
  throw fail('ERR_ARGUMENT', { op: 'readPacked', expected, received: describe(name) });
}

async function labelsOf(
  file: string,
  handle: FileHandle,
  { length, labels }: PackedPart,
  name: string,
  options: ReadPackedOptions,
): Promise<Int32Array> {
  const bytes = await readSection(file, handle, labels, `labels of ${name}`, options);
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length }, (_, i) => view.getInt32(4 * i, true));
}

/** @internal The names of a packed file's parts. Throws what `readPacked` throws. */
export async function packedParts(file: string): Promise<string[]> {
  return withPacked(file, async (_, index) => Object.keys(index.parts));
}

/** @internal A part's labels, and the file, open, where its images are. Its owner closes it. */
export async function openPart(file: string, name: string, options: ReadPackedOptions) {
  checkBooleans('openPacked', { verify: options.verify });
  checkListeners('openPacked', options.signal);
  const [handle, index] = await openIndexed(file);
  try {
    const stamp = stampOf(await handle.stat({ bigint: true })); // before it is verified: what is changed later is noticed
    const part = partOf(file, index, name);
    if (options.verify !== false) {
      await readSection(file, handle, part.images, `images of ${name}`, options, new Uint8Array(PIECE_BYTES));
    }
    const labels = await labelsOf(file, handle, part, name, options);
    const [h, w, c] = index.imageShape;
    const one = { ...index, parts: {} };
    datasetOf(file, one, new Uint8Array(h * w * c), labels.subarray(0, 1)); // channels and classes fit each other
    const wrong = labels.findIndex((label) => label < 0 || label >= index.classNames.length);
    if (wrong >= 0) throw damaged(file, 'labels of its classes', `${labels[wrong]} at index ${wrong}`);
    return { handle, index, stamp, images: part.images, labels };
  } catch (cause) {
    await handle.close();
    throw cause instanceof ReceptiveError ? cause : unreadable(file, cause);
  }
}

/** Opens a packed file and reads its index. */
async function withPacked<T>(
  file: string,
  body: (handle: FileHandle, index: PackedIndex) => Promise<T>,
): Promise<T> {
  const [handle, index] = await openIndexed(file);
  try {
    return await body(handle, index);
  } catch (cause) {
    throw cause instanceof ReceptiveError ? cause : unreadable(file, cause);
  } finally {
    await handle.close();
  }
}

async function openIndexed(file: string): Promise<[handle: FileHandle, index: PackedIndex]> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    const { size } = await handle.stat();
    const header = await readExactly(file, handle, 0, Math.min(size, HEADER_BYTES));
    const { offset, length } = decodeHeader(file, header, size);
    const index = decodeIndex(file, header, await readExactly(file, handle, offset, length), offset);
    return [handle, index];
  } catch (cause) {
    await handle.close();
    throw cause instanceof ReceptiveError ? cause : unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown) {
  const received = cause instanceof Error ? cause.message : String(cause);
  const isFolder = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
  const hint = isFolder
    ? 'read a folder as folder:PATH, or make one file of it with `receptive data pack`'
    : undefined;
  return fail('ERR_FILE', {
    op: 'readPacked',
    expected: `a packed data set at ${file}`,
    received,
    hint,
    cause,
  });
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

/** A section, piece by piece, with turns of the event loop between them; with `room` for a piece, it is only verified. */
async function readSection(
  file: string,
  handle: FileHandle,
  { offset, bytes, sha256 }: Section,
  what: string,
  { verify = true, signal }: ReadPackedOptions,
  room?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const contents = room ?? new Uint8Array(bytes);
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    if (signal?.aborted) {
      throw fail('ERR_ABORTED', {
        op: `reading ${file}`,
        expected: 'to run to the end',
        received: 'an abort signal',
      });
    }
    const start = room === undefined ? at : 0;
    const piece = contents.subarray(start, start + Math.min(bytes - at, PIECE_BYTES));
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
