// SPDX-License-Identifier: Apache-2.0
// Models against PyTorch, where they were written down once more: names and shapes of the state, logits in use, and gradients
// of those that have no ReLU.
import { describe, expect, it } from 'vitest';
import { exchangeLayouts } from '../../lib/io/pytorch-layout.js';
import { createModel } from '../../lib/models/registry.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import type { Module } from '../../lib/nn/module.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { channelsLast, expectRelative, readGolden } from '../helpers/golden.js';
import { pattern, patternState } from '../helpers/pattern.js';

interface Case {
  readonly name: string;
  readonly key: string;
  /** Of the images, [n, c, h, w]. */
  readonly shape: readonly [number, number, number, number];
  readonly classes: number;
  /** Names and PyTorch's shapes. */
  readonly state: readonly [name: string, shape: number[]][];
  readonly gradients: readonly string[];
}

const golden = readGolden<Case[]>('models.safetensors');

/** The model with PyTorch's state, in use. */
function filled({ name, shape, classes, state }: Case, dtype: 'float32' | 'float64'): Module {
  const [, c, h, w] = shape;
  const model = createModel(name, { inputShape: [h, w, c], classes }).model.to(dtype);
  const layouts = exchangeLayouts(model);
  const own = model.stateDict();
  const shapes = [...own.keys()].map((name) => [name, layouts.get(name)!.fileShape]);
  expect(Object.fromEntries(shapes)).toEqual(Object.fromEntries(state));
  state.forEach(([name, shape], salt) => {
    const target = own.get(name)!;
    const values = layouts.get(name)!.fromFile(patternState(name, shape, salt));
    target.write(target.dtype === 'float32' ? Float32Array.from(values) : values);
  });
  return model.eval();
}

function check(item: Case, dtype: 'float32' | 'float64', tolerance: number): void {
  const { key, shape, gradients } = item;
  using model = filled(item, dtype);
  using _scope = tensorScope();
  const [n, c, h, w] = shape;
  const last = channelsLast({ shape: [...shape], data: pattern(1000, n * c * h * w) });
  const logits = model.call(tensor(last.data, last.shape, { dtype }));
  expectRelative(logits.data(), golden.at(`${key}.logits`).data, tolerance, 'logits');
  if (gradients.length === 0) return;
  crossEntropy(logits, tensor(Int32Array.from({ length: n }, (_, i) => i))).backward();
  const layouts = exchangeLayouts(model);
  const parameters = new Map(model.namedParameters());
  for (const name of gradients) {
    const grad = layouts.get(name)!.toFile(parameters.get(name)!.grad!.data());
    expectRelative(grad, golden.at(`${key}.grad.${name}`).data, tolerance, `gradient of ${name}`);
  }
}

const isSmall = ({ name }: Case) => !/^(res|mobile)net/.test(name);

describe("PyTorch's numbers", () => {
  it.each(golden.cases.filter(isSmall).map((item) => [item.key, item] as const))('%s', (_, item) => {
    check(item, 'float64', 1e-12);
    const before = nativeInfo().isa;
    try {
      for (const isa of nativeInfo().supportedIsas) {
        setIsa(isa);
        check(item, 'float32', 2e-5);
      }
    } finally {
      setIsa(before);
    }
  });

  it.each(golden.cases.filter((item) => !isSmall(item)).map((item) => [item.key, item] as const))(
    '%s',
    (_, item) => check(item, 'float32', 2e-5),
  );
});
