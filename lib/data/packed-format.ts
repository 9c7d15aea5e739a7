// SPDX-License-Identifier: Apache-2.0
// A packed data set: uint8 images, labels, classes and checksums in one file, as `receptive data pack` writes it.
//
//   0     8 bytes   "RCPTPACK"
//   8     uint32    version, 1                              all numbers little-endian
//   12    uint32    0
//   16    uint64    where the index begins
//   24    uint64    its length in bytes
//   32    32 bytes  SHA-256 of the index
//   4096  sections, each from a multiple of 4096 on, so that it can be mapped into memory: for each part of the set
//         images, uint8 [n, h, w, c], and labels, int32 [n]
//   then  the index, JSON: what `PackedIndex` says. The file ends with it.
import { createHash } from 'node:crypto';
import { fail } from '../errors.js';
import type { Normalization } from './dataset.js';

export const PACKED_VERSION = 1;
export const HEADER_BYTES = 64;
/** Memory is mapped in pages. */
export const ALIGNMENT = 4096;
const MAGIC = 'RCPTPACK';
/** An index names classes and parts, nothing more. */
const LARGEST_INDEX = 2 ** 26;

/** Some bytes of the file. */
export interface Section {
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface PackedPart {
  readonly length: number;
  readonly images: Section;
  readonly labels: Section;
}

export interface PackedIndex {
  readonly name: string;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** `train`, `test`, `validation`, or `all` where the set is not divided. */
  readonly parts: Readonly<Record<string, PackedPart>>;
}

/** The first bytes of a file whose index lies at `offset`. */
export function encodeHeader(index: Uint8Array, offset: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(PACKED_VERSION, 8);
  header.writeBigUInt64LE(BigInt(offset), 16);
  header.writeBigUInt64LE(BigInt(index.length), 24);
  createHash('sha256').update(index).digest().copy(header, 32);
  return header;
}

/** Where the index of a file of `size` bytes lies. Throws ERR_DATA for what is no packed data set of this version. */
export function decodeHeader(
  file: string,
  header: Uint8Array,
  size: number,
): { offset: number; length: number } {
  const refuse = refusal(file);
  const view = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (view.length < HEADER_BYTES || view.toString('latin1', 0, 8) !== MAGIC) {
    throw refuse('a packed data set', 'a file of another kind', 'make one with `receptive data pack`');
  }
  const version = view.readUInt32LE(8);
  if (version !== PACKED_VERSION || view.readUInt32LE(12) !== 0) {
    const hint =
      version > PACKED_VERSION ? 'a newer version of receptive wrote it: update this one' : undefined;
    throw refuse(`version ${PACKED_VERSION} of the format`, `version ${version}`, hint);
  }
  const offset = Number(view.readBigUInt64LE(16));
  const length = Number(view.readBigUInt64LE(24));
  if (length > LARGEST_INDEX || offset < ALIGNMENT || offset + length !== size) {
    throw refuse(`a file that ends with its index`, `${size} bytes, index of ${length} at ${offset}`, CUT);
  }
  return { offset, length };
}

const CUT = 'the file was cut off or damaged: pack it again';

function refusal(file: string) {
  return (expected: string, received: string, hint: string | undefined = CUT) =>
    fail('ERR_DATA', { op: `reading ${file}`, expected, received, hint });
}

/** Reads an index against the checksum in the header; sections end before `end`. Throws ERR_DATA. */
export function decodeIndex(file: string, header: Uint8Array, index: Uint8Array, end: number): PackedIndex {
  const refuse = refusal(file);
  if (!createHash('sha256').update(index).digest().equals(header.subarray(32, HEADER_BYTES))) {
    throw refuse('an index with its checksum', 'another');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(index));
  } catch (cause) {
    throw refuse('an index in JSON', cause instanceof Error ? cause.message : String(cause));
  }
  const wrong = wrongIn(parsed, end);
  if (wrong !== undefined) throw refuse('an index that fits its file', wrong);
  return parsed as PackedIndex;
}

/** What a right checksum does not rule out: files that were made to be wrong. */
function wrongIn(index: unknown, end: number): string | undefined {
  const { name, imageShape, classNames, normalization, parts } = Object(index) as Partial<PackedIndex>;
  if (typeof name !== 'string') return 'no name';
  const isShape = Array.isArray(imageShape) && imageShape.length === 3 && imageShape.every(isCount);
  if (!isShape) return 'no image shape';
  if (!Array.isArray(classNames) || !classNames.every((text) => typeof text === 'string'))
    return 'no classes';
  const { mean, std } = Object(normalization) as Partial<Normalization>;
  if (!Array.isArray(mean) || !Array.isArray(std)) return 'no normalisation';
  if (typeof parts !== 'object' || parts === null) return 'no parts';
  const imageSize = imageShape[0] * imageShape[1] * imageShape[2];
  for (const [part, value] of Object.entries(parts as Record<string, Partial<PackedPart>>)) {
    const { length = 0, images, labels } = Object(value) as Partial<PackedPart>;
    const fits =
      isCount(length) && isSection(images, length * imageSize, end) && isSection(labels, 4 * length, end);
    if (!fits) return `no sections for part ${part}`;
  }
  return undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isSection(section: Section | undefined, size: number, end: number): boolean {
  const { offset, bytes, sha256 } = Object(section) as Partial<Section>;
  return (
    isCount(offset) &&
    offset % ALIGNMENT === 0 &&
    bytes === size &&
    offset + size <= end &&
    typeof sha256 === 'string' &&
    sha256.length === 64
  );
}
