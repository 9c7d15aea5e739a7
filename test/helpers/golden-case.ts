// SPDX-License-Identifier: Apache-2.0
// One forward and backward pass against the numbers of a golden file, in both precisions and on every instruction set.
import { expect } from 'vitest';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, type Golden } from './golden.js';

export interface GoldenCase {
  readonly name: string;
  /** Shapes of tensors here, where they are not those of the file with the channels moved to the end. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

export type Operands = Readonly<Record<string, Tensor>>;

/** The names of the tensors of a case that have a gradient, and of those that the operation moves, if any. */
export interface OperandNames {
  readonly inputs: readonly string[];
  readonly statistics?: readonly string[];
}

function check<Case extends GoldenCase>(
  golden: Golden<unknown>,
  item: Case,
  names: OperandNames,
  run: (item: Case, of: Operands) => Tensor,
  dtype: 'float32' | 'float64',
  tolerance: number,
): void {
  using _scope = tensorScope();
  const { name, shapes = {} } = item;
  const has = (key: string) => golden.names(`${name}.${key}`).length > 0;
  const load = (key: string, requiresGrad: boolean) => {
    const { data, shape } = golden.channelsLastAt(`${name}.${key}`);
    return [key, tensor(data, shapes[key] ?? shape, { dtype, requiresGrad })] as const;
  };
  const leaves = names.inputs.filter(has).map((key) => load(key, true));
  const statistics = (names.statistics ?? []).filter(has).map((key) => load(key, false));
  const output = run(item, Object.fromEntries([...leaves, ...statistics]));
  const wanted = golden.channelsLastAt(`${name}.output`);
  expect(output.shape).toEqual(shapes.output ?? shapes.input ?? wanted.shape);
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

/** Runs `body` on every instruction set of this machine. */
export function onEveryIsa(body: (isa: string) => void): void {
  const before = nativeInfo().isa;
  try {
    for (const isa of nativeInfo().supportedIsas) {
      setIsa(isa);
      body(isa);
    }
  } finally {
    setIsa(before);
  }
}

/** Runs a case in float64, which must be exact, and in float32 on every instruction set, within 2e-6. */
export function checkGoldenCase<Case extends GoldenCase>(
  golden: Golden<unknown>,
  item: Case,
  names: OperandNames,
  run: (item: Case, of: Operands) => Tensor,
): void {
  check(golden, item, names, run, 'float64', 1e-13);
  onEveryIsa(() => check(golden, item, names, run, 'float32', 2e-6));
}
