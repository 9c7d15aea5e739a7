// SPDX-License-Identifier: Apache-2.0
// Safetensors files of any size: the header is read and checked against the length of the file, then each tensor that is asked
// for goes in pieces to where it stays. The file is never in memory whole.
import { open } from 'node:fs/promises';
import { fail } from '../errors.js';
import { fileError } from './atomic-file.js';
import { isSameStamp, stampOf } from './file-stamp.js';
import { piecesOf } from './pieces.js';
import {
  decodeHeader,
  headerLength,
  PREFIX_BYTES,
  roomFor,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type StoredTensor,
  storedTensor,
} from './safetensors.js';

/** Bytes that can be read from any place on. */
export interface ByteSource {
  readonly size: number;
  /** Fills all of `target`, which lies within the size, with the bytes from `place` on. */
  fill(target: Uint8Array, place: number): Promise<void>;
  /** Throws ERR_DATA where they are not those of the beginning any more. */
  check(): Promise<void>;
}

/** A file whose header is read. */
export interface OpenTensors extends SafetensorsHeader {
  readonly source: ByteSource;
  /** Its name, for errors. */
  readonly path: string;
  /** All bytes in front of the elements. */
  readonly head: Uint8Array;
}

/**
 * Opens the file at `path` for as long as `use` takes.
 *
 * @param expected what it should be, for errors
 *
 * Throws ERR_FILE where it cannot be read; ERR_DATA where it is cut meanwhile; what `use` throws.
 */
export async function withFile<T>(
  op: string,
  expected: string,
  path: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const failed = (cause: unknown): never => {
    throw fileError(op, expected, path, cause);
  };
  const file = await open(path, 'r').catch(failed);
  try {
    const before = await file.stat({ bigint: true }).catch(failed);
    const size = Number(before.size);
    const fill = async (target: Uint8Array, place: number) => {
      for (let at = 0; at < target.length; ) {
        const { bytesRead } = await file.read(target, at, target.length - at, place + at).catch(failed);
        if (bytesRead === 0) throw cutMeanwhile(op, path, size, place + at);
        at += bytesRead;
      }
    };
    const check = async () => {
      const now = await file.stat({ bigint: true }).catch(failed);
      if (!isSameStamp(stampOf(before), stampOf(now))) throw changedMeanwhile(op, path);
    };
    return await use({ size, fill, check });
  } finally {
    await file.close().catch(() => undefined); // what was read is read
  }
}

function cutMeanwhile(op: string, path: string, size: number, end: number) {
  return fail('ERR_DATA', {
    op: `${op} from ${path}`,
    expected: `${size} bytes, as when the file was opened`,
    received: `its end after ${end}`,
    hint: 'it was changed while it was read',
  });
}

function changedMeanwhile(op: string, path: string) {
  return fail('ERR_DATA', {
    op: `${op} from ${path}`,
    expected: 'a file that nobody writes to',
    received: 'one that was written to while it was read',
  });
}

/** Reads and checks a header. Throws ERR_DATA for anything but that of a whole, consistent file. */
export async function openTensors(source: ByteSource, path: string): Promise<OpenTensors> {
  const prefix = new Uint8Array(PREFIX_BYTES);
  await source.fill(prefix.subarray(0, source.size), 0);
  const head = new Uint8Array(PREFIX_BYTES + headerLength(prefix, source.size, path));
  head.set(prefix);
  await source.fill(head.subarray(PREFIX_BYTES), PREFIX_BYTES);
  const header = decodeHeader(head.subarray(PREFIX_BYTES), source.size - head.length, path);
  return { ...header, source, path, head };
}

/**
 * Reads one tensor.
 *
 * @param see is shown its bytes, piece by piece
 *
 * Throws ERR_DATA for numbers of 64 bits that 32 do not hold; ERR_OUT_OF_MEMORY.
 */
export async function readTensor(
  { source, path, head }: OpenTensors,
  entry: SafetensorsEntry,
  see: (piece: Uint8Array) => void = () => {},
): Promise<StoredTensor> {
  const elements = roomFor(entry);
  let place = head.length + entry.begin;
  for (const piece of piecesOf(elements)) {
    await source.fill(piece, place);
    see(piece);
    place += piece.length;
  }
  return storedTensor(entry, elements, path);
}
