// SPDX-License-Identifier: Apache-2.0
// From a function that draws picture `index` of a series to a training and a test set. The two come from
// different streams of the random numbers, so no test picture is ever trained on, whatever the sizes.

import { setImmediate } from 'node:timers/promises';
import { checkOptions, describe, fail } from '../errors.js';
import { ArrayDataset, type Dataset, type Normalization, type Split } from './dataset.js';

/** How many pictures, and of which series. */
export interface SplitSizes {
  /** Any safe integer; default 1. */
  readonly seed?: number | undefined;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
}

/** How far a set is drawn: pictures of both its parts. */
export interface DrawProgress {
  readonly name: string;
  readonly drawn: number;
  readonly total: number;
}

/** How to draw without blocking. */
export interface DrawOptions extends SplitSizes {
  readonly signal?: AbortSignal | undefined;
  /** About every 10 ms, and at the end. */
  readonly onDraw?: ((progress: DrawProgress) => void) | undefined;
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
const SLICE = 128; // pictures between two turns of the event loop, about 10 ms

/**
 * Draws both sets of a series.
 *
 * @throws ERR_ARGUMENT for a seed that is not a safe integer, or a size that is not a whole number above 0
 */
export function generateSplit(series: PictureSeries, sizes: SplitSizes): Split {
  const [train, test] = blankSheets(series, sizes);
  drawTo(train, train.labels.length);
  drawTo(test, test.labels.length);
  return { train: toDataset(train), test: toDataset(test) };
}

/**
 * `generateSplit` in slices of a few milliseconds, so that a server keeps answering meanwhile. The same pictures.
 *
 * @throws ERR_ARGUMENT as `generateSplit`; ERR_ABORTED when the signal said so; what `onDraw` throws
 */
export async function drawSplit(
  series: PictureSeries,
  { signal, onDraw, ...sizes }: DrawOptions,
): Promise<Split> {
  const [train, test] = blankSheets(series, sizes);
  const total = train.labels.length + test.labels.length;
  for (const sheets of [train, test]) {
    while (sheets.drawn < sheets.labels.length) {
      drawTo(sheets, Math.min(sheets.drawn + SLICE, sheets.labels.length));
      onDraw?.({ name: series.name, drawn: train.drawn + test.drawn, total });
      await setImmediate();
      if (!signal?.aborted) continue;
      throw fail('ERR_ABORTED', {
        op: series.name,
        expected: 'to run to the end',
        received: 'an abort signal',
      });
    }
  }
  return { train: toDataset(train), test: toDataset(test) };
}

/** A set that is being drawn: pictures before `drawn` are there. */
interface Sheets {
  readonly series: PictureSeries;
  readonly seed: number;
  readonly stream: number;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  drawn: number;
}

function blankSheets(series: PictureSeries, sizes: SplitSizes): [train: Sheets, test: Sheets] {
  checkOptions(series.name, sizes, ['seed', 'trainSize', 'testSize']);
  const seed = checkSeed(series.name, sizes.seed ?? 1);
  const trainSize = checkSize(series, 'trainSize', sizes.trainSize ?? series.defaultTrainSize);
  const testSize = checkSize(series, 'testSize', sizes.testSize ?? series.defaultTestSize);
  const blank = (stream: number, count: number): Sheets => ({
    series,
    seed,
    stream,
    images: new Uint8Array(count * bytesOf(series)),
    labels: new Int32Array(count),
    drawn: 0,
  });
  return [blank(TRAIN_STREAM, trainSize), blank(TEST_STREAM, testSize)];
}

function drawTo(sheets: Sheets, end: number): void {
  const { series, seed, stream, images, labels } = sheets;
  const imageSize = bytesOf(series);
  for (; sheets.drawn < end; sheets.drawn++) {
    labels[sheets.drawn] = series.draw(seed, sheets.drawn, images, sheets.drawn * imageSize, stream);
  }
}

function toDataset({ series, images, labels }: Sheets): Dataset {
  const { name, imageShape, classNames, normalization } = series;
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
