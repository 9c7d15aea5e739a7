// SPDX-License-Identifier: Apache-2.0
// IDX, the file format of MNIST and its relatives: two zero bytes, a type code, the number of dimensions, each
// dimension as a big-endian 32-bit number, then the values. Read strictly: a file that is off by a byte is refused.

import { gunzip, type InputType, type ZlibOptions } from 'node:zlib';
import { fail } from '../errors.js';

/** An IDX file of bytes. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major, a view of the file's own bytes. */
  readonly data: Uint8Array;
}

export interface IdxOptions {
  /** The file's name, for errors. */
  readonly file: string;
  /** How many dimensions it must have: 3 for images `[n, h, w]`, 1 for labels `[n]`. */
  readonly rank: number;
}

const UNSIGNED_BYTE = 0x08;
const TYPE_NAMES: Readonly<Record<number, string>> = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

/** The largest contents that are unpacked: a compressed file may claim a thousand times its size. */
export const LARGEST_CONTENTS = 2 ** 30;

/**
 * Reads the contents of an IDX file, which must not be compressed (see `unpack`).
 *
 * @throws ERR_DATA for anything that is not exactly one array of bytes with `rank` dimensions
 */
export function parseIdx(bytes: Uint8Array, { file, rank }: IdxOptions): IdxArray {
  const refuse = (expected: string, received: string, hint?: string) =>
    fail('ERR_DATA', { op: `reading ${file}`, expected, received, hint });

  // 1. The magic number.
  if (bytes.length < 4) {
    throw refuse('an IDX file with a header of at least 4 bytes', `a file of ${bytes.length} bytes`);
  }
  const [zero0, zero1, type, dimensions] = bytes;
  if (zero0 !== 0 || zero1 !== 0) {
    const hint =
      zero0 === 0x3c ? 'this looks like a web page: was a download saved under the wrong name?' : undefined;
    throw refuse(
      'an IDX file, which begins with two zero bytes',
      `a file that begins with ${hex(bytes)}`,
      hint,
    );
  }
  if (type !== UNSIGNED_BYTE) {
    throw refuse(
      'an IDX file of type 0x08 (uint8)',
      `type 0x${byte(type)} (${TYPE_NAMES[type] ?? 'unknown'})`,
    );
  }
  if (dimensions !== rank) {
    const hint = 'images have 3 dimensions and labels 1: were the two files swapped?';
    throw refuse(`an IDX file with ${rank} dimension${rank === 1 ? '' : 's'}`, `${dimensions}`, hint);
  }

  // 2. The shape.
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw refuse(`a header of ${header} bytes`, `a file of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (shape.includes(0)) throw refuse('dimensions above 0', `[${shape.join(', ')}]`);
  const size = shape.reduce((product, n) => product * n, 1);
  if (size > LARGEST_CONTENTS) {
    throw refuse(`at most ${LARGEST_CONTENTS} values`, `dimensions [${shape.join(', ')}]`);
  }

  // 3. The values: all of them and nothing else.
  if (bytes.length !== header + size) {
    const hint = bytes.length < header + size ? 'the file was cut off: get it again' : undefined;
    throw refuse(
      `${header + size} bytes for dimensions [${shape.join(', ')}]`,
      `${bytes.length} bytes, ${bytes.length < header + size ? 'too few' : 'too many'}`,
      hint,
    );
  }
  return { shape, data: bytes.subarray(header) };
}

/**
 * The contents of a file that may or may not be gzipped, told by its first two bytes and not by its name.
 *
 * @param largest the most bytes that are unpacked
 * @throws ERR_DATA for a damaged gzip stream, bytes behind its end, or contents above `largest`
 */
export async function unpack(
  bytes: Uint8Array,
  file: string,
  largest = LARGEST_CONTENTS,
): Promise<Uint8Array> {
  const compressed = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!compressed) return bytes;
  let unpacked: Unpacked;
  try {
    unpacked = await gunzipWhole(bytes, { maxOutputLength: largest, info: true });
  } catch (cause) {
    const tooLarge = cause instanceof RangeError;
    throw fail('ERR_DATA', {
      op: `unpacking ${file}`,
      expected: tooLarge ? `at most ${largest} bytes of contents` : 'a whole gzip stream',
      received: tooLarge
        ? 'more'
        : `a damaged one: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: tooLarge ? undefined : 'the file was cut off or damaged: get it again',
      cause,
    });
  }
  const trailing = bytes.length - unpacked.engine.bytesWritten;
  if (trailing !== 0) {
    throw fail('ERR_DATA', {
      op: `unpacking ${file}`,
      expected: 'a gzip stream and nothing behind it',
      received: `${trailing} more bytes`,
    });
  }
  return unpacked.buffer;
}

/** What zlib passes to its callback with `info: true`, which its types leave out. */
interface Unpacked {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function gunzipWhole(bytes: InputType, options: ZlibOptions): Promise<Unpacked> {
  return new Promise((resolve, reject) => {
    gunzip(bytes, options, (error, result) => {
      if (error === null) resolve(result as unknown as Unpacked);
      else reject(error);
    });
  });
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), byte).join(' ');
}
