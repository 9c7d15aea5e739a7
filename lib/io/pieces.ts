// SPDX-License-Identifier: Apache-2.0
// Long arrays in pieces: one call of the system or of a hash takes less than 2 GiB, and the event loop is to turn between them.

/** Bytes of a piece: hashed in below 3 ms, also where no instruction of the processor helps; a full disk is noticed early. */
export const PIECE_BYTES = 2 ** 20;

/** The bytes of an array where they lie, one piece after another. */
export function* piecesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Iterable<Uint8Array> {
  for (let at = 0; at < byteLength; at += PIECE_BYTES) {
    yield new Uint8Array(buffer, byteOffset + at, Math.min(PIECE_BYTES, byteLength - at));
  }
}
