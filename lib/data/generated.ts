// SPDX-License-Identifier: Apache-2.0
// From a function that draws picture `index` of a series to a training and a test set. The two come from
// different streams of the random numbers, so no test picture is ever trained on, whatever the sizes.

import { describe, fail } from '../errors.js';
import { ArrayDataset, type Dataset, type Normalization, type Split } from './dataset.js';

/** How many pictures, and of which series. */
export interface SplitSizes {
  /** Any safe integer; default 1. */
  readonly seed?: number | undefined;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
}

/** A kind of picture that can be drawn without end. */
export interface PictureSeries {
  readonly name: string;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  readonly defaultTrainSize: number;
  readonly defaultTestSize: number;
  /** Draws one picture into `out` and returns its label. */
  readonly draw: (seed: number, index: number, out: Uint8Array, offset: number, stream: number) => number;
}

const TRAIN_STREAM = 0;
const TEST_STREAM = 1;
const LARGEST_ARRAY = 2 ** 32; // bytes in one typed array, on every supported Node

/**
 * Draws both sets of a series.
 *
 * @throws ERR_ARGUMENT for a seed that is not a safe integer, or a size that is not a whole number above 0
 */
export function generateSplit(series: PictureSeries, sizes: SplitSizes): Split {
  const seed = checkSeed(series.name, sizes.seed ?? 1);
  const trainSize = checkSize(series, 'trainSize', sizes.trainSize ?? series.defaultTrainSize);
  const testSize = checkSize(series, 'testSize', sizes.testSize ?? series.defaultTestSize);
  return {
    train: generate(series, seed, TRAIN_STREAM, trainSize),
    test: generate(series, seed, TEST_STREAM, testSize),
  };
}

function generate(series: PictureSeries, seed: number, stream: number, count: number): Dataset {
  const { name, imageShape, classNames, normalization } = series;
  const imageSize = bytesOf(series);
  const images = new Uint8Array(count * imageSize);
  const labels = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    labels[index] = series.draw(seed, index, images, index * imageSize, stream);
  }
  return new ArrayDataset({ name, images, labels, imageShape, classNames, normalization });
}

function bytesOf({ imageShape: [h, w, c] }: PictureSeries): number {
  return h * w * c;
}

function checkSeed(op: string, seed: number): number {
  if (Number.isSafeInteger(seed)) return seed;
  throw fail('ERR_ARGUMENT', { op, expected: 'a seed that is a safe integer', received: describe(seed) });
}

function checkSize(series: PictureSeries, what: string, count: number): number {
  const largest = Math.floor(LARGEST_ARRAY / bytesOf(series));
  if (Number.isInteger(count) && count >= 1 && count <= largest) return count;
  throw fail('ERR_ARGUMENT', {
    op: series.name,
    expected: `${what} as a whole number from 1 to ${largest}`,
    received: describe(count),
  });
}
