// SPDX-License-Identifier: Apache-2.0
// Writes pictures for the tests, good ones and bad ones.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';

export type Format = 'jpeg' | 'png' | 'webp';

/** A picture of one colour with a dark corner. */
export async function picture(
  format: Format,
  {
    width = 8,
    height = 6,
    colour = [200, 100, 50],
  }: { width?: number; height?: number; colour?: number[] } = {},
): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = i < 9 ? 10 : colour[i % 3];
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  if (format === 'jpeg') return image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  return format === 'png' ? image.png().toBuffer() : image.webp({ lossless: true }).toBuffer();
}

export const colours = { red: [220, 30, 30], 'sky blue': [90, 160, 230], 緑: [30, 200, 60] };

/** Three classes of three pictures, in all formats. */
export async function three(under = ''): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const [name, colour] of Object.entries(colours)) {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      files[`${under}${name}/a picture.${format}`] = await picture(format, { colour });
    }
  }
  return files;
}

/** Writes files by path, and the folders above them. */
export async function writeTree(root: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
}

/** A chunk of a PNG file, with its checksum. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(~crc >>> 0);
  return Buffer.concat([length, body, sum]);
}

/** A PNG whose header claims a size; the pixels of a large one are missing. */
export function pngFile(
  width: number,
  height: number,
  { depth = 8, type = 2, extra = [] as Buffer[] } = {},
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, 0], 8);
  const channels = { 0: 1, 2: 3, 6: 4 }[type] ?? 1;
  const line = 1 + (width * channels * depth) / 8;
  const rows = Math.min(height, 64);
  const pixels = Buffer.alloc(width > 1000 ? 10 : line * rows, 128);
  if (width <= 1000) for (let row = 0; row < rows; row++) pixels[row * line] = 0; // no filter
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    ...extra,
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}
