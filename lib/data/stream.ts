// SPDX-License-Identifier: Apache-2.0
// Samples that come one after another: what a stream of them is, and what is checked of each item before a step sees it.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import { checkClassNames, checkImageShape, checkNormalization, type Normalization } from './dataset.js';

/** One labelled image, `[h, w, c]`, of bytes or floats. */
export interface StreamSample {
  readonly image: Uint8Array | Float32Array;
  readonly label: number;
  /** `[h, w, c]`: of the first item, where nothing else says it. */
  readonly shape?: readonly [number, number, number] | undefined;
}

/** Several, of any number: `[n, h, w, c]` and `[n]`. */
export interface StreamBatch {
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array | Uint8Array | readonly number[];
  /** `[h, w, c]` of each: of the first item, where nothing else says it. */
  readonly shape?: readonly [number, number, number] | undefined;
}

export type StreamItem = StreamSample | StreamBatch;

/** An iterable of samples or batches, such as an async generator or a Node stream in object mode. */
export type SampleSource = AsyncIterable<StreamItem> | Iterable<StreamItem>;

/** One, or a function that opens one for each epoch, the first being 0. */
export type StreamSource = SampleSource | ((epoch: number) => SampleSource);

/** What a `StreamDataset` is made of. */
export interface StreamDatasetOptions {
  readonly source: StreamSource;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** As for `ArrayDataset`. */
  readonly normalization?: Normalization | undefined;
  readonly name?: string | undefined;
  /**
   * Samples an epoch. The next one goes on where it ended, so a source may be endless; one that has ended is opened anew. Default: an
   * epoch ends with the source.
   */
  readonly length?: number | undefined;
  /**
   * Samples that are held ahead of the steps at most, besides the item under way; at least three batches, for a batch is filled
   * while others are run. Default: as many as take about 8 MiB.
   */
  readonly buffer?: number | undefined;
}

/**
 * Labelled images that come one after another, from a disk, a network or a generator, for `fit` alone. They are trained on in
 * the order in which they come. The source is asked for no more than `buffer` holds (back-pressure), and is told (`return`,
 * which destroys a Node stream) when the training ends before it.
 *
 * Throws ERR_ARGUMENT or ERR_SHAPE for parts that do not fit.
 */
export class StreamDataset {
  readonly name: string;
  readonly source: StreamSource;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  readonly length: number | undefined;
  readonly buffer: number | undefined;

  constructor(options: StreamDatasetOptions) {
    const op = 'StreamDataset';
    checkOptions(op, options, [
      'source',
      'imageShape',
      'classNames',
      'normalization',
      'name',
      'length',
      'buffer',
    ]);
    const { source, name = 'stream', length, buffer } = options;
    if (!isSource(source)) {
      const expected = 'source to be an iterable of samples or batches, or a function that opens one';
      throw fail('ERR_ARGUMENT', { op, expected, received: describe(source) });
    }
    if (typeof name !== 'string') {
      throw fail('ERR_ARGUMENT', { op, expected: 'name to be text', received: describe(name) });
    }
    if (length !== undefined) checkWhole(op, 'length', length);
    if (buffer !== undefined) checkWhole(op, 'buffer', buffer);
    this.name = name;
    this.source = source;
    this.imageShape = checkImageShape(op, options.imageShape);
    this.classNames = checkClassNames(op, options.classNames);
    this.normalization = checkNormalization(op, options.normalization, this.imageShape[2]);
    this.length = length;
    this.buffer = buffer;
    Object.freeze(this);
  }
}

/** Whether something is a stream rather than a data set: an iterable, a function, or a `StreamDataset`. */
export function isStream(value: unknown): value is StreamDataset | StreamSource {
  if (value instanceof StreamDataset) return true;
  const isOther = Array.isArray(value) || ArrayBuffer.isView(value) || 'dataset' in Object(value); // a DataLoader
  return isSource(value) && !isOther;
}

function isSource(value: unknown): value is StreamSource {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** An item as rows. */
export interface Rows {
  readonly images: Uint8Array | Float32Array;
  readonly labels: ArrayLike<number>;
}

/** What items are held against. */
export interface ItemForm {
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  readonly dtype: 'uint8' | 'float32';
}

/** The dtype of the first item's images. Throws what `rowsOfItem` throws. */
export function dtypeOfItem(item: unknown): 'uint8' | 'float32' {
  return partsOf(item, 'the first item').images instanceof Uint8Array ? 'uint8' : 'float32';
}

/** The shape that an item says its images have. Throws ERR_ARGUMENT where it says none. */
export function shapeOfItem(item: unknown): readonly [number, number, number] {
  partsOf(item, 'the first item');
  const { shape } = item as { readonly shape?: unknown };
  if (shape !== undefined) return checkImageShape('fit', shape);
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: 'shape [h, w, c] in the first item of a stream',
    received: 'none',
    hint: 'give it there, or give fit a StreamDataset with imageShape and classNames',
  });
}

/**
 * An item of a source as rows, checked.
 *
 * @param where in words, for errors: the source and the number of its first sample
 *
 * Throws ERR_ARGUMENT, ERR_DTYPE, ERR_SHAPE; ERR_DATA for a label that has no class.
 */
export function rowsOfItem(item: unknown, { imageShape, classes, dtype }: ItemForm, where: string): Rows {
  const { images, labels } = partsOf(item, where);
  const found = images instanceof Uint8Array ? 'uint8' : 'float32';
  if (found !== dtype) {
    const expected = `${dtype} images, as the first item has, in ${where}`;
    throw fail('ERR_DTYPE', { op: 'fit', expected, received: found });
  }
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  if (images.length !== size * labels.length || labels.length === 0) {
    throw fail('ERR_SHAPE', {
      op: 'fit',
      expected: `${size} values of [${imageShape.join(', ')}] for each of ${labels.length} labels in ${where}`,
      received: `${images.length} values`,
      hint: images.length === 0 ? 'was its buffer transferred (detached)?' : undefined,
    });
  }
  for (let i = 0; i < labels.length; i++) {
    const label: unknown = labels[i];
    if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes) continue;
    throw fail('ERR_DATA', {
      op: 'fit',
      expected: `labels from 0 to ${classes - 1} in ${where}`,
      received: describe(label),
    });
  }
  return { images, labels };
}

function partsOf(item: unknown, where: string): Rows {
  const { image, label, images, labels } = Object(item) as Partial<StreamSample & StreamBatch>;
  if (isPixels(image) && typeof label === 'number') return { images: image, labels: [label] };
  const isList = labels instanceof Int32Array || labels instanceof Uint8Array || Array.isArray(labels);
  if (isPixels(images) && isList) return { images, labels };
  const isBytes = item instanceof Uint8Array;
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: `{ image, label } or { images, labels }, images a Uint8Array or Float32Array, as ${where}`,
    received: describe(item),
    hint: isBytes ? 'a Node stream must be in object mode' : undefined,
  });
}

function isPixels(value: unknown): value is Uint8Array | Float32Array {
  return value instanceof Uint8Array || value instanceof Float32Array;
}
