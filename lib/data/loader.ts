// SPDX-License-Identifier: Apache-2.0
// Batches of a data set. The set is copied to native memory once, bytes as bytes, or stays in its packed file; a batch is gathered,
// converted and normalised there. The order of an epoch follows from (seed, epoch) alone, so a run can go on where another stopped.
import { checkBooleans, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { Varying } from '../native/varying.js';
import { type AugmentInstruction, augmentImages, mixLabels } from '../ops/augment.js';
import { gatherFile, gatherImages, gatherLabels } from '../ops/gather.js';
import { tensor } from '../tensor/create.js';
import { Generator, randperm } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Augmentation, augmentInstructions, MIX } from './augment.js';
import { ArrayDataset, checkDataset, type Dataset } from './dataset.js';
import { PackedDataset } from './packed-dataset.js';

/** How a data set is cut into batches. */
export interface DataLoaderOptions {
  /** Images a batch. Default 32, as in Keras; PyTorch's 1 is rarely what a training wants. */
  readonly batchSize?: number | undefined;
  /** A new order for every epoch. Default false. */
  readonly shuffle?: boolean | undefined;
  /** Names the orders: a safe integer, default 0. */
  readonly seed?: number | undefined;
  /** Leaves out the last batch of an epoch where it is smaller than the others. Default false. */
  readonly dropLast?: boolean | undefined;
  /**
   * Random changes of the images, made in this order in every batch. What is drawn follows from seed, epoch and image alone.
   * Default: none.
   */
  readonly augment?: readonly Augmentation[] | undefined;
}

/** Where a loader stands: the epoch that comes next or is under way, and how many of its batches were given out. */
export interface LoaderState {
  readonly epoch: number;
  readonly batch: number;
}

/**
 * All that decides which images a loader will give out, as plain numbers and booleans, to be kept with a checkpoint (as JSON,
 * for one): its position, and what the orders of its epochs follow from.
 */
export interface LoaderStateDict extends LoaderState {
  readonly seed: number;
  readonly shuffle: boolean;
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** Images in the data set. */
  readonly images: number;
}

/** Some images of a data set. The tensors belong to whoever asked for them: a scope, `using`, or `dispose` frees them. */
export class Batch {
  /** float32 [b, h, w, c], normalised. */
  readonly images: Tensor;
  /** int32 [b]. */
  readonly labels: Tensor;
  /** Which images of the data set these are. */
  readonly indices: Int32Array;
  /** float32 [b, classes]: what the images are after mixup or cutmix, as shares of the classes. */
  readonly targets: Tensor | undefined;

  constructor(images: Tensor, labels: Tensor, indices: Int32Array, targets?: Tensor) {
    this.images = images;
    this.labels = labels;
    this.indices = indices;
    this.targets = targets;
  }

  /** Frees the tensors. */
  dispose(): void {
    this.images.dispose();
    this.labels.dispose();
    this.targets?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const OPTIONS = ['batchSize', 'shuffle', 'seed', 'dropLast', 'augment'];

/** The numbers of a seed that orders are made of; other streams serve initialisation and drawing. */
const SHUFFLE_STREAM = 2;
/** Of the first augmentation; those behind it have the next streams. */
export const AUGMENT_STREAM = 16;
/** Samples of a batch where nothing is said. */
export const TRAINING_BATCH = 32;
const MAX_EPOCH = 2 ** 32 - 1;
const AS_THEY_ARE = { mean: [0], std: [1] };

/**
 * Gives out a data set batch by batch: each `for … of` is one epoch.
 *
 * Throws ERR_ARGUMENT for options that are no sizes, or where no batch would be left; what a data set may be refused for
 * (`ArrayDataset`), now rather than in the middle of a training.
 */
export class DataLoader implements Iterable<Batch> {
  readonly dataset: Dataset | PackedDataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  /** In native memory; nothing where they stay in a file. */
  readonly #images: Tensor | undefined;
  /** What is given out in place of the images. */
  #replacement: Tensor | undefined;
  /** Which of the images in the file those of the set are; nothing where they are all. */
  readonly #rows: Tensor | undefined;
  readonly #labels: Tensor;
  readonly #generator: Generator;
  readonly #augment: readonly AugmentInstruction[];
  /** The epoch whose batches are being made; `#epoch` may be ahead of it. */
  #underWay = 0;
  #epoch = 0;
  #batch = 0;
  #resumes = false;

  constructor(dataset: Dataset | PackedDataset, options: DataLoaderOptions = {}) {
    checkOptions('DataLoader', options, OPTIONS);
    checkDataset('DataLoader', dataset);
    this.dataset = dataset instanceof PackedDataset ? dataset : new ArrayDataset(dataset); // whoever made it, it is checked; its images are not copied
    this.batchSize = checkWhole('DataLoader', 'batchSize', options.batchSize ?? TRAINING_BATCH, 1);
    checkBooleans('DataLoader', { shuffle: options.shuffle, dropLast: options.dropLast });
    this.shuffle = options.shuffle ?? false;
    this.seed = options.seed ?? 0;
    this.dropLast = options.dropLast ?? false;
    this.#generator = new Generator(this.seed, SHUFFLE_STREAM);
    this.#augment = augmentInstructions('DataLoader', options.augment, this.dataset);
    if (this.length === 0) {
      throw fail('ERR_ARGUMENT', {
        op: 'DataLoader',
        expected: `batchSize of at most ${dataset.length}, the size of the data set`,
        received: `${this.batchSize} with dropLast, which leaves no batch`,
      });
    }
    if (this.dataset instanceof PackedDataset) {
      this.#rows = this.dataset.rows && tensor(this.dataset.rows).keep();
    } else {
      this.#images = tensor(this.dataset.images, [dataset.length, ...dataset.imageShape]).keep();
    }
    this.#labels = tensor(this.dataset.labels).keep();
  }

  /** Batches an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The epoch that comes next, or is under way; the first is 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The position, to be kept with a checkpoint. Setting it makes the next `for … of` go on there. */
  get state(): LoaderState {
    return { epoch: this.#epoch, batch: this.#batch };
  }

  set state(state: LoaderState) {
    const epoch = checkWhole('DataLoader', 'epoch', state.epoch, 0);
    const batch = checkWhole('DataLoader', 'batch', state.batch, 0);
    if (epoch > MAX_EPOCH || batch > this.length) {
      throw fail('ERR_ARGUMENT', {
        op: 'DataLoader',
        expected: `a position with at most ${this.length} batches`,
        received: `epoch ${epoch}, batch ${batch}`,
        hint: 'was it saved with another data set or batch size?',
      });
    }
    this.#epoch = epoch;
    this.#batch = batch;
    this.#resumes = true;
  }

  /** The position and what the orders follow from. */
  stateDict(): LoaderStateDict {
    const { seed, shuffle, batchSize, dropLast } = this;
    return { ...this.state, seed, shuffle, batchSize, dropLast, images: this.dataset.length };
  }

  /**
   * Goes on where another loader stood: the next `for … of`, or training, takes what was left of its epoch, in its order.
   * Throws ERR_ARGUMENT, before anything is changed, for the state of a loader that would give out other batches.
   */
  loadStateDict(state: LoaderStateDict): void {
    checkOptions('DataLoader', state, Object.keys(this.stateDict()));
    const own = this.stateDict();
    for (const name of ['seed', 'shuffle', 'batchSize', 'dropLast', 'images'] as const) {
      if (state[name] === own[name]) continue;
      throw fail('ERR_ARGUMENT', {
        op: 'DataLoader',
        expected: `the state of a loader with ${name} ${own[name]}`,
        received: describe(state[name]),
        hint: 'its batches would not be those that were to come: load it with the options it was saved with',
      });
    }
    this.state = state;
  }

  /**
   * One epoch, from its beginning; after the position was set, what is left of that epoch. Leaving the loop early ends
   * the epoch.
   */
  *[Symbol.iterator](): Iterator<Batch> {
    if (!this.#resumes) this.#batch = 0;
    this.#resumes = false;
    const epoch = this.#epoch;
    const order = this.#order(epoch);
    try {
      for (let batch = this.#batch; batch < this.length; batch++) {
        this.#batch = batch + 1;
        this.#underWay = epoch;
        yield this.#gather(order.slice(batch * this.batchSize, (batch + 1) * this.batchSize));
      }
    } finally {
      // An iterator that was overtaken by another, or by a new position, has no say any more.
      if (this.#epoch === epoch && !this.#resumes) {
        this.#epoch = epoch + 1;
        this.#batch = 0;
      }
    }
  }

  /**
   * @internal What is left of this epoch, for a step that gathers its batches itself: indices of images, batch after
   * batch. The loader goes on to the next epoch.
   */
  takeEpoch(): Int32Array {
    const first = this.#resumes ? this.#batch : 0;
    const order = this.#order(this.#epoch);
    this.#resumes = false;
    this.#underWay = this.#epoch;
    this.#epoch += 1;
    this.#batch = 0;
    return order.subarray(
      first * this.batchSize,
      this.dropLast ? this.length * this.batchSize : order.length,
    );
  }

  /** @internal Whether images are other ones in another epoch. */
  get changesImages(): boolean {
    return this.#augment.length > 0;
  }

  /** @internal Gives out rows of this in place of the images, as they are: [length, size, 1, 1], which the loader owns from now on. */
  replaceImages(replacement: Tensor): void {
    this.#images?.dispose();
    this.#replacement = replacement;
  }

  /** Frees the native copy of the data set. Batches that were given out live on. */
  dispose(): void {
    this.#replacement?.dispose();
    this.#images?.dispose();
    this.#rows?.dispose();
    this.#labels.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #order(epoch: number): Int32Array {
    const { length } = this.dataset;
    if (!this.shuffle) return Int32Array.from({ length }, (_, index) => index);
    this.#generator.state = { seed: this.seed, stream: SHUFFLE_STREAM, step: epoch };
    using permutation = randperm(length, { generator: this.#generator });
    return permutation.data() as Int32Array;
  }

  #gather(indices: Int32Array): Batch {
    using rows = tensor(indices);
    return new Batch(this.imagesAt(rows), this.labelsAt(rows), indices, this.targetsAt(rows));
  }

  /** @internal Images by index, normalised and changed as in the epoch under way: now, or when a recorded step runs. */
  imagesAt(rows: Tensor): Tensor {
    if (this.#replacement !== undefined) return gatherImages(this.#replacement, rows, AS_THEY_ARE);
    const images =
      this.dataset instanceof PackedDataset
        ? this.#imagesOfFile(this.dataset, rows)
        : gatherImages(this.#images as Tensor, rows, this.dataset.normalization);
    return augmentImages(images, rows, this.#augment, this.#drawAt(0));
  }

  #imagesOfFile({ place, imageShape, normalization }: PackedDataset, rows: Tensor): Tensor {
    if (this.#rows === undefined) return gatherFile(place, imageShape, rows, normalization);
    const chosen = gatherLabels(this.#rows, rows); // any whole numbers by index
    const images = gatherFile(place, imageShape, chosen, normalization);
    chosen.dispose();
    return images;
  }

  /** @internal Labels by index as mixed images have them; nothing where images are not mixed. */
  targetsAt(rows: Tensor): Tensor | undefined {
    const position = this.#augment.findIndex(({ instruction }) => instruction === MIX);
    if (position < 0) return undefined;
    const { imageShape, classNames } = this.dataset;
    const labels = this.labelsAt(rows);
    const draw = this.#drawAt(position);
    const targets = mixLabels(labels, rows, this.#augment[position], imageShape, classNames.length, draw);
    labels.dispose();
    return targets;
  }

  #drawAt(position: number) {
    const epoch = new Varying(this.#underWay, () => this.#underWay);
    return { seed: this.seed, stream: AUGMENT_STREAM + position, epoch };
  }

  /** @internal Labels by index. */
  labelsAt(rows: Tensor): Tensor {
    return gatherLabels(this.#labels, rows);
  }
}
