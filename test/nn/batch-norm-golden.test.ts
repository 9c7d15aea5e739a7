// SPDX-License-Identifier: Apache-2.0
// Batch normalisation, global average pooling and joined channels against PyTorch's numbers: exact in float64, rounded in
// float32 on every instruction set.
import { describe, expect, it } from 'vitest';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { batchNorm2d } from '../../lib/ops/batch-norm.js';
import { concat, padChannels } from '../../lib/ops/concat.js';
import { globalAvgPool2d } from '../../lib/ops/global-avg-pool.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, readGolden } from '../helpers/golden.js';

interface Case {
  readonly name: string;
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

function run({ op, options }: Case, of: Record<string, Tensor>): Tensor {
  const { input, weight = null, bias = null, runningMean = null, runningVar = null } = of;
  if (op === 'batchNorm2d') return batchNorm2d(input, weight, bias, { ...options, runningMean, runningVar });
  if (op === 'globalAvgPool2d') return globalAvgPool2d(input);
  if (op === 'padChannels') return padChannels(input, options.before ?? 0, options.after ?? 0);
  return concat([input, of.other0, of.other1].filter((part) => part !== undefined));
}

function check(item: Case, dtype: 'float32' | 'float64', tolerance: number): void {
  using _scope = tensorScope();
  const { name } = item;
  const has = (key: string) => golden.names(`${name}.${key}`).length > 0;
  const load = (key: string, requiresGrad: boolean) => {
    const { data, shape } = golden.channelsLastAt(`${name}.${key}`);
    return [key, tensor(data, shape, { dtype, requiresGrad })] as const;
  };
  const leaves = INPUTS.filter(has).map((key) => load(key, true));
  const statistics = STATISTICS.filter(has).map((key) => load(key, false));
  const output = run(item, Object.fromEntries([...leaves, ...statistics]));
  const wanted = golden.channelsLastAt(`${name}.output`);
  expect(output.shape).toEqual(wanted.shape);
  expectRelative(output.data(), wanted.data, tolerance, `${name} output`);
  const grad = golden.channelsLastAt(`${name}.output.grad`).data;
  output.backward(dtype === 'float64' ? grad : Float32Array.from(grad));
  for (const [key, leaf] of leaves) {
    const { data } = golden.channelsLastAt(`${name}.${key}.grad`);
    expectRelative(leaf.grad?.data() ?? [], data, tolerance, `${name} gradient of ${key}`);
    leaf.grad?.dispose();
  }
  for (const [key, statistic] of statistics) {
    const { data } = golden.at(`${name}.${key}.after`);
    expectRelative(statistic.data(), data, tolerance, `${name} ${key}`);
  }
}

describe("PyTorch's numbers", () => {
  it('cover every operation', () => {
    const covered = golden.cases.map(({ op }) => op);
    expect(new Set(covered)).toEqual(new Set(['batchNorm2d', 'globalAvgPool2d', 'concat', 'padChannels']));
    expect(golden.cases.length).toBeGreaterThanOrEqual(15);
  });

  it.each(golden.cases.map((item) => [item.name, item] as const))('%s', (_, item) => {
    check(item, 'float64', 1e-13);
    const before = nativeInfo().isa;
    try {
      for (const isa of nativeInfo().supportedIsas) {
        setIsa(isa);
        check(item, 'float32', 2e-6);
      }
    } finally {
      setIsa(before);
    }
  });
});
