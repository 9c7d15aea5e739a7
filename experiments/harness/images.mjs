// SPDX-License-Identifier: Apache-2.0
// Data sets made of others, image by image.
import { ArrayDataset } from 'receptive';
import { seededRandom } from '../../bench/harness/statistics.mjs';

/**
 * The pictures of a data set on a larger sheet, moved by whole pixels; what is beyond the edges is 0, and what leaves is lost.
 *
 * @param {import('receptive').Dataset} dataset of bytes
 * @param {{ border?: number, right?: number, down?: number }} place `border` pixels are added on each side
 */
export function placed(dataset, { border = 0, right = 0, down = 0 }) {
  const [height, width, channels] = dataset.imageShape;
  const [sheetHeight, sheetWidth] = [height + 2 * border, width + 2 * border];
  const images = new Uint8Array(dataset.length * sheetHeight * sheetWidth * channels);
  const [firstX, lastX] = inside(border + right, width, sheetWidth);
  for (let i = 0; i < dataset.length; i++) {
    for (let y = 0; y < height; y++) {
      const row = border + down + y;
      if (row < 0 || row >= sheetHeight) continue;
      const from = ((i * height + y) * width + firstX) * channels;
      const to = ((i * sheetHeight + row) * sheetWidth + border + right + firstX) * channels;
      images.set(dataset.images.subarray(from, from + (lastX - firstX) * channels), to);
    }
  }
  return withImages(dataset, images, [sheetHeight, sheetWidth, channels]);
}

/** The first and one behind the last column that land on the sheet. */
function inside(offset, width, sheetWidth) {
  return [Math.max(0, -offset), Math.min(width, sheetWidth - offset)];
}

/** The same labels for other images; or other labels for as many of them. */
export function withImages(dataset, images, imageShape = dataset.imageShape, labels = dataset.labels) {
  const { name, classNames, normalization } = dataset;
  return new ArrayDataset({ name, images, labels, imageShape, classNames, normalization });
}

/** The same pictures, whose pixels come to the model otherwise. */
export function withNormalization(dataset, normalization) {
  const { name, images, labels, imageShape, classNames } = dataset;
  return new ArrayDataset({ name, images, labels, imageShape, classNames, normalization });
}

/** Several sets of one kind behind each other. */
export function joined(datasets) {
  const [first] = datasets;
  const images = new Uint8Array(datasets.reduce((total, set) => total + set.images.length, 0));
  const labels = new Int32Array(datasets.reduce((total, set) => total + set.length, 0));
  let pixel = 0;
  let sample = 0;
  for (const set of datasets) {
    images.set(set.images, pixel);
    labels.set(set.labels, sample);
    pixel += set.images.length;
    sample += set.length;
  }
  return withImages(first, images, first.imageShape, labels);
}

/**
 * The pictures behind squares cut from the middles of others of the set, at random places; the brighter pixel shows.
 *
 * @param {import('receptive').Dataset} dataset of bytes, one channel
 * @param {{ squares: number, side: number, seed: number }} clutter
 */
export function cluttered(dataset, { squares, side, seed }) {
  const [height, width] = dataset.imageShape;
  const uniform = seededRandom(seed);
  const below = (count) => Math.floor(uniform() * count);
  const images = Uint8Array.from(dataset.images);
  for (let i = 0; i < dataset.length; i++) {
    for (let square = 0; square < squares; square++) {
      const other = below(dataset.length);
      const [fromX, fromY] = [width, height].map(
        (length) => Math.floor(length / 4) + below(length / 2 - side + 2),
      );
      const [toX, toY] = [width, height].map((length) => below(length - side + 1));
      for (let y = 0; y < side; y++) {
        const from = (other * height + fromY + y) * width + fromX;
        const to = (i * height + toY + y) * width + toX;
        for (let x = 0; x < side; x++) images[to + x] = Math.max(images[to + x], dataset.images[from + x]);
      }
    }
  }
  return withImages(dataset, images);
}
