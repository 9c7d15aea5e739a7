// SPDX-License-Identifier: Apache-2.0
// The batch normalisation layer, and buffers: state that is saved, loaded and converted with a module but not learnt.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../lib/io/safetensors.js';
import { loadWeights, saveWeights, weightsSha256 } from '../../lib/io/weights.js';
import * as nn from '../../lib/nn/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { randn } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { gradcheck } from '../helpers/gradients.js';
import { refused, refusedLater } from '../helpers/refused.js';

const KEYS = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'];

/** Runs a batch through a module and forgets the result. */
function see(module: nn.Module, shape: readonly number[]): void {
  tensorScope(() => void module.call(randn(shape)));
}

const stateOf = (module: nn.Module) =>
  [...module.stateDict()].map(([name, value]) => [name, value.dtype, [...value.data()]]);

describe('BatchNorm2d', () => {
  it("has PyTorch's keys and starts as PyTorch's does", () => {
    using layer = new nn.BatchNorm2d(2);
    expect(stateOf(layer)).toEqual([
      ['weight', 'float32', [1, 1]],
      ['bias', 'float32', [0, 0]],
      ['running_mean', 'float32', [0, 0]],
      ['running_var', 'float32', [1, 1]],
      ['num_batches_tracked', 'int32', [0]],
    ]);
    expect(layer.parameters()).toEqual([layer.weight, layer.bias]);
    expect(layer.namedBuffers().map(([name]) => name)).toEqual(KEYS.slice(2));
    expect(layer.parameterCount).toBe(4);
    expect(String(layer)).toBe('BatchNorm2d(2, eps=0.00001, momentum=0.1)');
  });

  it('counts batches while training, and changes nothing in use', () => {
    using layer = new nn.BatchNorm2d(3);
    for (let i = 0; i < 4; i++) see(layer, [2, 3, 3, 3]);
    expect(layer.numBatchesTracked?.item()).toBe(4);
    const before = weightsSha256(layer);
    layer.eval();
    see(layer, [1, 1, 1, 3]); // one pixel is enough in use
    expect(weightsSha256(layer)).toBe(before);
    expect(refused(() => see(layer.train(), [1, 1, 1, 3]))).toMatchObject({
      code: 'ERR_SHAPE',
      hint: 'use a larger batch, or eval() for single images',
    });
    expect(weightsSha256(layer)).toBe(before);
  });

  it('gives each channel mean bias and deviation weight', () => {
    using layer = new nn.BatchNorm2d(2).to('float64');
    nn.init.constant_(layer.weight!, 3);
    nn.init.constant_(layer.bias!, -1);
    using _scope = tensorScope();
    const y = layer.call(randn([5, 4, 4, 2], { dtype: 'float64', mean: 7, std: 20 })).data();
    for (const c of [0, 1]) {
      const channel = Array.from({ length: 80 }, (_, i) => y[2 * i + c]);
      const mean = channel.reduce((total, value) => total + value, 0) / 80;
      const variance = channel.reduce((total, value) => total + (value - mean) ** 2, 0) / 80;
      expect(mean).toBeCloseTo(-1, 12);
      expect(Math.sqrt(variance)).toBeCloseTo(3, 5);
    }
  });

  it('without weight and bias, and without running statistics', () => {
    using plain = new nn.BatchNorm2d(3, { affine: false, momentum: 1 });
    expect([...plain.stateDict().keys()]).toEqual(KEYS.slice(2));
    using alone = new nn.BatchNorm2d(3, { trackRunningStats: false });
    expect([...alone.stateDict().keys()]).toEqual(KEYS.slice(0, 2));
    using _scope = tensorScope();
    const x = randn([4, 2, 2, 3]);
    const training = alone.call(x).data();
    expect(alone.eval().call(x).data()).toEqual(training); // batches are all it knows
    plain.call(x);
    const inUse = plain.eval().call(x).data();
    expect(inUse).not.toEqual(training); // the unbiased variance of that batch
    expect(String(alone)).toContain('trackRunningStats=false');
    expect(String(plain)).toContain('affine=false');
  });

  it.each([true, false])(
    'has the gradients of finite differences in a network (training: %s)',
    (training) => {
      using _scope = tensorScope();
      using model = new nn.Sequential(
        new nn.Conv2d(2, 3, { kernelSize: 3, padding: 1, bias: false }),
        new nn.BatchNorm2d(3, { eps: 0.1 }),
        new nn.Tanh(),
        new nn.GlobalAvgPool2d(),
        new nn.Linear(3, 2),
      ).to('float64');
      model.train(training);
      const x = randn([2, 3, 3, 2], { dtype: 'float64', requiresGrad: true });
      gradcheck((x) => model.call(x), [x, ...model.parameters()]);
      x.grad?.dispose();
      model.zeroGrad();
    },
  );

  it.each([
    [0, {}],
    [2.5, {}],
    [3, { eps: -1 }],
    [3, { momentum: 2 }],
    [3, { momentum: null }],
    [3, { affin: false }],
  ])('refuses %j, %j', (features, options) => {
    expect(refused(() => new nn.BatchNorm2d(features, options as object)).code).toBe('ERR_ARGUMENT');
  });
});

describe('buffers', () => {
  it('are converted where they are floating, and freed with their module', () => {
    const before = memory().tensors;
    const model = new nn.Sequential(new nn.BatchNorm2d(2), new nn.BatchNorm2d(2));
    see(model, [2, 2, 2, 2]);
    const state = stateOf(model);
    model.to('float64');
    const types = stateOf(model).map(([, dtype]) => dtype);
    expect(types.slice(0, 5)).toEqual(['float64', 'float64', 'float64', 'float64', 'int32']);
    expect(stateOf(model.to('float32'))).toEqual(state);
    expect(memory().tensors).toBe(before + 10);
    model.dispose();
    expect(memory().tensors).toBe(before);
  });

  it('are found in arrays and by any name, each once', () => {
    class Counting extends nn.Module {
      readonly seen = new nn.Buffer([2], { value: 5 });
      readonly again = this.seen;
      readonly list = [new nn.Buffer([1], { dtype: 'uint8' }), new nn.Parameter([1])];
      override forward(x: ReturnType<typeof randn>) {
        return x;
      }
    }
    using module = new Counting();
    expect(module.namedBuffers().map(([name]) => name)).toEqual(['seen', 'list.0']);
    expect([...module.stateDict().keys()]).toEqual(['list.1', 'seen', 'list.0']);
    expect([...module.seen.data()]).toEqual([5, 5]);
    expect(module.seen.requiresGrad).toBe(false);
  });

  it('are loaded with the parameters, all or nothing', () => {
    using source = new nn.BatchNorm2d(3);
    using target = new nn.BatchNorm2d(3);
    see(source, [4, 2, 2, 3]);
    target.loadStateDict(source.stateDict());
    expect(stateOf(target)).toEqual(stateOf(source));
    const other = new Map(source.stateDict());
    other.delete('running_var');
    expect(refused(() => target.loadStateDict(other)).expected).toBe('also running_var');
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'receptive-buffers-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const path = () => join(folder, 'model.safetensors');

  it('hold running statistics, and counters as 64-bit numbers', async () => {
    using model = new nn.Sequential(new nn.Conv2d(1, 2, { kernelSize: 1 }), new nn.BatchNorm2d(2));
    for (let i = 0; i < 3; i++) see(model, [4, 2, 2, 1]);
    await saveWeights(model, path());
    const bytes = await readFile(path());
    expect(bytes.toString('latin1')).toContain('"1.num_batches_tracked":{"dtype":"I64","shape":[]');
    expect(decodeSafetensors(bytes).tensors.get('1.num_batches_tracked')).toEqual({
      shape: [],
      data: Int32Array.of(3),
      int64: true,
    });
    using copy = new nn.Sequential(new nn.Conv2d(1, 2, { kernelSize: 1 }), new nn.BatchNorm2d(2));
    const before = weightsSha256(copy);
    await loadWeights(copy, path());
    expect(stateOf(copy)).toEqual(stateOf(model));
    expect(weightsSha256(copy)).toBe(weightsSha256(model));
    expect(weightsSha256(copy)).not.toBe(before);
  });

  it('are refused with kinds of numbers that do not fit, and counters beyond 32 bits; nothing changes', async () => {
    using layer = new nn.BatchNorm2d(1);
    const before = stateOf(layer);
    const floats = () => ({ shape: [1], data: Float32Array.of(2) });
    const write = (changed: Record<string, StoredTensor>) => {
      const count = { shape: [], data: Int32Array.of(7) };
      const entries = KEYS.map((key): [string, StoredTensor] => [
        key,
        changed[key] ?? (key === 'num_batches_tracked' ? count : floats()),
      ]);
      return writeFile(path(), encodeSafetensors(new Map(entries)));
    };
    await write({ num_batches_tracked: { shape: [], data: Float32Array.of(7) } });
    expect(await refusedLater(loadWeights(layer, path()))).toMatchObject({
      code: 'ERR_DATA',
      expected: 'num_batches_tracked [] of whole numbers',
      received: '[]',
    });
    await write({ running_mean: { shape: [1], data: Int32Array.of(7), int64: true } });
    expect(await refusedLater(loadWeights(layer, path()))).toMatchObject({
      expected: 'running_mean [1]',
      received: '[1] of whole numbers',
    });
    await write({ num_batches_tracked: { shape: [], data: Int32Array.of(7), int64: true } });
    const file = await readFile(path());
    const at = file.indexOf(Buffer.from(BigInt64Array.of(7n).buffer));
    file.writeBigInt64LE(2n ** 31n, at);
    await writeFile(path(), file);
    expect(await refusedLater(loadWeights(layer, path()))).toMatchObject({
      code: 'ERR_DATA',
      expected: 'numbers of 32 bits in num_batches_tracked',
    });
    expect(stateOf(layer)).toEqual(before);
    await write({}); // I32 is taken as well
    await loadWeights(layer, path());
    expect(layer.numBatchesTracked?.item()).toBe(7);
  });
});

it('a scope frees what a forward pass in training kept for backward', () => {
  using layer = new nn.BatchNorm2d(2);
  const before = memory().tensors;
  tensorScope(() => {
    layer.call(
      tensor(
        new Float32Array(16).map((_, i) => i),
        [2, 2, 2, 2],
      ),
    );
  });
  expect(memory().tensors).toBe(before);
});
