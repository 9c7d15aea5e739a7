// SPDX-License-Identifier: Apache-2.0
// `mnist`: the handwritten digits of LeCun, Cortes and Burges, from four IDX files: in a folder of the caller's,
// else in the cache, else from a mirror. What came over a network is checked by the checksum of its contents (the
// gzip wrapper differs between mirrors); what the caller points at is only parsed strictly.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, fail, ReceptiveError } from '../errors.js';
import { cacheFolder } from './cache.js';
import { ArrayDataset, type Dataset, type Split, take } from './dataset.js';
import { type DownloadProgress, download } from './download.js';
import { LARGEST_CONTENTS, parseIdx, unpack } from './idx.js';

export interface MnistOptions {
  /** A folder with the four files, gzipped or not; nothing is downloaded then. */
  readonly dataDir?: string | undefined;
  /** Folders on the web that hold the four `.gz` files, best first. */
  readonly mirrors?: readonly string[] | undefined;
  /** Default: `mnist` in the cache folder (`RECEPTIVE_CACHE`, else `~/.cache/receptive`). */
  readonly cacheDir?: string | undefined;
  /** Take only so many samples from the start; default all (60,000 and 10,000). */
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Milliseconds without a byte after which a mirror is given up; default 30,000. */
  readonly timeout?: number | undefined;
}

/** One of the four files. */
export interface MnistFile {
  /** `train-images-idx3-ubyte`, as published, without `.gz`. */
  readonly name: string;
  /** Of the unpacked contents. */
  readonly sha256: string;
}

/** The four files, with the SHA-256 of the contents whose published MD5 is the one beside it. */
export const MNIST_FILES = {
  trainImages: {
    name: 'train-images-idx3-ubyte', // MD5 6bbc9ace898e44ae57da46a324031adb
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte', // MD5 a25bea736e30d166cdddb491f175f624
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte', // MD5 2646ac647ad5339dbf082846283269ea
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte', // MD5 27ae3e4e09519cfbb04c329615203637
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
} as const satisfies Record<string, MnistFile>;

export const MNIST_MIRRORS: readonly string[] = [
  'https://ossci-datasets.s3.amazonaws.com/mnist',
  'https://storage.googleapis.com/cvdf-datasets/mnist',
  'http://yann.lecun.com/exdb/mnist', // no https there; the checksum guards it
];

/** The largest of the four has 10 MB packed: a mirror that sends far more sends something else. */
const LARGEST_PACKED = 64 * 2 ** 20;

const IMAGE_SIZE = 28;
const OPTIONS = [
  ...['dataDir', 'mirrors', 'cacheDir', 'trainSize', 'testSize', 'signal', 'onProgress', 'timeout'],
];
const CLASS_NAMES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * MNIST: images `[60000, 28, 28, 1]` to train with and `[10000, 28, 28, 1]` to test with, bytes, 10 classes.
 *
 * @throws ERR_FILE for a folder or file that is missing; ERR_DATA for one that is not what it should be, or when no
 *   mirror had it; ERR_ABORTED
 */
export async function mnist(options: MnistOptions = {}): Promise<Split> {
  checkOptions('mnist', options, OPTIONS);
  const train = await readPair('trainImages', 'trainLabels', options);
  const test = await readPair('testImages', 'testLabels', options);
  return {
    train: options.trainSize === undefined ? train : take(train, options.trainSize),
    test: options.testSize === undefined ? test : take(test, options.testSize),
  };
}

/** The images to test with, from their two files alone. Throws what `mnist` throws. */
export async function mnistTest(options: MnistOptions): Promise<Dataset> {
  const test = await readPair('testImages', 'testLabels', options);
  return options.testSize === undefined ? test : take(test, options.testSize);
}

async function readPair(
  imagesKey: keyof typeof MNIST_FILES,
  labelsKey: keyof typeof MNIST_FILES,
  options: MnistOptions,
): Promise<Dataset> {
  const imagesFile = await contentsOf(MNIST_FILES[imagesKey], options);
  const labelsFile = await contentsOf(MNIST_FILES[labelsKey], options);
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
    return new ArrayDataset({
      name: 'mnist',
      images: images.data,
      labels: labels.data,
      imageShape: [IMAGE_SIZE, IMAGE_SIZE, 1],
      classNames: CLASS_NAMES,
      normalization: { mean: [0.1307], std: [0.3081] }, // of the training set
    });
  } catch (cause) {
    if (!(cause instanceof ReceptiveError)) throw cause;
    const { expected, received } = cause; // only a label can still be wrong
    throw fail('ERR_DATA', { op: `reading ${labelsFile.path}`, expected, received, cause });
  }
}

interface FoundFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

async function contentsOf(file: MnistFile, options: MnistOptions): Promise<FoundFile> {
  if (options.dataDir !== undefined) return findInFolder(options.dataDir, file);
  return findInCacheOrDownload(file, options);
}

/** The file in a folder of the caller's, under any of the names it goes by. */
async function findInFolder(folder: string, file: MnistFile): Promise<FoundFile> {
  const dotted = file.name.replace('-idx', '.idx');
  const names = [file.name, `${file.name}.gz`, dotted, `${dotted}.gz`];
  for (const name of names) {
    const path = join(folder, name);
    const packed = await readIfThere(path);
    if (packed !== undefined) return { path, contents: await unpack(packed, path) };
  }
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  throw fail('ERR_FILE', {
    op: 'mnist',
    expected: isFolder ? `one of ${names.join(', ')} in ${folder}` : `a folder at ${folder}`,
    received: isFolder ? 'none of them' : 'no folder there',
    hint: 'without dataDir (--data-dir) the files are downloaded',
  });
}

/**
 * The file from the cache, if it is there and right; else from a mirror, into the cache.
 *
 * @throws ERR_DATA when no mirror had it, ERR_FILE when the cache cannot be written, ERR_ABORTED
 */
export async function findInCacheOrDownload(file: MnistFile, options: MnistOptions): Promise<FoundFile> {
  const folder = options.cacheDir ?? join(cacheFolder(), 'mnist');
  const path = join(folder, `${file.name}.gz`);
  const cached = await readIfThere(path);
  if (cached !== undefined) {
    const contents = await verifiedContents(cached, file);
    if (typeof contents !== 'string') return { path, contents };
  }
  const packed = await download({
    urls: (options.mirrors ?? MNIST_MIRRORS).map((mirror) => `${mirror.replace(/\/$/, '')}/${file.name}.gz`),
    target: path,
    verify: async (bytes) => {
      const contents = await verifiedContents(bytes, file);
      return typeof contents === 'string' ? contents : undefined;
    },
    signal: options.signal,
    onProgress: options.onProgress,
    timeout: options.timeout,
    largest: LARGEST_PACKED,
  });
  return { path, contents: await unpack(packed, path) };
}

/** The contents, if they are the published ones, or what is wrong with them. */
async function verifiedContents(packed: Uint8Array, file: MnistFile): Promise<Uint8Array | string> {
  const contents = await unpack(packed, file.name).catch((error: Error) => error.message);
  if (typeof contents === 'string') return contents;
  const sha256 = createHash('sha256').update(contents).digest('hex');
  return sha256 === file.sha256
    ? contents
    : `wrong checksum: contents with SHA-256 ${sha256}, not ${file.sha256}`;
}

/** The bytes of a file, or nothing where there is none. */
async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_CONTENTS) {
      throw fail('ERR_DATA', {
        op: `reading ${path}`,
        expected: `a file of at most ${LARGEST_CONTENTS} bytes`,
        received: `${size} bytes`,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof ReceptiveError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fail('ERR_FILE', { op: 'mnist', expected: `to be able to read ${path}`, received: code, cause });
  }
}
