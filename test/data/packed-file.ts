// SPDX-License-Identifier: Apache-2.0
// A packed file of any size without pictures: images of one colour each, written piece by piece.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { encodeHeader, type PackedIndex, type Section } from '../../lib/data/packed-format.js';

/** Image `i` is full of this byte; its class is `i` modulo the classes. */
export const byteOf = (i: number) => (i * 7) % 256;

/** Writes a part with so many images. @returns the file's bytes */
export async function writePackedFile(
  path: string,
  { part = 'train', length = 8, imageShape = [4, 4, 1] as readonly [number, number, number], classes = 2 },
): Promise<number> {
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const file = await open(path, 'w');
  const imagesAt = 4096;
  const hash = createHash('sha256');
  const chunk = Math.max(1, Math.floor(2 ** 22 / size));
  const pixels = new Uint8Array(chunk * size);
  for (let first = 0; first < length; first += chunk) {
    const count = Math.min(chunk, length - first);
    for (let i = 0; i < count; i++) pixels.fill(byteOf(first + i), i * size, (i + 1) * size);
    hash.update(pixels.subarray(0, count * size));
    await file.write(pixels, 0, count * size, imagesAt + first * size);
  }
  const images: Section = { offset: imagesAt, bytes: length * size, sha256: hash.digest('hex') };
  const labels = new Uint8Array(Int32Array.from({ length }, (_, i) => i % classes).buffer);
  const labelsAt = Math.ceil((imagesAt + images.bytes) / 4096) * 4096;
  await file.write(labels, 0, labels.length, labelsAt);
  const sha256 = createHash('sha256').update(labels).digest('hex');
  const index: PackedIndex = {
    name: 'large',
    imageShape,
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    normalization: {
      mean: new Array(imageShape[2]).fill(0.5),
      std: new Array(imageShape[2]).fill(0.25),
    },
    parts: { [part]: { length, images, labels: { offset: labelsAt, bytes: labels.length, sha256 } } },
  };
  const text = Buffer.from(JSON.stringify(index));
  const indexAt = labelsAt + labels.length;
  await file.write(text, 0, text.length, indexAt);
  await file.write(encodeHeader(text, indexAt), 0, 64, 0);
  await file.close();
  return indexAt + text.length;
}
