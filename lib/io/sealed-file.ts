// SPDX-License-Identifier: Apache-2.0
// Safetensors files that prove their own contents: the first entry of the metadata, `sha256`, is the SHA-256 of the whole file
// with zeros in its place. Any other reader takes them as the plain files that they are.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { fail } from '../errors.js';
import {
  decodeSafetensors,
  PREFIX_BYTES,
  type SafetensorsFile,
  type StoredTensor,
  safetensorsParts,
} from './safetensors.js';

const SEAL = 'sha256';
const UNSEALED = Buffer.from('0'.repeat(64));
const BEFORE_SEAL = Buffer.from(`{"__metadata__":{"${SEAL}":"`);
const SEAL_AT = PREFIX_BYTES + BEFORE_SEAL.length;
/** Bytes that are hashed before the event loop turns: below 3 ms also where no instruction of the processor helps. */
const HASHED_AT_ONCE = 2 ** 20;

/**
 * The bytes of a sealed file in parts, as `writeAtomically` takes them. The elements are those of the moment in which the
 * promise resolves: nobody may change them before. The event loop turns meanwhile.
 */
export async function sealedParts(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string>,
): Promise<Uint8Array[]> {
  const parts = safetensorsParts(tensors, new Map([[SEAL, UNSEALED.toString()], ...metadata]));
  const hash = createHash('sha256');
  for (const part of parts) {
    for (let at = 0; at < part.length; at += HASHED_AT_ONCE) {
      hash.update(part.subarray(at, at + HASHED_AT_ONCE));
      if (at + HASHED_AT_ONCE < part.length) await setImmediate();
    }
  }
  parts[0].set(Buffer.from(hash.digest('hex')), SEAL_AT);
  return parts;
}

/**
 * Reads a sealed file's bytes, once they have proved to be those that were written.
 *
 * @param file its name, for errors
 *
 * Throws ERR_DATA for anything else: cut short, with a single bit of it changed, or never sealed.
 */
export function openSealed(bytes: Uint8Array, file: string): SafetensorsFile {
  const isSealed = BEFORE_SEAL.equals(bytes.subarray(PREFIX_BYTES, SEAL_AT));
  const behind = SEAL_AT + UNSEALED.length;
  const hash = createHash('sha256').update(bytes.subarray(0, SEAL_AT)).update(UNSEALED);
  const found = hash.update(bytes.subarray(behind)).digest();
  const seal = Buffer.from(bytes.subarray(SEAL_AT, behind)).toString('latin1');
  if (isSealed && seal === found.toString('hex')) return decodeSafetensors(bytes, file);
  throw fail('ERR_DATA', {
    op: `checkpoint ${file}`,
    expected: isSealed
      ? 'contents that give the checksum in its header'
      : 'a header that begins with a checksum',
    received: isSealed ? 'others' : `${bytes.length} bytes without one`,
    hint: 'the file is damaged, unfinished or of another kind',
  });
}
