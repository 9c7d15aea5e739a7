// SPDX-License-Identifier: Apache-2.0
// The format itself: what is written can be read, and nothing that lies is believed.
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  type SafetensorsFile,
  type StoredTensor,
} from '../../lib/io/safetensors.js';
import { openTensors } from '../../lib/io/safetensors-reader.js';
import { bytesSource } from '../helpers/bytes-source.js';
import { refused, refusedLater } from '../helpers/refused.js';

/** A file with this header, whatever it says, and this many bytes behind it. */
function fileOf(header: string | Uint8Array, bodyBytes = 0, headerLength?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + bodyBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const good = new Map<string, StoredTensor>([
  ['conv.weight', { shape: [2, 1, 3], data: Float32Array.of(1, -2.5, 3, NaN, Infinity, -0) }],
  ['bytes', { shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['doubles', { shape: [1, 2], data: Float64Array.of(Math.PI, 5e-324) }],
  ['whole', { shape: [2], data: Int32Array.of(-(2 ** 31), 7) }],
  ['scalar', { shape: [], data: Float32Array.of(4) }],
  ['empty', { shape: [0, 3], data: new Float32Array(0) }],
]);
const notes = new Map([
  ['format', 'receptive'],
  ['__proto__', 'a name like any other'],
  ['text', 'quotes " and \\, newline \n, 北京, 🙂'],
]);

function expectSame(file: SafetensorsFile): void {
  expect(file.tensors.size).toBe(good.size);
  for (const [name, { shape, data }] of good) {
    const read = file.tensors.get(name);
    expect(read?.shape).toEqual(shape);
    expect(read?.data.constructor).toBe(data.constructor);
    expect(Buffer.from(read!.data.buffer)).toEqual(Buffer.from(data.buffer));
  }
}

describe('encode and decode', () => {
  it('keep every bit of every dtype, and every character', () => {
    const file = decodeSafetensors(encodeSafetensors(good, notes));
    expectSame(file);
    expect(file.metadata).toEqual(notes);
  });

  it('take a Buffer out of a larger one', () => {
    const bytes = encodeSafetensors(good, notes);
    const pool = Buffer.alloc(bytes.length + 10, 0xee);
    pool.set(bytes, 3);
    const view = pool.subarray(3, 3 + bytes.length);
    const file = decodeSafetensors(view);
    view.fill(0); // what was read does not change with the bytes it came from
    expectSame(file);
  });

  it('write a header padded to 8 bytes and aligned elements', () => {
    const bytes = encodeSafetensors(good, notes);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header['conv.weight']).toEqual({ dtype: 'F32', shape: [2, 1, 3], data_offsets: [16, 40] });
    expect(header.doubles.data_offsets).toEqual([0, 16]);
  });

  it('read an empty file of no tensors, and one with only metadata', () => {
    expect(decodeSafetensors(fileOf('{}')).tensors.size).toBe(0);
    expect(decodeSafetensors(encodeSafetensors(new Map())).tensors.size).toBe(0);
    expect(decodeSafetensors(fileOf('{"__metadata__":{"a":"b"}}   ')).metadata.get('a')).toBe('b');
  });

  it('read names that mean something to JavaScript as names', () => {
    const entry = '{"dtype":"U8","shape":[1],"data_offsets":';
    const { tensors } = decodeSafetensors(
      fileOf(`{"__proto__":${entry}[0,1]},"constructor":${entry}[1,2]}}`, 2),
    );
    expect([...tensors.keys()]).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false);
  });

  it('read members in any order, with spaces, escapes and unsorted offsets', () => {
    const { tensors } = decodeSafetensors(
      fileOf(
        '{ "b" : { "data_offsets" : [ 1 , 2 ] ,\n"shape":[1], "dtype":"U8"},"\\u0061":{"dtype":"U8","shape":[1,1],"data_offsets":[0,1]}}',
        2,
      ),
    );
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['b', [1]],
      ['a', [1, 1]],
    ]);
  });

  it('refuse to write what could not be read', () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    expect(refused(() => encodeSafetensors(new Map([['__metadata__', one]]))).code).toBe('ERR_ARGUMENT');
    expect(refused(() => encodeSafetensors(new Map([['a', { ...one, shape: [2] }]]))).code).toBe('ERR_SHAPE');
  });
});

describe('a damaged file', () => {
  const solid = new Map([...good].filter(([name]) => name !== 'empty')); // whose other length may be anything
  const bytes = encodeSafetensors(solid, notes);
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));

  it('is refused at every length but its own', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(refused(() => decodeSafetensors(bytes.subarray(0, length), 'cut')).code, `${length}`).toBe(
        'ERR_DATA',
      );
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(refused(() => decodeSafetensors(longer)).code).toBe('ERR_DATA');
  });

  it('with any one bit of its header flipped is refused, or differs in names and text only', () => {
    const elementsOf = ({ tensors }: SafetensorsFile) =>
      [...tensors.values()]
        .map(({ shape, data }) => `${shape} ${Buffer.from(data.buffer).toString('hex')}`)
        .join();
    const expected = elementsOf(decodeSafetensors(bytes));
    const outcomes = { refused: 0, harmless: 0 };
    for (let at = 0; at < headerEnd; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[at] ^= 1 << bit;
        let file: SafetensorsFile;
        try {
          file = decodeSafetensors(flipped);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_DATA', name: 'ReceptiveError' });
          outcomes.refused++;
          continue;
        }
        outcomes.harmless++;
        expect(elementsOf(file), `bit ${bit} of byte ${at}`).toBe(expected);
      }
    }
    expect(outcomes.refused).toBeGreaterThan(outcomes.harmless);
    expect(outcomes.harmless).toBeGreaterThan(0);
  });
});

describe('a lying header', () => {
  const entry = (dtype: string, shape: string, offsets: string) =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
  const f32 = (shape: string, offsets: string) => entry('F32', shape, offsets);
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a length alone', fileOf('')],
    ['a length beyond the file', fileOf('{}', 0, 3n)],
    ['the largest length there is', fileOf('{}', 0, 2n ** 64n - 1n)],
    ['a length that is 2 in its lower half', fileOf('{}', 0, 2n ** 32n + 2n)],
    ['a header above 100 MB', fileOf('{}', 0, 100_000_001n)],
    ['a space before the header', fileOf(' {}')],
    ['a byte order mark', fileOf('\ufeff{}')],
    ['an array', fileOf('[]')],
    ['no JSON', fileOf('{')],
    ['text behind the header', fileOf('{} {}')],
    ['a zero byte behind the header', fileOf('{}\0')],
    ['a newline as padding', fileOf('{}\n')],
    ['a comma too many', fileOf('{"__metadata__":{},}')],
    ['bytes that are not UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))],
    ['a lone surrogate', fileOf('{"__metadata__":{"a":"\\ud800"}}')],
    ['a line break in a string', fileOf('{"__metadata__":{"a":"\n"}}')],
    ['an escape that does not exist', fileOf('{"__metadata__":{"a":"\\x41"}}')],
    ['a string without end', fileOf('{"a')],
    ['a string that ends in a backslash', fileOf('{"a\\')],
    ['metadata that is a list', fileOf('{"__metadata__":[]}')],
    ['metadata that is text', fileOf('{"__metadata__":"a"}')],
    ['metadata with a number', fileOf('{"__metadata__":{"a":1}}')],
    ['metadata with null', fileOf('{"__metadata__":{"a":null}}')],
    ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}')],
    ['a metadata name twice', fileOf('{"__metadata__":{"a":"b","a":"c"}}')],
    ['a tensor twice', fileOf(`{"a":${f32('[1]', '[0,4]')},"a":${f32('[1]', '[0,4]')}}`, 4)],
    [
      'a tensor twice, once escaped',
      fileOf(`{"a":${f32('[1]', '[0,4]')},"\\u0061":${f32('[1]', '[4,8]')}}`, 8),
    ],
    ['__proto__ twice', fileOf(`{"__proto__":${f32('[1]', '[0,4]')},"__proto__":${f32('[1]', '[0,4]')}}`, 4)],
    ['shape twice', fileOf('{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1)],
    ['a tensor that is a number', fileOf('{"a":1}')],
    ['a tensor that is null', fileOf('{"a":null}')],
    ['no dtype', fileOf('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4)],
    ['no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4)],
    ['no offsets', fileOf('{"a":{"dtype":"F32","shape":[1]}}', 4)],
    ['a member too many', fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":"y"}}', 1)],
    ['three offsets', fileOf(`{"a":${f32('[1]', '[0,4,4]')}}`, 4)],
    ['a dtype in lower case', fileOf(`{"a":${entry('f32', '[1]', '[0,4]')}}`, 4)],
    ['bfloat16', fileOf(`{"a":${entry('BF16', '[2]', '[0,4]')}}`, 4)],
    ['a dtype of Object.prototype', fileOf(`{"a":${entry('toString', '[2]', '[0,4]')}}`, 4)],
    ['a dtype that is a number', fileOf('{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}', 4)],
    ['a shape of text', fileOf(`{"a":${f32('["1"]', '[0,4]')}}`, 4)],
    ['a nested shape', fileOf(`{"a":${f32('[[1]]', '[0,4]')}}`, 4)],
    ['a negative length', fileOf(`{"a":${f32('[-1]', '[0,4]')}}`, 4)],
    ['a fraction', fileOf(`{"a":${f32('[1.0]', '[0,4]')}}`, 4)],
    ['an exponent', fileOf(`{"a":${f32('[1e0]', '[0,4]')}}`, 4)],
    ['a leading zero', fileOf(`{"a":${f32('[01]', '[0,4]')}}`, 4)],
    ['an offset beyond 2^53', fileOf(`{"a":${f32('[1]', '[0,9007199254740993]')}}`, 4)],
    ['a product beyond 2^64', fileOf(`{"a":${f32('[4294967296,4294967296]', '[0,4]')}}`, 4)],
    ['a product that wraps to 4 in 64 bits', fileOf(`{"a":${f32('[4611686018427387905]', '[0,4]')}}`, 4)],
    ['a product of infinity and 0', fileOf(`{"a":${f32(`[${'9007199254740991,'.repeat(30)}0]`, '[0,0]')}}`)],
    ['fewer bytes than the shape', fileOf(`{"a":${f32('[2]', '[0,4]')}}`, 4)],
    ['more bytes than the shape', fileOf(`{"a":${f32('[1]', '[0,8]')}}`, 8)],
    ['offsets backwards', fileOf(`{"a":${f32('[1]', '[4,0]')}}`, 4)],
    ['a gap at the start', fileOf(`{"a":${f32('[1]', '[4,8]')}}`, 8)],
    ['a gap between', fileOf(`{"a":${f32('[1]', '[0,4]')},"b":${f32('[1]', '[8,12]')}}`, 12)],
    ['an overlap', fileOf(`{"a":${f32('[2]', '[0,8]')},"b":${f32('[1]', '[4,8]')}}`, 8)],
    ['two tensors in one place', fileOf(`{"a":${f32('[1]', '[0,4]')},"b":${f32('[1]', '[0,4]')}}`, 4)],
    [
      'an empty tensor in the middle of another',
      fileOf(`{"a":${f32('[2]', '[0,8]')},"b":${f32('[0]', '[4,4]')}}`, 8),
    ],
    ['bytes of no tensor', fileOf(`{"a":${f32('[1]', '[0,4]')}}`, 5)],
    ['a body that is too short', fileOf(`{"a":${f32('[1]', '[0,4]')}}`, 3)],
    ['a thousand brackets', fileOf(`{"a":${'['.repeat(1000)}`)],
    ['a million brackets', fileOf(`{"a":${'['.repeat(1_000_000)}`)],
  ];

  it.each(cases)('%s', async (_, bytes) => {
    const error = refused(() => decodeSafetensors(bytes, 'model.safetensors'));
    const again = await refusedLater(openTensors(bytesSource(bytes), 'model.safetensors'));
    expect(again.message).toBe(error.message);
    expect(error.code).toBe('ERR_DATA');
    expect(error.op).toBe('safetensors file model.safetensors');
    expect(error.message.length).toBeLessThan(500);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  it('is refused for its length before anyone reads it', () => {
    const prefix = fileOf('', 0, 100_000_001n);
    expect(refused(() => headerLength(prefix, 2 ** 30, 'large')).expected).toBe(
      'a header of at most 100000000 bytes',
    );
    expect(headerLength(fileOf('', 0, 100_000_000n), 2 ** 30, 'large')).toBe(100_000_000);
  });

  it('is refused for its depth before the stack overflows', () => {
    const error = refused(() => decodeSafetensors(fileOf(`{"a":${'['.repeat(1000)}`)));
    expect(error.received).toContain('at most 8 levels');
  });

  it('cannot fill an error with its own text', () => {
    const long = 'a\\n'.repeat(100_000);
    for (const header of [
      `{"${long}":1}`,
      `{"a":${entry(long, '[1]', '[0,4]')}}`,
      `{"__metadata__":{"${long}":1}}`,
      `{"${long}":1,"${long}":2}`,
      `{"${long}":${f32('[1]', '[4,8]')}}`,
      `{"a":${f32(`[${'1,'.repeat(100_000)}2]`, '[0,4]')}}`,
    ]) {
      const { message } = refused(() => decodeSafetensors(fileOf(header, 8)));
      expect(message.length).toBeLessThan(500);
      expect(message).not.toContain('\n');
    }
  });

  it('is answered in words', () => {
    const text = refused(() =>
      decodeSafetensors(fileOf(`{"a":${entry('BF16', '[2]', '[0,4]')}}`, 4), 'w.st'),
    ).message;
    expect(text).toMatch(
      /^safetensors file w\.st: expected dtype of a to be one of F32, F64, I32, I64, U8, received BF16/,
    );
  });

  it('of a megabyte of names and one of brackets takes no time worth speaking of', () => {
    const start = performance.now();
    const names = Array.from({ length: 40_000 }, (_, i) => `"${i}":${entry('U8', '[0]', '[0,0]')}`);
    expect(decodeSafetensors(fileOf(`{${names.join(',')}}`)).tensors.size).toBe(40_000);
    expect(refused(() => decodeSafetensors(fileOf(`{"${'\\\\'.repeat(500_000)}`))).code).toBe('ERR_DATA');
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
