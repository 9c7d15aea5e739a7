// SPDX-License-Identifier: Apache-2.0
// `fashion-mnist`: pieces of clothing from Zalando's shop (Xiao, Rasul and Vollgraf, 2017), in MNIST's format and under its
// file names. All mirrors have the same compressed files, so their checksums are those of the files.
import type { Dataset, Split } from './dataset.js';
import {
  type IdxSet,
  localNames,
  type PublishedDatasetOptions,
  readIdxSet,
  readIdxTest,
} from './idx-images.js';
import type { PublishedFile } from './published.js';

const MIRRORS: readonly string[] = [
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com', // no https there; the checksum guards it
  'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion',
  'https://storage.googleapis.com/tensorflow/tf-keras-datasets', // Keras' copies, by the same names
];

function fashionFile(name: string, sha256: string): PublishedFile {
  return {
    dataset: 'fashion-mnist',
    name: `${name}.gz`,
    localNames: localNames(name),
    sha256,
    of: 'file',
    mirrors: MIRRORS,
    largest: 128 * 2 ** 20, // the largest has 26 MB
  };
}

/** The four files, with the SHA-256 of the one whose published MD5 is the one beside it. */
export const FASHION_MNIST_FILES = {
  trainImages: fashionFile(
    'train-images-idx3-ubyte', // MD5 8d4fb7e6c68d591d4c3dfef9ec88bf0d
    '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
  ),
  trainLabels: fashionFile(
    'train-labels-idx1-ubyte', // MD5 25c81989df183df01b3e8a0aad5dffbe
    'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
  ),
  testImages: fashionFile(
    't10k-images-idx3-ubyte', // MD5 bef4ecab320f06d8554ea6380940ec79
    '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
  ),
  testLabels: fashionFile(
    't10k-labels-idx1-ubyte', // MD5 bb300cfdad3c16e7a12a480ee83cd310
    '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
  ),
} as const satisfies Record<string, PublishedFile>;

const FASHION_MNIST: IdxSet = {
  name: 'fashion-mnist',
  classNames: [
    ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
    ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  ],
  normalization: { mean: [0.286], std: [0.353] }, // of the training set
  train: { images: FASHION_MNIST_FILES.trainImages, labels: FASHION_MNIST_FILES.trainLabels },
  test: { images: FASHION_MNIST_FILES.testImages, labels: FASHION_MNIST_FILES.testLabels },
};

/**
 * Fashion-MNIST: images `[60000, 28, 28, 1]` to train with and `[10000, 28, 28, 1]` to test with, bytes, 10 classes.
 *
 * @throws ERR_FILE for a folder or file that is missing; ERR_DATA for one that is not what it should be, or when no
 *   mirror had it; ERR_ABORTED
 */
export async function fashionMnist(options: PublishedDatasetOptions = {}): Promise<Split> {
  return readIdxSet(FASHION_MNIST, options);
}

/** The images to test with, from their two files alone. Throws what `fashionMnist` throws. */
export async function fashionMnistTest(options: PublishedDatasetOptions): Promise<Dataset> {
  return readIdxTest(FASHION_MNIST, options);
}
