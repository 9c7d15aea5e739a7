// SPDX-License-Identifier: Apache-2.0
// A small space and small data for tests of the search: a training takes some milliseconds.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type SearchSpace, take, xo } from '../../lib/index.js';

const { train, test } = xo({ seed: 4, trainSize: 96, testSize: 48 });
export const DATA = { train, validation: test } as const;
export const TASK = { imageShape: train.imageShape, classes: 2 } as const;
export const FEW = { train: take(train, 16), validation: take(test, 16) } as const;

export const SMALL: SearchSpace = {
  layers: [
    { conv: { features: [2, 4], size: [3, 5], stride: 2 } },
    { pool: { kind: ['max', 'avg'], size: 2 }, optional: true },
    { linear: { features: [4, 8] }, repeat: [0, 1, 2] },
  ],
  training: { lr: { min: 0.001, max: 0.1, log: true }, batchSize: 16 },
};

/** The space in docs/search, which holds the default LeNet-5. */
export const LENET5_SPACE: SearchSpace = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../docs/search/lenet5.json', import.meta.url)), 'utf8'),
);

/** An empty folder that is gone after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'receptive-search-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
