// SPDX-License-Identifier: Apache-2.0
// Data sets of four IDX files: grey images of 28 by 28 pixels in 10 classes, to train and to test with.
import { checkOptions, fail, ReceptiveError } from '../errors.js';
import { ArrayDataset, type Dataset, type Normalization, type Split, take } from './dataset.js';
import { parseIdx } from './idx.js';
import { contentsOf, type PublishedFile, type PublishedOptions } from './published.js';

/** How to load a published data set. */
export interface PublishedDatasetOptions extends PublishedOptions {
  /** Take only so many samples from the start; default all. */
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
}

export const PUBLISHED_OPTIONS = [
  ...['dataDir', 'mirrors', 'cacheDir', 'trainSize', 'testSize', 'signal', 'onProgress', 'timeout'],
];

/** The images and labels of one part. */
export interface IdxPair {
  readonly images: PublishedFile;
  readonly labels: PublishedFile;
}

/** A data set of this kind. */
export interface IdxSet {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  readonly train: IdxPair;
  readonly test: IdxPair;
}

/** Names of a file in a folder: as published or with a dot, compressed or not. */
export function localNames(name: string): readonly string[] {
  const dotted = name.replace('-idx', '.idx');
  return [name, `${name}.gz`, dotted, `${dotted}.gz`];
}

const IMAGE_SIZE = 28;

/** Both parts. Throws what `mnist` throws. */
export async function readIdxSet(set: IdxSet, options: PublishedDatasetOptions): Promise<Split> {
  checkOptions(set.name, options, PUBLISHED_OPTIONS);
  const train = await readPair(set, set.train, options);
  const test = await readPair(set, set.test, options);
  return {
    train: options.trainSize === undefined ? train : take(train, options.trainSize),
    test: options.testSize === undefined ? test : take(test, options.testSize),
  };
}

/** The images to test with, from their two files alone. */
export async function readIdxTest(set: IdxSet, options: PublishedDatasetOptions): Promise<Dataset> {
  const test = await readPair(set, set.test, options);
  return options.testSize === undefined ? test : take(test, options.testSize);
}

async function readPair(set: IdxSet, pair: IdxPair, options: PublishedOptions): Promise<Dataset> {
  const imagesFile = await contentsOf(pair.images, options);
  const labelsFile = await contentsOf(pair.labels, options);
  const images = parseIdx(imagesFile.contents, { file: imagesFile.path, rank: 3 });
  const labels = parseIdx(labelsFile.contents, { file: labelsFile.path, rank: 1 });
  const [n, h, w] = images.shape;
  if (h !== IMAGE_SIZE || w !== IMAGE_SIZE) {
    throw fail('ERR_DATA', {
      op: `reading ${imagesFile.path}`,
      expected: `images of [${IMAGE_SIZE}, ${IMAGE_SIZE}]`,
      received: `[${h}, ${w}]`,
    });
  }
  if (labels.shape[0] !== n) {
    throw fail('ERR_DATA', {
      op: `reading ${labelsFile.path}`,
      expected: `${n} labels, one for each image of ${imagesFile.path}`,
      received: `${labels.shape[0]}`,
      hint: 'were files of the training and the test set mixed up?',
    });
  }
  try {
    const { name, classNames, normalization } = set;
    return new ArrayDataset({
      ...{ name, classNames, normalization, images: images.data, labels: labels.data },
      imageShape: [IMAGE_SIZE, IMAGE_SIZE, 1],
    });
  } catch (cause) {
    if (!(cause instanceof ReceptiveError)) throw cause;
    const { expected, received } = cause; // only a label can still be wrong
    throw fail('ERR_DATA', { op: `reading ${labelsFile.path}`, expected, received, cause });
  }
}
