// SPDX-License-Identifier: Apache-2.0
// Tar archives, read as a stream and never unpacked to disk: ustar with GNU's and POSIX' long names, compressed by gzip or not.
// Nothing in an archive is trusted: sizes are bounded, checksums compared, and an archive that was cut off is told.
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { fail, ReceptiveError } from '../errors.js';
import { isSameStamp, stampOf } from '../io/file-stamp.js';

/** What an archive holds at a path. Links and devices are told, and nothing is read for them. */
export interface TarEntry {
  /** As it stands in the archive. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Of a file that was asked for; nothing where it was not, or is larger than `largestFile`. */
  readonly bytes: Uint8Array | undefined;
}

export interface TarOptions {
  /** Whether to keep the bytes of a file; default: of all. */
  readonly wants?: ((path: string, size: number) => boolean) | undefined;
  /** The most bytes of a file that are kept in memory; default 256 MiB. */
  readonly largestFile?: number | undefined;
  /** The most bytes that are unpacked; default 1 TiB. */
  readonly largestTotal?: number | undefined;
  /** The archive itself, uncompressed, where it is in memory; the file is then a name in errors alone. */
  readonly contents?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BLOCK = 512;
/** The longest name: paths end at 4,096 bytes on Linux. */
const LARGEST_NAME = 64 * 1024;
/**
 * How much larger than the file what is inside may be. A tar of tiny pictures, each in blocks of its own, reaches 10; a bomb
 * of zeros 1,000.
 */
const LARGEST_RATIO = 200;
/** Below it, the ratio does no harm. */
const HARMLESS = 64 * 2 ** 20;

/**
 * The entries of an archive, in its order.
 *
 * @throws ERR_FILE for a file that cannot be read; ERR_DATA for one that is no tar, is damaged or cut off, is written to while it
 *   is read, or unpacks to more than it may; ERR_ABORTED
 */
export async function* readTar(file: string, options: TarOptions = {}): AsyncGenerator<TarEntry> {
  const { wants = () => true, largestFile = 2 ** 28, largestTotal = 2 ** 40, contents, signal } = options;
  const chunks = contents === undefined ? unpackedChunks(file, largestTotal, signal) : [contents];
  const blocks = new Blocks(file, chunks);
  try {
    yield* entriesOf(file, blocks, wants, largestFile);
  } finally {
    await blocks.close();
  }
}

async function* entriesOf(
  file: string,
  blocks: Blocks,
  wants: (path: string, size: number) => boolean,
  largestFile: number,
): AsyncGenerator<TarEntry> {
  let longName: string | undefined;
  let longSize: number | undefined;
  for (;;) {
    const header = await blocks.take(BLOCK);
    if (header === undefined) throw blocks.position === 0 ? noArchive(file, new Uint8Array()) : unended(file);
    if (header.every((byte) => byte === 0)) break;
    const isNone = blocks.position === BLOCK && !hasItsSum(header) && text(header, 257, 5) !== 'ustar';
    if (isNone) throw noArchive(file, header);
    const { path: shortName, size: shortSize, type } = parseHeader(file, header, blocks.position - BLOCK);
    if (type === 'L' || type === 'x') {
      const text = await longField(file, blocks, shortSize);
      if (type === 'L') longName = text.replace(/\0.*$/s, '');
      else ({ path: longName = longName, size: longSize = longSize } = parsePax(file, text));
      continue;
    }
    const path = longName ?? shortName;
    const size = longSize ?? shortSize;
    [longName, longSize] = [undefined, undefined];
    if (type === 'g' || type === 'K') {
      await blocks.skip(padded(size));
      continue;
    }
    const kind = KINDS[type] ?? 'other';
    const isKept = kind === 'file' && size <= largestFile && wants(path, size);
    let bytes: Uint8Array | undefined;
    if (isKept) {
      bytes = await blocks.take(size);
      if (bytes === undefined) throw damaged(file, `${size} bytes of ${path}`, 'the end of the file');
      await blocks.skip(padded(size) - size);
    } else {
      await blocks.skip(kind === 'link' ? 0 : padded(size));
    }
    yield { path, kind, size, bytes };
  }
  await blocks.drain(); // to the end, so that gzip's checksum is compared
}

const FOLDER_HINT = 'pictures are read from a folder, or an archive, of one folder for each class';

const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'link',
  '5': 'folder',
};

function damaged(file: string, expected: string, received: string, cause?: unknown) {
  const hint = 'the archive was cut off or damaged: get it again';
  return fail('ERR_DATA', { op: `reading ${file}`, expected, received, hint, cause });
}

function unended(file: string) {
  return damaged(file, 'an end mark', 'the end of the file');
}

/** What else people name in place of an archive, by its first bytes, and what to do with it. */
const OTHER_KINDS: readonly (readonly [begin: string, kind: string, hint: string])[] = [
  ['RCPTPACK', 'a packed data set', 'read it as packed:FILE'],
  ['PK\x03\x04', 'a zip archive', 'unpack it, and name the folder'],
  ['\xfd7zXZ', 'an archive compressed by xz', 'unpack it: only gzip is read'],
  ['BZh', 'an archive compressed by bzip2', 'unpack it: only gzip is read'],
  ['\x28\xb5\x2f\xfd', 'an archive compressed by zstd', 'unpack it: only gzip is read'],
  ['\xff\xd8\xff', 'a picture', FOLDER_HINT],
  ['\x89PNG', 'a picture', FOLDER_HINT],
];

/** A file that does not begin as a tar archive does. */
function noArchive(file: string, first: Uint8Array) {
  const begin = Buffer.from(first).toString('latin1', 0, 8);
  const known = OTHER_KINDS.find(([start]) => begin.startsWith(start));
  const received = first.length === 0 ? 'an empty file' : 'a file of another kind';
  return fail('ERR_DATA', {
    op: `reading ${file}`,
    expected: 'a .tar or .tar.gz archive',
    received: known?.[1] ?? received,
    hint: known?.[2] ?? FOLDER_HINT,
  });
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

interface Header {
  readonly path: string;
  readonly size: number;
  readonly type: string;
}

function parseHeader(file: string, header: Uint8Array, position: number): Header {
  const where = `at byte ${position}`;
  if (!hasItsSum(header)) {
    throw damaged(file, `a tar header ${where}`, 'bytes with another checksum');
  }
  const size = sizeOf(header);
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(file, `a size ${where}`, 'none');
  const name = text(header, 0, 100);
  const prefix = text(header, 257, 5) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    size,
    type: String.fromCharCode(header[156]),
  };
}

function hasItsSum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  return sum === octal(header, 148, 8);
}

/** Octal digits, or for large files a binary number behind a byte of 128. */
function sizeOf(header: Uint8Array): number {
  if (header[124] !== 0x80) return octal(header, 124, 12);
  return header.subarray(125, 136).reduce((value, byte) => value * 256 + byte, 0);
}

function octal(bytes: Uint8Array, start: number, length: number): number {
  const digits = text(bytes, start, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

const utf8 = new TextDecoder();

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

async function longField(file: string, blocks: Blocks, size: number): Promise<string> {
  const bytes = size <= LARGEST_NAME ? await blocks.take(padded(size)) : undefined;
  if (bytes !== undefined) return utf8.decode(bytes.subarray(0, size));
  throw damaged(file, `a name of at most ${LARGEST_NAME} bytes`, `one of ${size}, or the end of the file`);
}

/** Records of `<length> <key>=<value>\n`, of which the path and size matter. */
function parsePax(file: string, records: string): { path?: string | undefined; size?: number | undefined } {
  const bytes = new TextEncoder().encode(records);
  let path: string | undefined;
  let size: number | undefined;
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(utf8.decode(bytes.subarray(at, Math.max(at, space))));
    const record = utf8.decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > bytes.length || equals < 1) {
      throw damaged(file, 'extended header records', 'others');
    }
    if (record.startsWith('path=')) path = record.slice(equals + 1);
    if (record.startsWith('size=')) size = Number(record.slice(equals + 1));
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
      throw damaged(file, 'a size', record);
    }
    at += length;
  }
  return { path, size };
}

// ---------------------------------------------------------------------------------------------------------------

/** The file's bytes, unpacked where they are gzip's, as long as they are not too many. */
async function* unpackedChunks(
  file: string,
  largest: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    yield* chunksOf(file, handle, largest, signal);
  } catch (cause) {
    throw cause instanceof ReceptiveError ? cause : unreadable(file, cause);
  } finally {
    await handle.close();
  }
}

async function* chunksOf(
  file: string,
  handle: FileHandle,
  largest: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const isCompressed = await beginsWithGzip(handle);
  const before = stampOf(await handle.stat({ bigint: true }));
  const source = handle.createReadStream({ start: 0, highWaterMark: 2 ** 18, autoClose: false });
  const stream = isCompressed ? source.pipe(createGunzip({ chunkSize: 2 ** 18 })) : source;
  source.on('error', (error) => stream.destroy(error));
  let total = 0;
  try {
    for await (const chunk of stream) {
      if (signal?.aborted) {
        throw fail('ERR_ABORTED', {
          op: `reading ${file}`,
          expected: 'to run to the end',
          received: 'an abort signal',
        });
      }
      total += chunk.length;
      const isBomb = isCompressed && total > HARMLESS && total > LARGEST_RATIO * source.bytesRead;
      if (total > largest || isBomb) {
        throw fail('ERR_DATA', {
          op: `reading ${file}`,
          expected: isBomb
            ? `at most ${LARGEST_RATIO} bytes for one of the file`
            : `at most ${largest} bytes`,
          received: `${total} bytes from the first ${source.bytesRead}`,
        });
      }
      yield chunk;
    }
    if (!isSameStamp(before, stampOf(await handle.stat({ bigint: true })))) {
      const expected = 'an archive that stays as it is while it is read';
      throw fail('ERR_DATA', { op: `reading ${file}`, expected, received: 'one that was written to' });
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code.startsWith('Z_')) throw damaged(file, 'a whole gzip stream', (cause as Error).message, cause);
    throw cause;
  } finally {
    stream.destroy();
    source.destroy();
  }
}

function unreadable(file: string, cause: unknown) {
  const received = cause instanceof Error ? cause.message : String(cause);
  return fail('ERR_FILE', { op: 'reading an archive', expected: `a file at ${file}`, received, cause });
}

async function beginsWithGzip(handle: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

/** Takes so many bytes at a time from chunks of any size. */
class Blocks {
  readonly #file: string;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  position = 0;

  constructor(file: string, chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]) {
    this.#file = file;
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks.values();
  }

  /** The next `count` bytes, a copy where they lie in several chunks; nothing at the end of the file. */
  async take(count: number): Promise<Uint8Array | undefined> {
    if (this.#chunk.length >= count) return this.#advance(count);
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (this.#chunk.length === 0 && !(await this.#more())) {
        if (missing === count) return undefined;
        if (this.position === count - missing) throw noArchive(this.#file, Buffer.concat(parts));
        throw damaged(this.#file, `${missing} more bytes`, 'the end of the file');
      }
      const part = this.#advance(Math.min(missing, this.#chunk.length));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let missing = count; missing > 0; ) {
      if (this.#chunk.length === 0 && !(await this.#more())) {
        throw damaged(this.#file, `${missing} more bytes`, 'the end of the file');
      }
      missing -= this.#advance(Math.min(missing, this.#chunk.length)).length;
    }
  }

  async drain(): Promise<void> {
    while (await this.#more());
  }

  /** Closes the file, also where the archive was not read to its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #advance(count: number): Uint8Array {
    const bytes = this.#chunk.subarray(0, count);
    this.#chunk = this.#chunk.subarray(count);
    this.position += count;
    return bytes;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    this.#chunk = done === true ? new Uint8Array() : value;
    return done !== true;
  }
}
