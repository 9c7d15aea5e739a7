// SPDX-License-Identifier: Apache-2.0
// What a data set is to the rest of the library: images in one typed array, labels in another, checked once.
// Images of bytes stay bytes until a batch is made of them, so that a set takes a quarter of the memory.

import { describe, fail } from '../errors.js';

/** How pixels become network input, per channel: (value - mean) / std; bytes are divided by 255 first. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Labelled images of one size. */
export interface Dataset {
  readonly name: string;
  readonly length: number;
  /** `[h, w, c]` of each image. */
  readonly imageShape: readonly [number, number, number];
  /** What each label means; its length is the number of classes. */
  readonly classNames: readonly string[];
  /** `[n, h, w, c]`, row-major. */
  readonly images: Uint8Array | Float32Array;
  /** `[n]`, each from 0 to `classNames.length - 1`. */
  readonly labels: Int32Array;
  readonly normalization: Normalization;
}

/** A set to learn from and one, of the same shape and classes, to be judged on. */
export interface Split {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** What an `ArrayDataset` is made of. */
export interface ArrayDatasetOptions {
  readonly name?: string;
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array | Uint8Array | readonly number[];
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** Default: mean 0 and standard deviation 1, which leaves bytes in [0, 1] and floats as they are. */
  readonly normalization?: Normalization;
}

/**
 * A data set over arrays that are in memory. The images are used in place, not copied; the labels are copied.
 *
 * Shapes: images `[n, h, w, c]`, labels `[n]`.
 *
 * @throws ERR_ARGUMENT, ERR_SHAPE or ERR_DTYPE when the parts do not fit each other, or when a label has no class
 */
export class ArrayDataset implements Dataset {
  readonly name: string;
  readonly length: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  readonly normalization: Normalization;

  constructor(options: ArrayDatasetOptions) {
    if (typeof options !== 'object' || options === null) {
      const expected = 'a data set, or images, labels, imageShape and classNames';
      throw fail('ERR_ARGUMENT', { op: 'ArrayDataset', expected, received: describe(options) });
    }
    this.name = options.name ?? 'array';
    this.imageShape = checkImageShape('ArrayDataset', options.imageShape);
    this.classNames = checkClassNames('ArrayDataset', options.classNames);
    this.images = checkImages(options.images);
    this.labels = checkLabels(options.labels, this.classNames.length);
    this.length = this.labels.length;
    checkCounts(this.images.length, this.length, this.imageShape);
    this.normalization = checkNormalization('ArrayDataset', options.normalization, this.imageShape[2]);
    Object.freeze(this);
  }
}

/** A data set whose images stay in a file, as far as this file knows it: `PackedDataset`. */
export interface PickableDataset {
  readonly length: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly labels: Int32Array;
  pick(indices: Int32Array): this;
}

/**
 * The samples at `indices`, in that order, as a set of its own; an index may come more than once. Those of a `PackedDataset` stay
 * in its file.
 *
 * @throws ERR_ARGUMENT for an index outside the set, or none at all
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset;
export function subset<Packed extends PickableDataset>(dataset: Packed, indices: ArrayLike<number>): Packed;
export function subset<Packed extends PickableDataset>(
  dataset: Dataset | Packed,
  indices: ArrayLike<number>,
): Dataset | Packed;
export function subset(
  dataset: Dataset | PickableDataset,
  indices: ArrayLike<number>,
): Dataset | PickableDataset {
  checkDataset('subset', dataset);
  if (!(Array.isArray(indices) || ArrayBuffer.isView(indices)) || indices.length === 0) {
    const received = Array.isArray(indices) ? 'none' : describe(indices);
    throw fail('ERR_ARGUMENT', { op: 'subset', expected: 'an array with at least one index', received });
  }
  const chosen = Int32Array.from(indices, (index, position) => {
    if (Number.isInteger(index) && index >= 0 && index < dataset.length) return index;
    throw fail('ERR_ARGUMENT', {
      op: 'subset',
      expected: `indices from 0 to ${dataset.length - 1}`,
      received: `${describe(index)} at position ${position}`,
    });
  });
  if ('pick' in dataset) return dataset.pick(chosen);
  const [h, w, c] = dataset.imageShape;
  const imageSize = h * w * c;
  const images =
    dataset.images instanceof Uint8Array
      ? new Uint8Array(indices.length * imageSize)
      : new Float32Array(indices.length * imageSize);
  const labels = chosen.map((index, position) => {
    images.set(dataset.images.subarray(index * imageSize, (index + 1) * imageSize), position * imageSize);
    return dataset.labels[index];
  });
  return new ArrayDataset({ ...partsOf(dataset), images, labels });
}

/**
 * The first `count` samples, or all of them where there are fewer; shares the images' memory, or their file.
 *
 * @throws ERR_ARGUMENT unless `count` is a whole number above 0
 */
export function take(dataset: Dataset, count: number): Dataset;
export function take<Packed extends PickableDataset>(dataset: Packed, count: number): Packed;
export function take<Packed extends PickableDataset>(
  dataset: Dataset | Packed,
  count: number,
): Dataset | Packed;
export function take(dataset: Dataset | PickableDataset, count: number): Dataset | PickableDataset {
  checkDataset('take', dataset);
  if (!Number.isInteger(count) || count < 1) {
    throw fail('ERR_ARGUMENT', { op: 'take', expected: 'a count of at least 1', received: describe(count) });
  }
  if (count >= dataset.length) return dataset;
  if ('pick' in dataset) return dataset.pick(Int32Array.from({ length: count }, (_, i) => i));
  const [h, w, c] = dataset.imageShape;
  return new ArrayDataset({
    ...partsOf(dataset),
    images: dataset.images.subarray(0, count * h * w * c),
    labels: dataset.labels.subarray(0, count),
  });
}

/** Refuses what is no data set; most often it is both parts of one. */
export function checkDataset(op: string, dataset: unknown): void {
  const parts: object = typeof dataset === 'object' && dataset !== null ? dataset : {};
  if ('source' in parts && 'imageShape' in parts) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'a data set in memory or in a file',
      received: 'a stream',
      hint: 'fit alone takes streams',
    });
  }
  if ('imageShape' in parts && 'classNames' in parts) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'a data set',
    received: describe(dataset),
    hint: 'train' in parts ? 'pass one of its parts, train or test' : undefined,
  });
}

/** Refuses what is no data set, and one whose images stay on disk. */
export function checkInMemory(op: string, dataset: unknown): void {
  checkDataset(op, dataset);
  if ('images' in Object(dataset)) return;
  const hint = 'readPacked reads a packed file into memory';
  throw fail('ERR_ARGUMENT', { op, expected: 'a data set in memory', received: 'one on disk', hint });
}

function partsOf(dataset: Dataset) {
  const { name, imageShape, classNames, normalization } = dataset;
  return { name, imageShape, classNames, normalization };
}

// ---------------------------------------------------------------------------------------------------------------

/** @internal */
export function checkImageShape(op: string, shape: unknown): readonly [number, number, number] {
  const fits =
    Array.isArray(shape) && shape.length === 3 && shape.every((n) => Number.isSafeInteger(n) && n > 0);
  if (!fits) {
    throw fail('ERR_SHAPE', {
      op,
      expected: 'imageShape [h, w, c] of three whole numbers above 0',
      received: describe(shape),
    });
  }
  return Object.freeze([shape[0], shape[1], shape[2]] as const);
}

/** @internal */
export function checkClassNames(op: string, names: unknown): readonly string[] {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'classNames with at least one name',
      received: describe(names),
    });
  }
  return Object.freeze([...names]);
}

function checkImages(images: Uint8Array | Float32Array): Uint8Array | Float32Array {
  if (!(images instanceof Uint8Array) && !(images instanceof Float32Array)) {
    throw fail('ERR_DTYPE', {
      op: 'ArrayDataset',
      expected: 'images in a Uint8Array or Float32Array',
      received: describe(images),
    });
  }
  checkAttached('images', images);
  return images;
}

function checkLabels(labels: Int32Array | Uint8Array | readonly number[], classes: number): Int32Array {
  if (!(labels instanceof Int32Array) && !(labels instanceof Uint8Array) && !Array.isArray(labels)) {
    throw fail('ERR_DTYPE', {
      op: 'ArrayDataset',
      expected: 'labels in an Int32Array, a Uint8Array or an array of numbers',
      received: describe(labels),
    });
  }
  if (!Array.isArray(labels)) checkAttached('labels', labels as Int32Array | Uint8Array);
  if (labels.length === 0) {
    throw fail('ERR_ARGUMENT', {
      op: 'ArrayDataset',
      expected: 'at least one sample',
      received: 'an empty set',
    });
  }
  return Int32Array.from(labels, (label, index) => {
    if (Number.isInteger(label) && label >= 0 && label < classes) return label;
    throw fail('ERR_ARGUMENT', {
      op: 'ArrayDataset',
      expected: `labels that are whole numbers from 0 to ${classes - 1}, one of ${classes} classes`,
      received: `label ${describe(label)} at index ${index}`,
    });
  });
}

/** A transferred (detached) array has length 0; so has an honest empty one, and neither is a data set. */
function checkAttached(what: string, array: Uint8Array | Float32Array | Int32Array): void {
  if (array.length > 0) return;
  throw fail('ERR_ARGUMENT', {
    op: 'ArrayDataset',
    expected: `${what} with at least one sample`,
    received: 'an empty or detached typed array',
    hint: 'an array that was transferred to a worker or by structuredClone is detached: pass a copy',
  });
}

function checkCounts(values: number, count: number, [h, w, c]: readonly [number, number, number]): void {
  if (values === count * h * w * c) return;
  throw fail('ERR_SHAPE', {
    op: 'ArrayDataset',
    expected: `${count * h * w * c} image values for ${count} labels and images of [${h}, ${w}, ${c}]`,
    received: `${values} values, which is ${values / (h * w * c)} images`,
  });
}

/** @internal */
export function checkNormalization(
  op: string,
  normalization: Normalization | undefined,
  channels: number,
): Normalization {
  const mean = normalization?.mean ?? new Array<number>(channels).fill(0);
  const std = normalization?.std ?? new Array<number>(channels).fill(1);
  const fits =
    mean.length === channels &&
    std.length === channels &&
    mean.every(Number.isFinite) &&
    std.every((value) => Number.isFinite(value) && value > 0);
  if (!fits) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `normalization with ${channels} finite means and ${channels} standard deviations above 0`,
      received: `mean ${describe(mean)}, std ${describe(std)}`,
    });
  }
  return Object.freeze({ mean: Object.freeze([...mean]), std: Object.freeze([...std]) });
}
