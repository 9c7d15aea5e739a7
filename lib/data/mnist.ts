// SPDX-License-Identifier: Apache-2.0
// `mnist`: the handwritten digits of LeCun, Cortes and Burges, from four IDX files. The checksums are those of the contents:
// the gzip wrapper differs between mirrors.
import type { Dataset, Split } from './dataset.js';
import {
  type IdxSet,
  localNames,
  type PublishedDatasetOptions,
  readIdxSet,
  readIdxTest,
} from './idx-images.js';
import type { PublishedFile } from './published.js';

export type MnistOptions = PublishedDatasetOptions;

export const MNIST_MIRRORS: readonly string[] = [
  'https://ossci-datasets.s3.amazonaws.com/mnist',
  'https://storage.googleapis.com/cvdf-datasets/mnist',
  'http://yann.lecun.com/exdb/mnist', // no https there; the checksum guards it
];

function mnistFile(name: string, sha256: string): PublishedFile {
  return {
    dataset: 'mnist',
    name: `${name}.gz`,
    localNames: localNames(name),
    sha256,
    of: 'contents',
    mirrors: MNIST_MIRRORS,
    largest: 64 * 2 ** 20, // the largest has 10 MB
  };
}

/** The four files, with the SHA-256 of the contents whose published MD5 is the one beside it. */
export const MNIST_FILES = {
  trainImages: mnistFile(
    'train-images-idx3-ubyte', // MD5 6bbc9ace898e44ae57da46a324031adb
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  ),
  trainLabels: mnistFile(
    'train-labels-idx1-ubyte', // MD5 a25bea736e30d166cdddb491f175f624
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  ),
  testImages: mnistFile(
    't10k-images-idx3-ubyte', // MD5 2646ac647ad5339dbf082846283269ea
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  ),
  testLabels: mnistFile(
    't10k-labels-idx1-ubyte', // MD5 27ae3e4e09519cfbb04c329615203637
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ),
} as const satisfies Record<string, PublishedFile>;

const MNIST: IdxSet = {
  name: 'mnist',
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  normalization: { mean: [0.1307], std: [0.3081] }, // of the training set
  train: { images: MNIST_FILES.trainImages, labels: MNIST_FILES.trainLabels },
  test: { images: MNIST_FILES.testImages, labels: MNIST_FILES.testLabels },
};

/**
 * MNIST: images `[60000, 28, 28, 1]` to train with and `[10000, 28, 28, 1]` to test with, bytes, 10 classes.
 *
 * @throws ERR_FILE for a folder or file that is missing; ERR_DATA for one that is not what it should be, or when no
 *   mirror had it; ERR_ABORTED
 */
export async function mnist(options: MnistOptions = {}): Promise<Split> {
  return readIdxSet(MNIST, options);
}

/** The images to test with, from their two files alone. Throws what `mnist` throws. */
export async function mnistTest(options: MnistOptions): Promise<Dataset> {
  return readIdxTest(MNIST, options);
}
