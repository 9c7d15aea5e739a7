// SPDX-License-Identifier: Apache-2.0
// Batch normalisation, global average pooling and joined channels against PyTorch's numbers: exact in float64, rounded in
// float32 on every instruction set.
import { describe, expect, it } from 'vitest';
import { batchNorm2d } from '../../lib/ops/batch-norm.js';
import { concat, padChannels } from '../../lib/ops/concat.js';
import { globalAvgPool2d } from '../../lib/ops/global-avg-pool.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { readGolden } from '../helpers/golden.js';
import { checkGoldenCase, type GoldenCase, type Operands } from '../helpers/golden-case.js';

interface Case extends GoldenCase {
  readonly op: 'batchNorm2d' | 'globalAvgPool2d' | 'concat' | 'padChannels';
  readonly options: {
    training?: boolean;
    momentum?: number;
    eps?: number;
    before?: number;
    after?: number;
  };
}

const golden = readGolden<Case[]>('batch-norm.safetensors');
const INPUTS = ['input', 'weight', 'bias', 'other0', 'other1'];
const STATISTICS = ['runningMean', 'runningVar'];

function run({ op, options }: Case, of: Operands): Tensor {
  const { input, weight = null, bias = null, runningMean = null, runningVar = null } = of;
  if (op === 'batchNorm2d') return batchNorm2d(input, weight, bias, { ...options, runningMean, runningVar });
  if (op === 'globalAvgPool2d') return globalAvgPool2d(input);
  if (op === 'padChannels') return padChannels(input, options.before ?? 0, options.after ?? 0);
  return concat([input, of.other0, of.other1].filter((part) => part !== undefined));
}

describe("PyTorch's numbers", () => {
  it('cover every operation', () => {
    const covered = golden.cases.map(({ op }) => op);
    expect(new Set(covered)).toEqual(new Set(['batchNorm2d', 'globalAvgPool2d', 'concat', 'padChannels']));
    expect(golden.cases.length).toBeGreaterThanOrEqual(15);
  });

  it.each(golden.cases.map((item) => [item.name, item] as const))('%s', (_, item) => {
    checkGoldenCase(golden, item, { inputs: INPUTS, statistics: STATISTICS }, run);
  });
});
