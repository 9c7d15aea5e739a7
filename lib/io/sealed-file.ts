// SPDX-License-Identifier: Apache-2.0
// Safetensors files that prove their own contents: the first entry of the metadata, `sha256`, is the SHA-256 of the whole file
// with zeros in its place. Any other reader takes them as the plain files that they are.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { fail } from '../errors.js';
import { PIECE_BYTES, piecesOf } from './pieces.js';
import {
  inPlaceOrder,
  PREFIX_BYTES,
  type SafetensorsFile,
  type StoredTensor,
  safetensorsParts,
} from './safetensors.js';
import { type ByteSource, openTensors, readTensor } from './safetensors-reader.js';

const SEAL = 'sha256';
const UNSEALED = Buffer.from('0'.repeat(64));
const BEFORE_SEAL = Buffer.from(`{"__metadata__":{"${SEAL}":"`);
const SEAL_AT = PREFIX_BYTES + BEFORE_SEAL.length;
const BEHIND_SEAL = SEAL_AT + UNSEALED.length;

/** What a sealed file holds; who reads it may take tensors out, so that the rest of a large one needs less memory. */
export interface SealedFile extends SafetensorsFile {
  readonly tensors: Map<string, StoredTensor>;
}

/**
 * The bytes of a sealed file in parts, as `writeAtomically` takes them. The elements are those of the moment in which the
 * promise resolves: nobody may change them before. The event loop turns meanwhile.
 */
export async function sealedParts(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string>,
): Promise<ArrayBufferView[]> {
  const parts = safetensorsParts(tensors, new Map([[SEAL, UNSEALED.toString()], ...metadata]));
  const hash = createHash('sha256');
  for (const part of parts) {
    for (const piece of piecesOf(part)) {
      hash.update(piece);
      if (piece.length === PIECE_BYTES) await setImmediate();
    }
  }
  parts[0].set(Buffer.from(hash.digest('hex')), SEAL_AT);
  return parts;
}

/**
 * Reads a sealed file, and hands it out once its bytes have proved to be those that were written.
 *
 * @param path its name, for errors
 *
 * Throws ERR_DATA for anything else: cut short, with a single bit of it changed, or never sealed.
 */
export async function readSealed(source: ByteSource, path: string): Promise<SealedFile> {
  const file = await openTensors(source, path);
  const { head, metadata } = file;
  if (!BEFORE_SEAL.equals(head.subarray(PREFIX_BYTES, SEAL_AT))) {
    throw refuse(path, 'a header that begins with a checksum', `${source.size} bytes without one`);
  }
  const hash = createHash('sha256').update(head.subarray(0, SEAL_AT)).update(UNSEALED);
  hash.update(head.subarray(BEHIND_SEAL));
  const tensors = new Map<string, StoredTensor>();
  for (const entry of inPlaceOrder(file.entries)) {
    tensors.set(entry.name, await readTensor(file, entry, (piece) => hash.update(piece)));
  }
  const seal = Buffer.from(head.subarray(SEAL_AT, BEHIND_SEAL)).toString('latin1');
  if (hash.digest('hex') === seal) return { tensors, metadata };
  throw refuse(path, 'contents that give the checksum in its header', 'others');
}

function refuse(path: string, expected: string, received: string) {
  return fail('ERR_DATA', {
    op: `checkpoint ${path}`,
    expected,
    received,
    hint: 'the file is damaged, unfinished or of another kind',
  });
}
