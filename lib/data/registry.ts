// SPDX-License-Identifier: Apache-2.0
// Data sets by name, as the command line and examples ask for them.

import { checkListeners, checkOptions, describe, didYouMean, fail } from '../errors.js';
import { CIFAR10, CIFAR100, readCifar, readCifarTest } from './cifar.js';
import type { Dataset, Split } from './dataset.js';
import type { DownloadProgress } from './download.js';
import { fashionMnist, fashionMnistTest } from './fashion-mnist.js';
import { type DrawProgress, drawSplit, type PictureSeries } from './generated.js';
import { GLYPH_SERIES } from './glyphs.js';
import type { PublishedDatasetOptions } from './idx-images.js';
import { mnist, mnistTest } from './mnist.js';
import { XO_SERIES } from './xo.js';

/** What a data set may need to know; each takes what concerns it and leaves the rest. */
export interface LoadOptions {
  /** Where files lie that need not be downloaded (all but `glyphs` and `xo`). */
  readonly dataDir?: string | undefined;
  /** Which pictures are drawn (`glyphs`, `xo`); default 1. */
  readonly seed?: number | undefined;
  /** How many samples; default: as many as the set has, or is usually drawn with. */
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  /** 'test': load that part alone, with no need of the files of the other. Default: both. */
  readonly split?: 'test' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** While files are downloaded. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** While pictures are drawn (`glyphs`, `xo`): about every 10 ms, and at the end. */
  readonly onDraw?: ((progress: DrawProgress) => void) | undefined;
}

/** What draws or reads both parts, and the test part alone. */
interface Loader {
  readonly both: (options: LoadOptions) => Promise<Split>;
  readonly test: (options: LoadOptions) => Promise<Dataset>;
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

const LOADERS: Readonly<Record<string, Loader>> = {
  glyphs: drawing(GLYPH_SERIES),
  xo: drawing(XO_SERIES),
  mnist: published(mnist, mnistTest),
  'fashion-mnist': published(fashionMnist, fashionMnistTest),
  cifar10: published(
    (options) => readCifar(CIFAR10, options),
    (options) => readCifarTest(CIFAR10, options),
  ),
  cifar100: published(
    (options) => readCifar(CIFAR100, options),
    (options) => readCifarTest(CIFAR100, options),
  ),
};

const OPTIONS: readonly (keyof LoadOptions)[] = [
  ...(['dataDir', 'seed', 'trainSize', 'testSize', 'split', 'signal', 'onProgress', 'onDraw'] as const),
];

/** The names that `loadDataset` knows. */
export const datasetNames: readonly string[] = Object.freeze(Object.keys(LOADERS));

/** Those that are drawn, and have no files. */
export const drawnNames: readonly string[] = Object.freeze(['glyphs', 'xo']);

/**
 * Loads, draws or downloads a data set without blocking the event loop for long.
 *
 * @throws ERR_ARGUMENT for an unknown name; what the set itself refuses otherwise
 */
export async function loadDataset(
  name: string,
  options: LoadOptions & { readonly split: 'test' },
): Promise<Dataset>;
export async function loadDataset(name: string, options?: LoadOptions): Promise<Split>;
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<Split | Dataset> {
  checkOptions('loadDataset', options, OPTIONS);
  const { split, signal, onProgress, onDraw } = options;
  checkListeners('loadDataset', signal, { onProgress, onDraw });
  if (split !== undefined && split !== 'test') {
    throw fail('ERR_ARGUMENT', {
      op: 'loadDataset',
      expected: "split 'test' or none",
      received: describe(split),
    });
  }
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load !== undefined) return split === 'test' ? load.test(options) : load.both(options);
  throw fail('ERR_ARGUMENT', {
    op: 'loadDataset',
    expected: `one of ${datasetNames.join(', ')}`,
    received: describe(name),
    hint: didYouMean(name, datasetNames),
  });
}
