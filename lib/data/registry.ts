// SPDX-License-Identifier: Apache-2.0
// Data sets by name, as the command line and examples ask for them.

import { describe, didYouMean, fail } from '../errors.js';
import type { Split } from './dataset.js';
import type { DownloadProgress } from './download.js';
import { drawSplit } from './generated.js';
import { GLYPH_SERIES } from './glyphs.js';
import { mnist } from './mnist.js';
import { XO_SERIES } from './xo.js';

/** What a data set may need to know; each takes what concerns it and leaves the rest. */
export interface LoadOptions {
  /** Where files lie that need not be downloaded (`mnist`). */
  readonly dataDir?: string | undefined;
  /** Which pictures are drawn (`glyphs`, `xo`); default 1. */
  readonly seed?: number | undefined;
  /** How many samples; default: as many as the set has, or is usually drawn with. */
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const LOADERS: Readonly<Record<string, (options: LoadOptions) => Promise<Split>>> = {
  glyphs: (options) => drawSplit(GLYPH_SERIES, options),
  xo: (options) => drawSplit(XO_SERIES, options),
  mnist: ({ dataDir, trainSize, testSize, signal, onProgress }) =>
    mnist({ dataDir, trainSize, testSize, signal, onProgress }),
};

/** The names that `loadDataset` knows. */
export const datasetNames: readonly string[] = Object.freeze(Object.keys(LOADERS));

/**
 * Loads, draws or downloads a data set without blocking the event loop for long.
 *
 * @throws ERR_ARGUMENT for an unknown name; what the set itself refuses otherwise
 */
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<Split> {
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load !== undefined) return load(options);
  throw fail('ERR_ARGUMENT', {
    op: 'loadDataset',
    expected: `one of ${datasetNames.join(', ')}`,
    received: describe(name),
    hint: didYouMean(name, datasetNames),
  });
}
