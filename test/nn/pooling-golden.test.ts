// SPDX-License-Identifier: Apache-2.0
// Poolings and resizing against PyTorch's numbers: exact in float64, rounded in float32 on every instruction set.
import { describe, expect, it } from 'vitest';
import * as lib from '../../lib/index.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, readGolden } from '../helpers/golden.js';

interface Case {
  readonly name: string;
  readonly op: keyof typeof ops;
  // biome-ignore lint/suspicious/noExplicitAny: options of all kinds, as the file has them
  readonly options: any;
}

const ops = {
  maxPool2d: lib.maxPool2d,
  avgPool2d: lib.avgPool2d,
  lpPool2d: lib.lpPool2d,
  maxPool1d: lib.maxPool1d,
  avgPool1d: lib.avgPool1d,
  lpPool1d: lib.lpPool1d,
  upsample: lib.upsample,
  globalMaxPool2d: lib.globalMaxPool2d,
  adaptiveMaxPool2d: (x: Tensor, { size }: Case['options']) => lib.adaptiveMaxPool2d(x, size),
  adaptiveAvgPool2d: (x: Tensor, { size }: Case['options']) => lib.adaptiveAvgPool2d(x, size),
  adaptiveMaxPool1d: (x: Tensor, { size }: Case['options']) => lib.adaptiveMaxPool1d(x, size),
  adaptiveAvgPool1d: (x: Tensor, { size }: Case['options']) => lib.adaptiveAvgPool1d(x, size),
  spatialPyramidPool2d: (x: Tensor, { levels, mode = 'max' }: Case['options']) =>
    lib.spatialPyramidPool2d(x, levels, { mode }),
};

const golden = readGolden<Case[]>('pooling.safetensors');

/** Channels last, of images and of sequences. */
function at(name: string) {
  const stored = golden.channelsLastAt(name);
  if (stored.shape.length !== 3) return stored;
  const [n, c, l] = stored.shape;
  const data = stored.data.map((_, i) => {
    const [sample, step, channel] = [Math.floor(i / (l * c)), Math.floor(i / c) % l, i % c];
    return stored.data[(sample * c + channel) * l + step];
  });
  return { shape: [n, l, c], data };
}

function check({ name, op, options }: Case, dtype: 'float32' | 'float64', tolerance: number) {
  using _scope = tensorScope();
  const { data, shape } = at(`${name}.input`);
  const x = tensor(data, shape, { dtype, requiresGrad: true });
  const output = (ops[op] as (x: Tensor, options: object) => Tensor)(x, options);
  const wanted = at(`${name}.output`);
  expect(output.shape).toEqual(wanted.shape);
  expectRelative(output.data(), wanted.data, tolerance, `${name} output`);
  const grad = at(`${name}.output.grad`).data;
  output.backward(dtype === 'float64' ? grad : Float32Array.from(grad));
  expectRelative(x.grad?.data() ?? [], at(`${name}.input.grad`).data, tolerance, `${name} gradient`);
}

describe("PyTorch's numbers", () => {
  it('cover every operation', () => {
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
    expect(golden.cases.length).toBeGreaterThanOrEqual(65);
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
