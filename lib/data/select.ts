// SPDX-License-Identifier: Apache-2.0
// Data sets made of others: divided by class, balanced, joined. All of it is choosing indices; `subset` copies the images of sets in memory.
import { checkNumber, checkOptions, describe, fail } from '../errors.js';
import { RandomStream } from '../tensor/philox.js';
import {
  ArrayDataset,
  checkDataset,
  checkInMemory,
  type Dataset,
  type PickableDataset,
  subset,
} from './dataset.js';

/** The numbers of a seed that choices among samples are made of; `DataLoader` orders its epochs by another stream. */
const SELECT_STREAM = 3;

/** How many samples each class has, in the order of `classNames`. */
export function classCounts(dataset: Dataset | PickableDataset): number[] {
  checkDataset('classCounts', dataset);
  const counts = new Array<number>(dataset.classNames.length).fill(0);
  for (const label of dataset.labels) counts[label] += 1;
  return counts;
}

/**
 * A weight for each class that makes all of them count alike in a loss: samples / (classes · samples of the class), as in
 * scikit-learn's 'balanced', so that the mean weight of a sample is 1. 0 for a class without samples, which is not counted
 * among the classes.
 */
export function classWeights(dataset: Dataset | PickableDataset): number[] {
  const counts = classCounts(dataset);
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : dataset.length / (present * count)));
}

export interface StratifiedSplitOptions {
  /** The share of each class that goes into the second set, above 0 and below 1. Default 0.1. */
  readonly fraction?: number | undefined;
  /** Which samples: a safe integer, default 0. */
  readonly seed?: number | undefined;
}

/**
 * Divides a data set in two with the same mix of classes, such as one to train with and one to validate with. Samples
 * are chosen at random within each class and keep their order; a class gives round(fraction · its samples), but at least one
 * to each side.
 *
 * @returns the rest and the share: `const [train, validation] = stratifiedSplit(all, { fraction: 0.1 })`
 *
 * Throws ERR_ARGUMENT for a fraction out of range, and for a class with a single sample, which cannot be on both sides.
 */
export function stratifiedSplit(
  dataset: Dataset,
  options?: StratifiedSplitOptions,
): [rest: Dataset, share: Dataset];
export function stratifiedSplit<Packed extends PickableDataset>(
  dataset: Packed,
  options?: StratifiedSplitOptions,
): [rest: Packed, share: Packed];
export function stratifiedSplit<Packed extends PickableDataset>(
  dataset: Dataset | Packed,
  options?: StratifiedSplitOptions,
): [rest: Dataset | Packed, share: Dataset | Packed];
export function stratifiedSplit(
  dataset: Dataset | PickableDataset,
  options: StratifiedSplitOptions = {},
): [rest: Dataset | PickableDataset, share: Dataset | PickableDataset] {
  checkOptions('stratifiedSplit', options, ['fraction', 'seed']);
  checkDataset('stratifiedSplit', dataset);
  const fraction = checkNumber('stratifiedSplit', 'fraction', options.fraction ?? 0.1, 0, 1);
  if (fraction === 0 || fraction === 1) {
    throw fail('ERR_ARGUMENT', {
      op: 'stratifiedSplit',
      expected: 'fraction above 0 and below 1',
      received: String(fraction),
    });
  }
  const seed = checkSeed('stratifiedSplit', options.seed);
  const isShare = new Uint8Array(dataset.length);
  indicesByClass(dataset).forEach((indices, label) => {
    if (indices.length === 0) return;
    if (indices.length === 1) {
      throw fail('ERR_ARGUMENT', {
        op: 'stratifiedSplit',
        expected: 'at least two samples of each class',
        received: `one of ${describe(dataset.classNames[label])}`,
        hint: 'add a sample, or leave that class out with subset',
      });
    }
    const wanted = Math.max(1, Math.min(indices.length - 1, Math.round(fraction * indices.length)));
    for (const index of shuffled(indices, seed, label).slice(0, wanted)) isShare[index] = 1;
  });
  const side = (which: number) =>
    subset(
      dataset,
      Array.from(isShare.keys()).filter((index) => isShare[index] === which),
    );
  return [side(0), side(1)];
}

export interface BalanceOptions {
  /**
   * 'oversample' (default): every class as often as the largest, its samples repeated evenly; 'undersample': as often as the
   * smallest, samples left out.
   */
  readonly by?: 'oversample' | 'undersample' | undefined;
  /** Which samples are repeated or left out: a safe integer, default 0. */
  readonly seed?: number | undefined;
}

/**
 * A data set in which all classes that have samples have as many. Repeats cost memory, but for a `PackedDataset`:
 * for large sets weight the loss (`classWeights`) instead.
 */
export function balanceClasses(dataset: Dataset, options?: BalanceOptions): Dataset;
export function balanceClasses<Packed extends PickableDataset>(
  dataset: Packed,
  options?: BalanceOptions,
): Packed;
export function balanceClasses(
  dataset: Dataset | PickableDataset,
  options: BalanceOptions = {},
): Dataset | PickableDataset {
  checkOptions('balanceClasses', options, ['by', 'seed']);
  checkDataset('balanceClasses', dataset);
  const { by = 'oversample' } = options;
  if (by !== 'oversample' && by !== 'undersample') {
    const expected = "by 'oversample' or 'undersample'";
    throw fail('ERR_ARGUMENT', { op: 'balanceClasses', expected, received: describe(by) });
  }
  const seed = checkSeed('balanceClasses', options.seed);
  const counts = classCounts(dataset).filter((count) => count > 0);
  const wanted = by === 'oversample' ? Math.max(...counts) : Math.min(...counts);
  const chosen = indicesByClass(dataset).flatMap((indices, label) => {
    if (indices.length === 0) return [];
    const order = shuffled(indices, seed, label);
    return Array.from({ length: wanted }, (_, i) => order[i % order.length]);
  });
  return subset(
    dataset,
    chosen.sort((a, b) => a - b),
  );
}

/**
 * The samples of all sets, one set after another, as one set with the first one's normalisation.
 *
 * Throws ERR_SHAPE for images of different sizes, ERR_DTYPE for bytes beside floats, ERR_ARGUMENT for other classes.
 */
export function concatDatasets(datasets: readonly Dataset[]): Dataset {
  if (!Array.isArray(datasets) || datasets.length === 0) {
    const expected = 'an array with at least one data set';
    throw fail('ERR_ARGUMENT', { op: 'concatDatasets', expected, received: describe(datasets) });
  }
  const [first] = datasets;
  for (const dataset of datasets) checkJoins(first, dataset);
  const values = datasets.reduce((sum, { images }) => sum + images.length, 0);
  const images = first.images instanceof Uint8Array ? new Uint8Array(values) : new Float32Array(values);
  const labels = new Int32Array(datasets.reduce((sum, { length }) => sum + length, 0));
  let imageAt = 0;
  let labelAt = 0;
  for (const dataset of datasets) {
    images.set(dataset.images, imageAt);
    labels.set(dataset.labels, labelAt);
    imageAt += dataset.images.length;
    labelAt += dataset.length;
  }
  const { name, imageShape, classNames, normalization } = first;
  return new ArrayDataset({ name, imageShape, classNames, normalization, images, labels });
}

function checkJoins(first: Dataset, dataset: Dataset): void {
  const op = 'concatDatasets';
  checkInMemory(op, dataset);
  if (first.imageShape.join() !== dataset.imageShape.join()) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `images of [${first.imageShape.join(', ')}]`,
      received: `${dataset.name} with [${dataset.imageShape.join(', ')}]`,
    });
  }
  if (first.images.constructor !== dataset.images.constructor) {
    throw fail('ERR_DTYPE', {
      op,
      expected: `images in a ${first.images.constructor.name}`,
      received: `${dataset.name} with a ${dataset.images.constructor.name}`,
    });
  }
  const differs =
    first.classNames.length !== dataset.classNames.length ||
    first.classNames.some((name, label) => name !== dataset.classNames[label]);
  if (!differs) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `the classes ${describe(first.classNames)}`,
    received: `${dataset.name} with ${describe(dataset.classNames)}`,
  });
}

function indicesByClass(dataset: Dataset | PickableDataset): number[][] {
  const classes: number[][] = dataset.classNames.map(() => []);
  dataset.labels.forEach((label, index) => {
    classes[label].push(index);
  });
  return classes;
}

/** A copy in random order (Fisher and Yates). */
function shuffled(indices: readonly number[], seed: number, label: number): number[] {
  const order = [...indices];
  const random = new RandomStream(seed, SELECT_STREAM, label);
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.int(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function checkSeed(op: string, seed = 0): number {
  if (Number.isSafeInteger(seed)) return seed;
  throw fail('ERR_ARGUMENT', { op, expected: 'a seed that is a safe integer', received: describe(seed) });
}
