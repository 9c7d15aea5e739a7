// SPDX-License-Identifier: Apache-2.0
// Small pictures as PNG files (https://www.w3.org/TR/png-3/), without any library: eight bits, grey or colour, no filter.
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const GREY = 0;
const COLOUR = 2;

/**
 * The bytes of a PNG file.
 *
 * @param pixels `[height, width, channels]`, of 1 or 3 channels
 */
export function encodePng(pixels: Uint8Array, height: number, width: number): Buffer {
  const channels = pixels.length / (height * width);
  const rowBytes = width * channels;
  const rows = Buffer.alloc(height * (1 + rowBytes)); // each row begins with its filter, 0 for none
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), y * (1 + rowBytes) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 1 ? GREY : COLOUR, 0, 0, 0], 8);
  const end = Buffer.alloc(0);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', end),
  ]);
}

/** Length, type, data, checksum of type and data. */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** Larger sides are shrunk by leaving out pixels. */
const LARGEST_SIDE = 256;

/**
 * An image of a data set as a PNG file: 3 channels are colours, of others the first is grey. Numbers that are no bytes are spread
 * from the least to the greatest of the image.
 *
 * @param image `[h, w, c]`
 */
export function pngOf(
  image: Uint8Array | Float32Array,
  [h, w, c]: readonly [number, number, number],
): Buffer {
  const stride = Math.ceil(Math.max(h, w) / LARGEST_SIDE);
  const [height, width, channels] = [Math.ceil(h / stride), Math.ceil(w / stride), c === 3 ? 3 : 1];
  const toByte = image instanceof Uint8Array ? (value: number) => value : spread(image);
  const pixels = new Uint8Array(height * width * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * stride * w + x * stride) * c;
      for (let k = 0; k < channels; k++) pixels[to++] = toByte(image[from + k]);
    }
  }
  return encodePng(pixels, height, width);
}

function spread(image: Float32Array): (value: number) => number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of image) {
    if (value < low) low = value;
    if (value > high && value < Infinity) high = value;
  }
  const scale = high > low ? 255 / (high - low) : 0;
  return (value) => Math.max(0, Math.min(255, Math.round((value - low) * scale))) || 0;
}
