// SPDX-License-Identifier: Apache-2.0
// The safetensors format: 8 bytes of header length, a JSON header, the elements of all tensors without gap. A file is
// data of someone else: nothing in it is believed before it is checked, and nothing in it can be run.
import { describe, fail } from '../errors.js';
import type { DType, TypedArray } from '../native/bindings.js';
import { arrayFor } from '../tensor/tensor.js';
import { HeaderSyntaxError, type HeaderValue, parseHeader, quote } from './header-json.js';
import { fromInt64, toInt64 } from './int64.js';
import { piecesOf } from './pieces.js';

/** A tensor as a file holds it. A length may be 0 here. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: TypedArray;
  /** True for an Int32Array that a file holds as 64-bit numbers (I64), as PyTorch holds counters. */
  readonly int64?: boolean;
}

/** What a file holds: tensors by name, and text by name. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A checked header: where each tensor lies. */
export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

type FileDType = DType | 'int64';

/** A tensor by its header: `begin` and `end` count bytes behind the header. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Bytes before the header. */
export const PREFIX_BYTES = 8;
/** The format's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;

const METADATA = '__metadata__';
const NAMES: Readonly<Record<FileDType, string>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
};
const DTYPES = new Map(Object.entries(NAMES).map(([dtype, name]) => [name, dtype as FileDType]));
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
};

function dtypeOf(data: TypedArray | BigInt64Array): FileDType {
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  return data instanceof Int32Array ? 'int32' : 'uint8';
}

/**
 * The bytes of a file with these tensors, in the order of the map but wider elements first, so that all lie aligned.
 *
 * Throws ERR_ARGUMENT for what is no stored tensor and for one named `__metadata__`, ERR_SHAPE where shape and elements differ.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata);
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of parts.flatMap((part) => [...piecesOf(part)])) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The same bytes in parts, one after another: the header, then the elements of each tensor where they lie. */
export function safetensorsParts(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string>,
): [header: Uint8Array, ...elements: ArrayBufferView[]] {
  for (const map of [tensors, metadata]) {
    if (map instanceof Map) continue;
    const expected = 'tensors and metadata in a Map, by name';
    throw fail('ERR_ARGUMENT', { op: 'encodeSafetensors', expected, received: describe(map) });
  }
  const ordered = [...tensors]
    .map(([name, stored]) => {
      checkStored(name, stored);
      return { name, shape: stored.shape, data: elementsOf(name, stored) };
    })
    .sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const members: string[] = [];
  const member = (name: string, value: unknown) =>
    members.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  if (metadata.size > 0) member(METADATA, Object.fromEntries(metadata));
  let end = 0;
  for (const { name, shape, data } of ordered) {
    const begin = end;
    end += data.byteLength;
    member(name, { dtype: NAMES[dtypeOf(data)], shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(PREFIX_BYTES + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(json, PREFIX_BYTES);
  return [header, ...ordered.map(({ data }) => data)];
}

function checkStored(name: unknown, stored: unknown): void {
  const { shape, data } = Object(stored) as { shape?: unknown; data?: unknown };
  const isTensor =
    Array.isArray(shape) &&
    shape.every((length) => Number.isSafeInteger(length) && length >= 0) &&
    [Float32Array, Float64Array, Int32Array, Uint8Array].some((kind) => data instanceof kind);
  if (typeof name === 'string' && isTensor) return;
  throw fail('ERR_ARGUMENT', {
    op: 'encodeSafetensors',
    expected: 'by name { shape, data }, data a Float32Array, Float64Array, Int32Array or Uint8Array',
    received: `${describe(stored)} as ${describe(name)}`,
  });
}

/** The elements as the file holds them. */
function elementsOf(name: string, { shape, data, int64 }: StoredTensor): TypedArray | BigInt64Array {
  if (name === METADATA) {
    const expected = `another name than ${METADATA}`;
    throw fail('ERR_ARGUMENT', { op: 'encodeSafetensors', expected, received: name });
  }
  if (shape.reduce((product, length) => product * length, 1) === data.length) {
    return int64 === true ? toInt64(data) : data;
  }
  throw fail('ERR_SHAPE', {
    op: 'encodeSafetensors',
    expected: `elements of [${shape.join(', ')}] for ${name}`,
    received: `${data.length}`,
  });
}

/**
 * Reads a file's bytes; the elements are copied out of them.
 *
 * @param file its name, for errors
 *
 * Throws ERR_DATA for anything but a whole, consistent file of tensors in F32, F64, I32, I64 or U8; of I64, only numbers
 * that 32 bits hold are taken.
 */
export function decodeSafetensors(bytes: Uint8Array, file = 'the bytes'): SafetensorsFile {
  if (!(bytes instanceof Uint8Array)) {
    const received = describe(bytes);
    throw fail('ERR_ARGUMENT', {
      op: 'decodeSafetensors',
      expected: 'the bytes of a file, a Uint8Array',
      received,
    });
  }
  const headerBytes = headerLength(bytes, bytes.length, file);
  const body = bytes.subarray(PREFIX_BYTES + headerBytes);
  const { entries, metadata } = decodeHeader(
    bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes),
    body.length,
    file,
  );
  const tensors = new Map<string, StoredTensor>();
  for (const entry of entries) {
    const elements = roomFor(entry);
    new Uint8Array(elements.buffer).set(body.subarray(entry.begin, entry.end));
    tensors.set(entry.name, storedTensor(entry, elements, file));
  }
  return { tensors, metadata };
}

/** Room for the elements of a tensor as the file holds them, in a buffer of their own. Throws ERR_OUT_OF_MEMORY. */
export function roomFor({ dtype, begin, end }: SafetensorsEntry): TypedArray | BigInt64Array {
  const size = (end - begin) / ARRAYS[dtype].BYTES_PER_ELEMENT;
  return dtype === 'int64' ? new BigInt64Array(arrayFor('float64', size).buffer) : arrayFor(dtype, size);
}

/** The tensor of those elements. Throws ERR_DATA for numbers of 64 bits that 32 do not hold. */
export function storedTensor(
  { name, shape }: SafetensorsEntry,
  elements: TypedArray | BigInt64Array,
  file: string,
): StoredTensor {
  if (!(elements instanceof BigInt64Array)) return { shape, data: elements };
  const data = fromInt64(elements);
  if (data === undefined) throw refuse(file, `numbers of 32 bits in ${quote(name)}`, 'a larger one');
  return { shape, data, int64: true };
}

/** The length of the header, from the first bytes of a file of `fileBytes`. */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < PREFIX_BYTES || prefix.length < PREFIX_BYTES) {
    throw refuse(file, 'at least 8 bytes', `${fileBytes}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  if (length <= MAX_HEADER_BYTES && Number(length) + PREFIX_BYTES <= fileBytes) return Number(length);
  const limit = Math.min(MAX_HEADER_BYTES, fileBytes - PREFIX_BYTES);
  throw refuse(file, `a header of at most ${limit} bytes`, `a header length of ${length}`);
}

/** Reads and checks a header in front of `bodyBytes` bytes of elements. */
export function decodeHeader(header: Uint8Array, bodyBytes: number, file: string): SafetensorsHeader {
  if (header[0] !== 0x7b) throw refuse(file, "a header that begins with '{'", describeByte(header[0]));
  let root: HeaderValue;
  try {
    root = parseHeader(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header));
  } catch (error) {
    if (error instanceof HeaderSyntaxError) throw refuse(file, 'a JSON header', error.message, error);
    throw refuse(file, 'a header in UTF-8', 'other bytes', error);
  }
  const metadata = new Map<string, string>();
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of root as ReadonlyMap<string, HeaderValue>) {
    if (name === METADATA) {
      if (!isMap(value)) throw refuse(file, `text by name in ${METADATA}`, 'something else');
      for (const [key, text] of value) {
        if (typeof text !== 'string')
          throw refuse(file, `${METADATA} ${quote(key)} to be text`, 'something else');
        metadata.set(key, text);
      }
    } else {
      entries.push(entryOf(name, value, file));
    }
  }
  checkContiguous(entries, bodyBytes, file);
  return { entries, metadata };
}

function entryOf(name: string, value: HeaderValue, file: string): SafetensorsEntry {
  const quoted = quote(name);
  const member = (key: string) => (isMap(value) ? value.get(key) : undefined);
  const [dtypeName, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map(member);
  if (!isMap(value) || value.size !== 3 || !isWhole(shape) || !isWhole(offsets) || offsets.length !== 2) {
    throw refuse(file, `dtype, shape and data_offsets for ${quoted}`, 'something else');
  }
  const dtype = typeof dtypeName === 'string' ? DTYPES.get(dtypeName) : undefined;
  if (dtype === undefined) {
    const received = typeof dtypeName === 'string' ? quote(dtypeName) : 'something else';
    throw refuse(file, `dtype of ${quoted} to be one of ${[...DTYPES.keys()].join(', ')}`, received);
  }
  const [begin, end] = offsets;
  const bytes = shape.reduce(
    (product, length) => product * length, // beyond 2^53 it rounds, to something that no range of bytes equals
    ARRAYS[dtype].BYTES_PER_ELEMENT,
  );
  if (bytes !== end - begin) {
    const expected = `${bytes} bytes for ${quoted}, ${dtypeName} ${quote(`[${shape.join(', ')}]`)}`;
    throw refuse(file, expected, `data_offsets [${begin}, ${end}]`);
  }
  return { name, dtype, shape, begin, end };
}

/** As their bytes follow each other. */
export function inPlaceOrder(entries: readonly SafetensorsEntry[]): SafetensorsEntry[] {
  return [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
}

/** From the first byte to the last, each belongs to one tensor. */
function checkContiguous(entries: readonly SafetensorsEntry[], bodyBytes: number, file: string): void {
  let reached = 0;
  for (const { name, begin, end } of inPlaceOrder(entries)) {
    if (begin !== reached) {
      const quoted = quote(name);
      throw refuse(
        file,
        `data_offsets of ${quoted} to go on at byte ${reached}, where others end`,
        `${begin}`,
      );
    }
    reached = end;
  }
  if (reached !== bodyBytes) throw refuse(file, `${reached} bytes behind the header`, `${bodyBytes}`);
}

function isMap(value: HeaderValue | undefined): value is ReadonlyMap<string, HeaderValue> {
  return value instanceof Map;
}

function isWhole(value: HeaderValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function describeByte(byte: number | undefined): string {
  return byte === undefined ? 'an empty header' : `byte ${byte}`;
}

function refuse(file: string, expected: string, received: string, cause?: unknown) {
  return fail('ERR_DATA', {
    op: `safetensors file ${file}`,
    expected,
    received,
    hint: 'the file is damaged, unfinished or of another kind',
    cause,
  });
}
