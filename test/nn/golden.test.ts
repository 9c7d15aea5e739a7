// SPDX-License-Identifier: Apache-2.0
// One forward and backward pass of each layer against PyTorch's numbers: exact in float64, rounded in float32.
import { describe, expect, it } from 'vitest';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { relu, sigmoid, tanh } from '../../lib/ops/activations.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { linear } from '../../lib/ops/linear.js';
import { avgPool2d, lpPool2d, maxPool2d } from '../../lib/ops/pool2d.js';
import { softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, readGolden } from '../helpers/golden.js';

interface Case {
  readonly name: string;
  readonly op: keyof typeof ops;
  readonly options: {
    kernelSize: [number, number];
    stride: [number, number];
    padding: [number, number];
    countIncludePad?: boolean;
    labels?: number[];
  };
}

type Inputs = { input: Tensor; weight: Tensor; bias: Tensor | null };

const ops = {
  conv2d: ({ input, weight, bias }: Inputs, options: Case['options']) => conv2d(input, weight, bias, options),
  maxPool2d: ({ input }: Inputs, options: Case['options']) => maxPool2d(input, options),
  avgPool2d: ({ input }: Inputs, options: Case['options']) => avgPool2d(input, options),
  lpPool2d: ({ input }: Inputs, options: Case['options']) => lpPool2d(input, options),
  linear: ({ input, weight, bias }: Inputs) => linear(input, weight, bias),
  relu: ({ input }: Inputs) => relu(input),
  tanh: ({ input }: Inputs) => tanh(input),
  sigmoid: ({ input }: Inputs) => sigmoid(input),
  softmax: ({ input }: Inputs) => softmax(input),
  crossEntropy: ({ input }: Inputs, { labels }: Case['options']) =>
    crossEntropy(input, tensor(Int32Array.from(labels ?? []))),
};

const golden = readGolden<Case[]>('layers.safetensors');

function check({ name, op, options }: Case, dtype: 'float32' | 'float64', tolerance: number, extra = {}) {
  using _scope = tensorScope();
  const present = ['input', 'weight', 'bias'].filter((key) => golden.names(`${name}.${key}`).length > 0);
  const leaf = (key: string) => {
    if (!present.includes(key)) return null;
    const { data, shape } = golden.channelsLastAt(`${name}.${key}`);
    return tensor(data, shape, { dtype, requiresGrad: true });
  };
  const inputs = { input: leaf('input'), weight: leaf('weight'), bias: leaf('bias') };
  const output = ops[op](inputs as Inputs, { ...options, ...extra });
  expect(output.shape).toEqual(golden.channelsLastAt(`${name}.output`).shape);
  expectRelative(output.data(), golden.channelsLastAt(`${name}.output`).data, tolerance, `${name} output`);
  const grad = golden.channelsLastAt(`${name}.output.grad`).data;
  output.backward(dtype === 'float64' ? grad : Float32Array.from(grad));
  for (const key of present) {
    const wanted = golden.channelsLastAt(`${name}.${key}.grad`).data;
    const grad = inputs[key as keyof Inputs]?.grad;
    expectRelative(grad?.data() ?? [], wanted, tolerance, `${name} gradient of ${key}`);
    grad?.dispose();
  }
}

describe("PyTorch's numbers", () => {
  it('cover every layer', () => {
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
    expect(golden.cases.length).toBeGreaterThan(35);
  });

  it.each(golden.cases.map((item) => [item.name, item] as const))('%s', (_, item) => {
    check(item, 'float64', 1e-13);
    const before = nativeInfo().isa;
    try {
      for (const isa of nativeInfo().supportedIsas) {
        setIsa(isa);
        check(item, 'float32', 2e-6);
        if (item.op === 'conv2d') check(item, 'float32', 2e-6, { algorithm: 'im2col' });
      }
    } finally {
      setIsa(before);
    }
  });
});
