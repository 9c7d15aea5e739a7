// SPDX-License-Identifier: Apache-2.0
// Data sets by name, as the command line and examples ask for them.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkBooleans,
  checkListeners,
  checkOptions,
  checkWhole,
  describe,
  didYouMean,
  fail,
} from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import { CIFAR10, CIFAR100, type CifarSet, readCifar, readCifarTest } from './cifar.js';
import { type Dataset, type Split, subset } from './dataset.js';
import type { DownloadProgress } from './download.js';
import { fashionMnist, fashionMnistTest } from './fashion-mnist.js';
import { imageFolder, splitOf } from './folder.js';
import { type DrawProgress, drawSplit, type PictureSeries } from './generated.js';
import { GLYPH_SERIES } from './glyphs.js';
import type { PublishedDatasetOptions } from './idx-images.js';
import type { ImageOptions, ImageProgress } from './image-source.js';
import { mnist, mnistTest } from './mnist.js';
import { packedParts, readPacked } from './packed.js';
import { type AnyDataset, type AnySplit, closeDatasets, openParts } from './packed-dataset.js';
import type { ImageReport } from './problems.js';
import { XO_SERIES } from './xo.js';

/** What a data set may need to know; each takes what concerns it and leaves the rest. */
export interface LoadOptions {
  /** Where files lie that need not be downloaded (all but `glyphs` and `xo`). */
  readonly dataDir?: string | undefined;
  /** Which pictures are drawn (`glyphs`, `xo`); default 1. */
  readonly seed?: number | undefined;
  /**
   * How many samples; default: as many as the set has, or is usually drawn with. Published sets give their first ones, `folder`
   * and `packed`, which are in the order of their classes, some that are evenly spread.
   */
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  /** 'test': load that part alone, with no need of the files of the other. Default: both. */
  readonly split?: 'test' | undefined;
  /**
   * Leave images in their file where they are in a packed one, for sets larger than memory: parts are then `PackedDataset`s,
   * to be closed. Default false; on Windows they are read into memory all the same.
   */
  readonly onDisk?: boolean | undefined;
  /** How pictures are read (`folder`). */
  readonly images?: ImageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** While pictures are decoded (`folder`). */
  readonly onImages?: ((progress: ImageProgress) => void) | undefined;
  /** What became of the files (`folder`). */
  readonly onReport?: ((report: ImageReport) => void) | undefined;
  /** While files are downloaded. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** While pictures are drawn (`glyphs`, `xo`): about every 10 ms, and at the end. */
  readonly onDraw?: ((progress: DrawProgress) => void) | undefined;
}

/** What draws or reads both parts, and the test part alone. */
interface Loader {
  readonly both: (options: LoadOptions) => Promise<AnySplit>;
  readonly test: (options: LoadOptions) => Promise<AnyDataset>;
}

function drawing(series: PictureSeries): Loader {
  const both = ({ seed, trainSize, testSize, signal, onDraw }: LoadOptions) =>
    drawSplit(series, { seed, trainSize, testSize, signal, onDraw });
  return { both, test: async (options) => (await both({ ...options, trainSize: 1 })).test };
}

function published(
  both: (options: PublishedDatasetOptions) => Promise<Split>,
  test: (options: PublishedDatasetOptions) => Promise<Dataset>,
): Loader {
  return {
    both: ({ dataDir, trainSize, testSize, signal, onProgress }) =>
      both({ dataDir, trainSize, testSize, signal, onProgress }),
    test: ({ dataDir, testSize, signal, onProgress }) => test({ dataDir, testSize, signal, onProgress }),
  };
}

/** Where a packed copy of a published set lies, if `dataDir` is one or holds one. */
async function packedCopy(name: string, dataDir: string | undefined): Promise<string | undefined> {
  if (dataDir === undefined) return undefined;
  const path = dataDir.endsWith('.pack') ? dataDir : join(dataDir, `${name}.pack`);
  return access(path).then(
    () => path,
    () => undefined,
  );
}

/** A published set, or a packed copy of it, such as of CIFAR-10 from JPEG files. */
function publishedOrPacked(set: CifarSet): Loader {
  const original = published(
    (options) => readCifar(set, options),
    (options) => readCifarTest(set, options),
  );
  const choose = async (options: LoadOptions) => {
    const copy = await packedCopy(set.name, options.dataDir);
    if (copy === undefined) return { loader: original, options };
    return { loader: PACKED, options: { ...options, dataDir: copy } };
  };
  return {
    both: async (options) => {
      const { loader, options: chosen } = await choose(options);
      return loader.both(chosen);
    },
    test: async (options) => {
      const { loader, options: chosen } = await choose(options);
      return loader.test(chosen);
    },
  };
}

function pathOf(name: string, { dataDir }: LoadOptions): string {
  if (dataDir !== undefined) return dataDir;
  throw fail('ERR_ARGUMENT', {
    op: 'loadDataset',
    expected: `a path for ${name}: ${name}:PATH, or dataDir (--data-dir)`,
    received: 'none',
  });
}

/** As many samples as asked for, evenly spread over a set that may be sorted. */
function spread(dataset: AnyDataset, count: number | undefined): AnyDataset {
  if (count === undefined) return dataset;
  checkWhole('loadDataset', 'a number of samples', count);
  if (count >= dataset.length) return dataset;
  return subset(
    dataset,
    Array.from({ length: count }, (_, i) => Math.floor((i * dataset.length) / count)),
  );
}

/** Sets of the user's, by path. */
function own(read: (options: LoadOptions) => Promise<AnySplit>): Loader {
  return {
    both: async (options) => {
      const { train, test } = await read(options);
      return { train: spread(train, options.trainSize), test: spread(test, options.testSize) };
    },
    test: async (options) => spread((await read(options)).test, options.testSize),
  };
}

const PACKED: Loader = {
  both: async (options) => {
    const { train, test } = await packedSplit(pathOf('packed', options), options);
    return { train: spread(train, options.trainSize), test: spread(test, options.testSize) };
  },
  test: async (options) => {
    const file = pathOf('packed', options);
    const used = usedParts(await packedParts(file));
    if (used.length < 2) return spread((await packedSplit(file, options)).test, options.testSize);
    const name = used[1];
    const parts = await partsOfFile(file, [name], options);
    return spread(parts.get(name) as AnyDataset, options.testSize);
  },
};

/** Which parts `splitOf` takes: one to train with and one to test with, or one to be divided. */
function usedParts(names: readonly string[]): readonly string[] {
  const test = ['test', 'validation'].find((name) => names.includes(name));
  if (names.includes('train')) return test === undefined ? ['train'] : ['train', test];
  return names.includes('all') ? ['all'] : names;
}

async function packedSplit(file: string, options: LoadOptions): Promise<AnySplit> {
  const parts = await partsOfFile(file, usedParts(await packedParts(file)), options);
  try {
    return splitOf(file, parts);
  } catch (error) {
    await closeDatasets(...parts.values());
    throw error;
  }
}

async function partsOfFile(
  file: string,
  parts: readonly string[],
  { signal, onDisk = false }: LoadOptions,
): Promise<ReadonlyMap<string, AnyDataset>> {
  const isLeft = onDisk && process.platform !== 'win32';
  return isLeft ? openParts(file, { parts, signal }) : readPacked(file, { parts, signal });
}

const FOLDER = own(async (options) => {
  const { images, signal, onImages, onReport } = options;
  const { report, ...split } = await imageFolder(pathOf('folder', options), { ...images, signal, onImages });
  onReport?.(report);
  return split;
});

const LOADERS: Readonly<Record<string, Loader>> = {
  glyphs: drawing(GLYPH_SERIES),
  xo: drawing(XO_SERIES),
  mnist: published(mnist, mnistTest),
  'fashion-mnist': published(fashionMnist, fashionMnistTest),
  cifar10: publishedOrPacked(CIFAR10),
  cifar100: publishedOrPacked(CIFAR100),
  folder: FOLDER,
  packed: PACKED,
};

const OPTIONS: readonly (keyof LoadOptions)[] = [
  ...(['dataDir', 'seed', 'trainSize', 'testSize', 'split', 'onDisk', 'images'] as const),
  ...(['signal', 'onProgress', 'onDraw', 'onImages', 'onReport'] as const),
];

/** The names that `loadDataset` knows. */
export const datasetNames: readonly string[] = Object.freeze(Object.keys(LOADERS));

/** Those that are drawn, and have no files. */
export const drawnNames: readonly string[] = Object.freeze(['glyphs', 'xo']);

/** What stands before and behind the colon of `folder:PATH` and `packed:FILE`; other names stand for themselves. */
export function splitName(name: string): { readonly name: string; readonly path: string | undefined } {
  const match = /^(folder|packed):(.+)$/s.exec(name);
  return match === null ? { name, path: undefined } : { name: match[1], path: match[2] };
}

/**
 * Loads, draws or downloads a data set without blocking the event loop for long.
 *
 * @param name one of `datasetNames`; `folder:PATH` is short for `folder` with a `dataDir`, and so is `packed:FILE`
 *
 * @throws ERR_ARGUMENT for an unknown name; what the set itself refuses otherwise
 */
export async function loadDataset(
  name: string,
  options: LoadOptions & { readonly split: 'test'; readonly onDisk: true },
): Promise<AnyDataset>;
export async function loadDataset(
  name: string,
  options: LoadOptions & { readonly onDisk: true },
): Promise<AnySplit>;
export async function loadDataset(
  name: string,
  options: LoadOptions & { readonly split: 'test' },
): Promise<Dataset>;
export async function loadDataset(name: string, options?: LoadOptions): Promise<Split>;
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<AnySplit | AnyDataset> {
  checkOptions('loadDataset', options, OPTIONS);
  const { split, signal, onProgress, onDraw, onImages, onReport } = options;
  checkListeners('loadDataset', signal, { onProgress, onDraw, onImages, onReport });
  checkBooleans('loadDataset', { onDisk: options.onDisk });
  if (options.dataDir !== undefined) {
    checkPath('loadDataset', options.dataDir, 'dataDir to be the path of a folder or file');
  }
  if (split !== undefined && split !== 'test') {
    throw fail('ERR_ARGUMENT', {
      op: 'loadDataset',
      expected: "split 'test' or none",
      received: describe(split),
    });
  }
  const { name: kind, path } = splitName(String(name));
  const load = Object.hasOwn(LOADERS, kind) ? LOADERS[kind] : undefined;
  if (load !== undefined) {
    const chosen = path === undefined ? options : { ...options, dataDir: path };
    return split === 'test' ? load.test(chosen) : load.both(chosen);
  }
  throw fail('ERR_ARGUMENT', {
    op: 'loadDataset',
    expected: `one of ${datasetNames.join(', ')}`,
    received: describe(name),
    hint: didYouMean(name, datasetNames),
  });
}
