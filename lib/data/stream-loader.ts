// SPDX-License-Identifier: Apache-2.0
// Batches of a stream, in its order: rows by rows into arrays of one size, from which a step makes its images as it does from
// those of a `DataLoader`.
import { checkWhole, fail } from '../errors.js';
import { Varying } from '../native/varying.js';
import { type AugmentInstruction, augmentImages, mixLabels } from '../ops/augment.js';
import { gatherImages } from '../ops/gather.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Augmentation, augmentInstructions, MIX } from './augment.js';
import { AUGMENT_STREAM, Batch, TRAINING_BATCH } from './loader.js';
import type { ItemForm, StreamDataset } from './stream.js';
import type { StreamReader } from './stream-reader.js';

/** A batch as it came: images [b, h, w, c], labels [b], and which samples of the epoch they are [b]. */
export interface StreamedRows {
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  readonly indices: Int32Array;
}

/** The same in tensors. */
export type StreamedTensors = Readonly<Record<keyof StreamedRows, Tensor>>;

export interface StreamLoaderOptions {
  readonly batchSize?: number | undefined;
  readonly seed?: number | undefined;
  readonly augment?: readonly Augmentation[] | undefined;
}

/** Gives out a stream batch by batch, epoch after epoch. */
export class StreamLoader {
  readonly dataset: StreamDataset;
  readonly batchSize: number;
  readonly dtype: 'uint8' | 'float32';
  readonly #reader: StreamReader;
  readonly #form: ItemForm;
  readonly #seed: number;
  readonly #augment: readonly AugmentInstruction[];
  readonly #rows: StreamedRows;
  #epoch = -1;
  #samples = 0;
  #tail: StreamedRows | undefined;

  /** @param classes labels are below it */
  constructor(
    reader: StreamReader,
    dataset: StreamDataset,
    dtype: 'uint8' | 'float32',
    { batchSize, seed, augment }: StreamLoaderOptions,
  ) {
    this.#reader = reader;
    this.dataset = dataset;
    this.dtype = dtype;
    this.batchSize = checkWhole('fit', 'batchSize', batchSize ?? TRAINING_BATCH, 1);
    this.#seed = seed ?? 0;
    this.#augment = augmentInstructions('fit', augment, dataset);
    this.#form = { imageShape: dataset.imageShape, classes: dataset.classNames.length, dtype };
    const [h, w, c] = dataset.imageShape;
    const values = this.batchSize * h * w * c;
    this.#rows = {
      images: dtype === 'uint8' ? new Uint8Array(values) : new Float32Array(values),
      labels: new Int32Array(this.batchSize),
      indices: new Int32Array(this.batchSize),
    };
  }

  /** Batches an epoch; Infinity where nobody knows. */
  get length(): number {
    const { length } = this.dataset;
    return length === undefined ? Infinity : Math.ceil(length / this.batchSize);
  }

  /** Begins the next epoch. */
  startEpoch(): void {
    this.#epoch += 1;
    this.#samples = 0;
    this.#tail = undefined;
    this.#reader.startEpoch(this.#epoch);
  }

  /**
   * The next batch of the epoch, whose last one may be smaller; nothing at its end. The arrays are filled anew for the next
   * one. Throws ERR_DATA for an epoch without samples, or with fewer than `length`; what the source throws.
   */
  async next(): Promise<StreamedRows | undefined> {
    const { length = Infinity } = this.dataset;
    const wanted = Math.min(this.batchSize, length - this.#samples);
    const count = await this.#reader.take(this.#form, this.#rows, wanted);
    if (count < wanted && length < Infinity) {
      throw fail('ERR_DATA', {
        op: 'fit',
        expected: `${length} samples in epoch ${this.#epoch + 1} of ${this.dataset.name}`,
        received: `a source that ended after ${this.#samples + count}`,
      });
    }
    if (count === 0 && this.#samples === 0) throw this.#reader.nothing();
    if (count === 0) return undefined;
    for (let i = 0; i < count; i++) this.#rows.indices[i] = this.#samples + i;
    this.#samples += count;
    if (count === this.batchSize) return this.#rows;
    const { images, labels, indices } = this.#rows;
    return {
      images: images.subarray(0, (images.length / this.batchSize) * count),
      labels: labels.subarray(0, count),
      indices: indices.subarray(0, count),
    };
  }

  /** The full batches of the epoch, one by one; a smaller last one becomes the `tail`. */
  fullBatches(): AsyncIterator<StreamedRows> {
    return {
      next: async () => {
        const rows = await this.next();
        if (rows?.labels.length === this.batchSize) return { value: rows, done: false };
        this.#tail = rows;
        return { value: undefined, done: true };
      },
    };
  }

  /** The smaller last batch of an epoch whose full ones were given out. */
  get tail(): StreamedRows | undefined {
    return this.#tail;
  }

  /** Images of a batch at these places of it, normalised and changed: now, or when a recorded step runs. */
  imagesAt({ images, indices }: Pick<StreamedTensors, 'images' | 'indices'>, places: Tensor): Tensor {
    const gathered = gatherImages(images, places, this.dataset.normalization);
    return augmentImages(gathered, indices, this.#augment, this.#drawAt(0));
  }

  /** Labels as mixed images have them; nothing where images are not mixed. */
  targetsOf(labels: Tensor, indices: Tensor): Tensor | undefined {
    const position = this.#augment.findIndex(({ instruction }) => instruction === MIX);
    if (position < 0) return undefined;
    const { imageShape, classNames } = this.dataset;
    const draw = this.#drawAt(position);
    return mixLabels(labels, indices, this.#augment[position], imageShape, classNames.length, draw);
  }

  #drawAt(position: number) {
    const epoch = new Varying(this.#epoch, () => this.#epoch);
    return { seed: this.#seed, stream: AUGMENT_STREAM + position, epoch };
  }

  /** A batch in tensors, now. */
  batchOf(rows: StreamedRows): Batch {
    const [h, w, c] = this.dataset.imageShape;
    const count = rows.labels.length;
    using images = tensor(rows.images, [count, h, w, c]);
    using indices = tensor(rows.indices);
    using places = tensor(placesOf(count));
    const labels = tensor(rows.labels);
    const targets = this.targetsOf(labels, indices);
    return new Batch(this.imagesAt({ images, indices }, places), labels, rows.indices.slice(), targets);
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    await this.#reader.close();
  }
}

/** 0, 1, 2, …: all places of a batch. */
export function placesOf(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i);
}
