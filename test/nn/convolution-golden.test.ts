// SPDX-License-Identifier: Apache-2.0
// Convolutions with dilation, groups and padding by rule, of sequences and transposed, against PyTorch's numbers: exact in
// float64, rounded in float32. The layouts are permuted here by hand, not by lib/io.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors, type StoredTensor } from '../../lib/io/safetensors.js';
import { loadWeights, saveWeights } from '../../lib/io/weights.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import * as nn from '../../lib/nn/index.js';
import { relu } from '../../lib/ops/activations.js';
import { convTranspose2d } from '../../lib/ops/conv-transpose2d.js';
import { conv1d } from '../../lib/ops/conv1d.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { reshape } from '../../lib/ops/reshape.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { channelsLast, expectRelative, readGolden } from '../helpers/golden.js';

interface Case {
  readonly name: string;
  readonly op: 'conv1d' | 'conv2d' | 'convTranspose2d';
  readonly options: object;
}

type Convolve = (x: Tensor, weight: Tensor, bias: Tensor | null, options: object) => Tensor;

const ops: Record<Case['op'], Convolve> = { conv1d, conv2d, convTranspose2d };

const golden = readGolden<Case[]>('convolutions.safetensors');

/** [a, c, …] as [a, …, c]. */
function turned(stored: StoredTensor): StoredTensor {
  const { shape, data } = stored;
  if (shape.length < 3) return stored;
  const [a, c, ...rest] = shape;
  const moved = channelsLast({
    shape: [a, c, 1, rest.reduce((product, length) => product * length, 1)],
    data,
  });
  return { shape: [a, ...rest, c], data: moved.data };
}
const at = (name: string) => turned(golden.at(name));

function check({ name, op, options }: Case, dtype: 'float32' | 'float64', tolerance: number, extra = {}) {
  using _scope = tensorScope();
  const keys = ['input', 'weight', 'bias'].filter((key) => golden.names(`${name}.${key}`).length > 0);
  const leaves = keys.map((key) => {
    const { data, shape } = at(`${name}.${key}`);
    return tensor(data, shape, { dtype, requiresGrad: true });
  });
  const output = ops[op](leaves[0], leaves[1], leaves[2] ?? null, { ...options, ...extra });
  expect(output.shape).toEqual(at(`${name}.output`).shape);
  expectRelative(output.data(), at(`${name}.output`).data, tolerance, `${name} output`);
  const grad = at(`${name}.output.grad`).data;
  output.backward(dtype === 'float64' ? (grad as Float64Array) : Float32Array.from(grad));
  keys.forEach((key, i) => {
    const wanted = at(`${name}.${key}.grad`).data;
    expectRelative(leaves[i].grad?.data() ?? [], wanted, tolerance, `${name} gradient of ${key}`);
    leaves[i].grad?.dispose();
  });
}

describe("PyTorch's numbers", () => {
  it('cover every operation', () => {
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
    expect(golden.cases.length).toBeGreaterThanOrEqual(26);
  });

  it.each(golden.cases.map((item) => [item.name, item] as const))('%s', (_, item) => {
    check(item, 'float64', 1e-13);
    check(item, 'float64', 1e-13, { algorithm: 'im2col' });
    const before = nativeInfo().isa;
    try {
      for (const isa of nativeInfo().supportedIsas) {
        setIsa(isa);
        check(item, 'float32', 2e-6);
        check(item, 'float32', 2e-6, { algorithm: 'im2col' });
      }
    } finally {
      setIsa(before);
    }
  });
});

class Net extends nn.Module {
  depthwise = new nn.Conv2d(6, 6, { kernelSize: 3, padding: 'same', groups: 6, dilation: 2 });
  grouped = new nn.Conv2d(6, 8, { kernelSize: [3, 2], stride: 2, groups: 2, bias: false });
  up = new nn.ConvTranspose2d(8, 4, {
    kernelSize: [3, 4],
    stride: 2,
    padding: 1,
    outputPadding: 1,
    groups: 4,
  });
  along = new nn.Conv1d(4, 6, { kernelSize: 3, padding: 1, groups: 2 });

  override forward(x: Tensor): Tensor {
    const y = this.up.call(relu(this.grouped.call(relu(this.depthwise.call(x)))));
    const [n, h, w, c] = y.shape;
    return this.along.call(reshape(y, [n, h * w, c]));
  }
}

describe("PyTorch's state dict", () => {
  it('loads by its names and orders, computes its numbers, and is saved as it was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'receptive-convolution-'));
    try {
      const prefix = 'net.state.';
      const state = golden.names(prefix).map((name) => [name.slice(prefix.length), golden.at(name)] as const);
      const [path, saved] = ['theirs', 'ours'].map((name) => join(folder, `${name}.safetensors`));
      await writeFile(path, encodeSafetensors(new Map(state)));
      using _scope = tensorScope();
      using model = new Net().to('float64');
      await loadWeights(model, path);
      const { data, shape } = at('net.input');
      const y = model.call(tensor(data, shape, { dtype: 'float64' }));
      expect(y.shape).toEqual(at('net.output').shape);
      expectRelative(y.data(), at('net.output').data, 1e-13, 'output');
      await saveWeights(model, saved);
      using again = new Net().to('float64');
      await loadWeights(again, saved);
      for (const [name, value] of again.stateDict()) {
        expect(value.data()).toEqual(at(`${prefix}${name}`).data);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
