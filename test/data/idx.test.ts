// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseIdx, unpack } from '../../lib/data/idx.js';
import { idxFile } from './idx-file.js';

const images = { file: 'images', rank: 3 };
const labels = { file: 'labels', rank: 1 };
const error = (message: RegExp) =>
  expect.objectContaining({ code: 'ERR_DATA', message: expect.stringMatching(message) });

describe('parseIdx', () => {
  it('reads shape and values', () => {
    const { shape, data } = parseIdx(idxFile([2, 1, 3], [1, 2, 3, 4, 5, 6]), images);
    expect(shape).toEqual([2, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads a view that does not start at its buffer', () => {
    const file = idxFile([2], [8, 9]);
    const padded = new Uint8Array(file.length + 5);
    padded.set(file, 5);
    expect([...parseIdx(padded.subarray(5), labels).data]).toEqual([8, 9]);
  });

  const whole = idxFile([2, 1, 3], [1, 2, 3, 4, 5, 6]);
  const changed = (at: number, value: number) => whole.map((old, i) => (i === at ? value : old));
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /at least 4 bytes.*0 bytes/],
    ['a magic number cut short', whole.subarray(0, 3), /3 bytes/],
    ['another magic number', Buffer.from('PNG!'), /two zero bytes.*50 4e 47 21/],
    ['a web page', Buffer.from('<html>not found</html>'), /3c 68.*web page/],
    ['floats', changed(2, 0x0d), /uint8.*0x0d \(float32\)/],
    ['an unknown type', changed(2, 0x77), /0x77 \(unknown\)/],
    ['labels in place of images', idxFile([2], [1, 2]), /3 dimensions.*received 1.*swapped/],
    ['a header cut short', whole.subarray(0, 14), /header of 16 bytes.*14 bytes/],
    ['values cut short', whole.subarray(0, whole.length - 1), /22 bytes.*21 bytes, too few.*cut off/],
    ['bytes behind the values', Buffer.concat([whole, Buffer.of(0)]), /22 bytes.*23 bytes, too many/],
    ['a dimension of 0', idxFile([0, 28, 28], []), /above 0.*\[0, 28, 28\]/],
    ['dimensions whose product overflows', idxFile([2 ** 31, 2 ** 31, 4], []), /at most 1073741824 values/],
  ])('refuses %s, naming the file', (_, bytes, message) => {
    expect(() => parseIdx(bytes, images)).toThrow(error(message));
    expect(() => parseIdx(bytes, images)).toThrow(/^reading images: /);
  });

  it('refuses images in place of labels', () => {
    expect(() => parseIdx(whole, labels)).toThrow(error(/1 dimension, received 3/));
  });
});

describe('unpack', () => {
  const contents = Uint8Array.from({ length: 1000 }, (_, i) => i % 7);
  const packed = gzipSync(contents);

  it('unpacks gzip and leaves the rest alone', async () => {
    expect(Buffer.from(await unpack(packed, 'f')).equals(contents)).toBe(true);
    expect(await unpack(contents, 'f')).toBe(contents);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a stream cut short', packed.subarray(0, packed.length - 9), /whole gzip stream.*unexpected end/],
    ['a stream of two bytes', packed.subarray(0, 2), /whole gzip stream/],
    ['a wrong checksum', packed.map((b, i) => (i === packed.length - 6 ? b ^ 1 : b)), /incorrect data check/],
    ['zeros behind the stream', Buffer.concat([packed, Buffer.alloc(3)]), /nothing behind it.*3 more bytes/],
    ['bytes behind the stream', Buffer.concat([packed, Buffer.from('xyz')]), /incorrect header check/],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(unpack(bytes, 'f')).rejects.toThrow(error(message));
  });

  it('stops at the cap, whatever the stream would grow to', async () => {
    await expect(unpack(packed, 'f', 999)).rejects.toThrow(error(/at most 999 bytes.*received more/));
    expect((await unpack(packed, 'f', 1000)).length).toBe(1000);
  });
});
