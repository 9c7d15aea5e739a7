// SPDX-License-Identifier: Apache-2.0
// `cifar10` and `cifar100`: the 32 by 32 colour images of Krizhevsky, Nair and Hinton, from the original binary files: in a
// folder of the caller's (unpacked, or the archive), else from the archive in the cache, else from a mirror.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, fail } from '../errors.js';
import { CIFAR10_CLASSES, CIFAR100_CLASSES } from './cifar-classes.js';
import { ArrayDataset, type Dataset, type Normalization, type Split, take } from './dataset.js';
import { PUBLISHED_OPTIONS, type PublishedDatasetOptions } from './idx-images.js';
import {
  type FoundFile,
  findInCacheOrDownload,
  findInFolder,
  notInFolder,
  type PublishedFile,
} from './published.js';
import { readTar, type TarOptions } from './tar.js';

/** What tells the two sets apart. */
export interface CifarSet {
  readonly name: string;
  readonly archive: PublishedFile;
  /** The folder in the archive. */
  readonly folder: string;
  readonly trainFiles: readonly string[];
  readonly testFiles: readonly string[];
  /** Bytes before the pixels of a record; the last of them is the label. */
  readonly labelBytes: number;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
}

const MIRRORS: readonly string[] = [
  'https://www.cs.toronto.edu/~kriz',
  'http://www.cs.toronto.edu/~kriz', // the checksum guards it
];

function archive(dataset: string, name: string, sha256: string): PublishedFile {
  return {
    ...{ dataset, name, localNames: [name, name.replace(/\.gz$/, '')], sha256, of: 'file', mirrors: MIRRORS },
    largest: 2 ** 28, // both have about 170 MB
  };
}

export const CIFAR10: CifarSet = {
  name: 'cifar10',
  archive: archive(
    'cifar10',
    'cifar-10-binary.tar.gz', // MD5 c32a1d4ab5d03f1284b67883e8d87530
    'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  ),
  folder: 'cifar-10-batches-bin',
  trainFiles: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  testFiles: ['test_batch.bin'],
  labelBytes: 1,
  classNames: CIFAR10_CLASSES,
  normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }, // of the training set
};

export const CIFAR100: CifarSet = {
  name: 'cifar100',
  archive: archive(
    'cifar100',
    'cifar-100-binary.tar.gz', // MD5 03b5dce01913d631647c71ecec9e9cb8
    '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
  ),
  folder: 'cifar-100-binary',
  trainFiles: ['train.bin'],
  testFiles: ['test.bin'],
  labelBytes: 2, // of the 20 superclasses first
  classNames: CIFAR100_CLASSES,
  normalization: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
};

/**
 * CIFAR-10: images `[50000, 32, 32, 3]` to train with and `[10000, 32, 32, 3]` to test with, bytes, 10 classes.
 *
 * `dataDir` holds the files of `cifar-10-batches-bin`, that folder, or `cifar-10-binary.tar.gz`.
 *
 * @throws ERR_FILE for a folder or file that is missing; ERR_DATA for one that is not what it should be, or when no
 *   mirror had it; ERR_ABORTED
 */
export function cifar10(options: PublishedDatasetOptions = {}): Promise<Split> {
  return readCifar(CIFAR10, options);
}

/** CIFAR-100, by its 100 fine labels; `cifar-100-binary.tar.gz`. Otherwise as `cifar10`. */
export function cifar100(options: PublishedDatasetOptions = {}): Promise<Split> {
  return readCifar(CIFAR100, options);
}

/** @internal Also for sets of the same form in tests. */
export async function readCifar(set: CifarSet, options: PublishedDatasetOptions): Promise<Split> {
  checkOptions(set.name, options, PUBLISHED_OPTIONS);
  const files = await batchesOf(set, [...set.trainFiles, ...set.testFiles], options);
  const part = (names: readonly string[], size: number | undefined) => {
    const dataset = datasetOf(
      set,
      names.map((name) => files.get(name) as FoundFile),
    );
    return size === undefined ? dataset : take(dataset, size);
  };
  return { train: part(set.trainFiles, options.trainSize), test: part(set.testFiles, options.testSize) };
}

/** The images to test with; where the files are unpacked, from theirs alone. */
export async function readCifarTest(set: CifarSet, options: PublishedDatasetOptions): Promise<Dataset> {
  checkOptions(set.name, options, PUBLISHED_OPTIONS);
  const files = await batchesOf(set, set.testFiles, options);
  const test = datasetOf(
    set,
    set.testFiles.map((name) => files.get(name) as FoundFile),
  );
  return options.testSize === undefined ? test : take(test, options.testSize);
}

async function batchesOf(
  set: CifarSet,
  names: readonly string[],
  options: PublishedDatasetOptions,
): Promise<Map<string, FoundFile>> {
  const { dataDir, signal } = options;
  if (dataDir === undefined) {
    const { path, contents } = await findInCacheOrDownload(set.archive, options);
    return unpackBatches(names, path, { contents, signal });
  }
  const found = new Map<string, FoundFile>();
  for (const name of names) {
    const file = await findInFolder(dataDir, [name, join(set.folder, name)], set.name);
    if (file !== undefined) found.set(name, file);
  }
  if (found.size === names.length) return found;
  if (found.size === 0) {
    for (const name of set.archive.localNames) {
      const path = join(dataDir, name);
      if (await isFile(path)) return unpackBatches(names, path, { signal });
    }
  }
  const missing = names.filter((name) => !found.has(name));
  throw await notInFolder(
    set.name,
    dataDir,
    found.size > 0 ? missing : [...missing, set.folder, ...set.archive.localNames],
  );
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

/** The batch files of an archive. */
async function unpackBatches(
  names: readonly string[],
  path: string,
  options: TarOptions,
): Promise<Map<string, FoundFile>> {
  const nameOf = (entry: string) => names.find((name) => `/${entry}`.endsWith(`/${name}`));
  const found = new Map<string, FoundFile>();
  for await (const entry of readTar(path, { ...options, wants: (entry) => nameOf(entry) !== undefined })) {
    const name = nameOf(entry.path);
    if (name === undefined || entry.bytes === undefined) continue;
    found.set(name, { path: `${path}:${entry.path}`, contents: entry.bytes });
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length === 0) return found;
  throw fail('ERR_DATA', {
    op: `reading ${path}`,
    expected: `an archive with ${names.join(', ')}`,
    received: `one without ${missing.join(', ')}`,
  });
}

const SIZE = 32;
const PLANE = SIZE * SIZE;
const PIXELS = 3 * PLANE;

/** Records of labels and three planes, red, green and blue, become images of interleaved channels. */
function datasetOf(set: CifarSet, files: readonly FoundFile[]): Dataset {
  const record = set.labelBytes + PIXELS;
  for (const { path, contents } of files) {
    if (contents.length > 0 && contents.length % record === 0) continue;
    throw fail('ERR_DATA', {
      op: `reading ${path}`,
      expected: `whole records of ${record} bytes`,
      received: `${contents.length} bytes, ${contents.length / record} records`,
      hint: 'the file was cut off or is another: get it again',
    });
  }
  const counts = files.map(({ contents }) => contents.length / record);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const images = new Uint8Array(total * PIXELS);
  const labels = new Int32Array(total);
  let at = 0;
  for (const { path, contents } of files) {
    for (let start = 0; start < contents.length; start += record, at++) {
      labels[at] = contents[start + set.labelBytes - 1];
      if (labels[at] >= set.classNames.length) {
        throw fail('ERR_DATA', {
          op: `reading ${path}`,
          expected: `labels from 0 to ${set.classNames.length - 1}`,
          received: `${labels[at]} in record ${start / record}`,
        });
      }
      const planes = contents.subarray(start + set.labelBytes, start + record);
      const image = images.subarray(at * PIXELS, (at + 1) * PIXELS);
      for (let i = 0; i < PLANE; i++) {
        image[3 * i] = planes[i];
        image[3 * i + 1] = planes[PLANE + i];
        image[3 * i + 2] = planes[2 * PLANE + i];
      }
    }
  }
  const { name, classNames, normalization } = set;
  return new ArrayDataset({ name, images, labels, classNames, normalization, imageShape: [SIZE, SIZE, 3] });
}
