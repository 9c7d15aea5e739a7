// SPDX-License-Identifier: Apache-2.0
// The table of operations: a row for each that lib/ops exports. test/op-table/complete.test.ts names what is missing.
import { activationOps } from './activations.js';
import { classifyOps } from './classify.js';
import { convolutionOps } from './convolutions.js';
import { definingOps } from './definitions.js';
import { elementwiseOps } from './elementwise.js';
import { lossOps } from './losses.js';
import { normalizationOps } from './normalizations.js';
import { poolingOps } from './poolings.js';
import type { Rows } from './row.js';

export const opTable: Rows = [
  ...activationOps,
  ...elementwiseOps,
  ...convolutionOps,
  ...poolingOps,
  ...normalizationOps,
  ...lossOps,
  ...classifyOps,
  ...definingOps,
];
