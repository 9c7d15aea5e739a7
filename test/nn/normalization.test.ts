// SPDX-License-Identifier: Apache-2.0
// Activation and normalisation layers: gradients in networks, keys and shapes of their state, files in PyTorch's order, and
// what is refused when they are made.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../lib/io/safetensors.js';
import { loadWeights, saveWeights, weightsSha256 } from '../../lib/io/weights.js';
import * as nn from '../../lib/nn/index.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { gradcheck } from '../helpers/gradients.js';
import { refused } from '../helpers/refused.js';

interface Row {
  readonly make: () => nn.Module;
  readonly shape: readonly number[];
  /** Names of the parameters and buffers, and their shapes. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly text: string;
}

const running = (c: number) => ({ running_mean: [c], running_var: [c], num_batches_tracked: [] });

const rows: Row[] = [
  { make: () => new nn.ELU(), shape: [2, 3], state: {}, text: 'ELU(alpha=1)' },
  { make: () => new nn.GELU(), shape: [2, 3], state: {}, text: "GELU(approximate='none')" },
  {
    make: () => new nn.GELU({ approximate: 'tanh' }),
    shape: [2, 3],
    state: {},
    text: "GELU(approximate='tanh')",
  },
  { make: () => new nn.Hardswish(), shape: [2, 3], state: {}, text: 'Hardswish()' },
  { make: () => new nn.LeakyReLU(), shape: [2, 3], state: {}, text: 'LeakyReLU(negativeSlope=0.01)' },
  { make: () => new nn.LogSoftmax(), shape: [2, 3], state: {}, text: 'LogSoftmax()' },
  { make: () => new nn.ReLU6(), shape: [2, 3], state: {}, text: 'ReLU6()' },
  { make: () => new nn.SiLU(), shape: [2, 3], state: {}, text: 'SiLU()' },
  { make: () => new nn.Softplus(), shape: [2, 3], state: {}, text: 'Softplus(beta=1, threshold=20)' },
  { make: () => new nn.PReLU(), shape: [2, 3], state: { weight: [1] }, text: 'PReLU(numParameters=1)' },
  {
    make: () => new nn.PReLU(3),
    shape: [2, 2, 2, 3],
    state: { weight: [3] },
    text: 'PReLU(numParameters=3)',
  },
  {
    make: () => new nn.BatchNorm1d(3, { eps: 0.1 }),
    shape: [4, 3],
    state: { weight: [3], bias: [3], ...running(3) },
    text: 'BatchNorm1d(3, eps=0.1, momentum=0.1)',
  },
  {
    make: () => new nn.BatchNorm1d(3, { affine: false }),
    shape: [2, 4, 3],
    state: running(3),
    text: 'BatchNorm1d(3, eps=0.00001, momentum=0.1, affine=false)',
  },
  {
    make: () => new nn.GroupNorm(2, 4),
    shape: [2, 2, 2, 4],
    state: { weight: [4], bias: [4] },
    text: 'GroupNorm(2, 4, eps=0.00001)',
  },
  {
    make: () => new nn.GroupNorm(1, 3, { affine: false, eps: 0.5 }),
    shape: [2, 2, 3],
    state: {},
    text: 'GroupNorm(1, 3, eps=0.5, affine=false)',
  },
  {
    make: () => new nn.LayerNorm([2, 3]),
    shape: [2, 2, 3],
    state: { weight: [2, 3], bias: [2, 3] },
    text: 'LayerNorm([2, 3], eps=0.00001)',
  },
  {
    make: () => new nn.LayerNorm(5, { bias: false }),
    shape: [3, 5],
    state: { weight: [5] },
    text: 'LayerNorm([5], eps=0.00001, bias=false)',
  },
  {
    make: () => new nn.LayerNorm(5, { elementwiseAffine: false }),
    shape: [3, 5],
    state: {},
    text: 'LayerNorm([5], eps=0.00001, elementwiseAffine=false)',
  },
  {
    make: () => new nn.LocalResponseNorm(5, { k: 2 }),
    shape: [2, 2, 2, 4],
    state: {},
    text: 'LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=2)',
  },
];

describe.each(rows.map((row) => ({ ...row, name: `${row.text} of [${row.shape}]` })))('$name', (row) => {
  it("has PyTorch's keys, and frees what it holds", () => {
    const before = memory().tensors;
    const layer = row.make();
    const state = Object.fromEntries([...layer.stateDict()].map(([name, { shape }]) => [name, [...shape]]));
    expect(state).toEqual(row.state);
    expect(String(layer)).toBe(row.text);
    layer.dispose();
    expect(memory().tensors).toBe(before);
  });

  it('has the gradients of finite differences between other layers', () => {
    manualSeed(3);
    using _scope = tensorScope();
    const features = row.shape[row.shape.length - 1];
    const sample = row.shape.slice(1).reduce((product, length) => product * length, 1);
    using model = new nn.Sequential(
      row.make(),
      new nn.Flatten(),
      new nn.Linear(sample, features),
      new nn.Tanh(),
    ).to('float64');
    const x = randn(row.shape, { dtype: 'float64', requiresGrad: true });
    gradcheck((x) => model.call(x), [x, ...model.parameters()]);
  });

  it('is a row of a summary', () => {
    using layer = row.make();
    const [line, ...others] = nn.summarize(new nn.Sequential(layer), row.shape.slice(1));
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      path: '0',
      type: row.text.replace(/\(.*/, ''),
      outputShape: [1, ...row.shape.slice(1)],
      parameters: layer.parameterCount,
      multiplyAdds: 0,
    });
  });
});

it('begin as those of PyTorch do', () => {
  using layers = new nn.Sequential(
    new nn.PReLU(2),
    new nn.PReLU(1, { init: -1 }),
    new nn.GroupNorm(1, 2),
    new nn.LayerNorm(2),
  );
  const values = Object.fromEntries(
    [...layers.stateDict()].map(([name, value]) => [name, [...value.data()]]),
  );
  expect(values).toEqual({
    '0.weight': [0.25, 0.25],
    '1.weight': [-1],
    '2.weight': [1, 1],
    '2.bias': [0, 0],
    '3.weight': [1, 1],
    '3.bias': [0, 0],
  });
});

it('group and layer normalisation do the same while training and in use, batch normalisation does not', () => {
  using _scope = tensorScope();
  const x = randn([4, 6]);
  const apart = (layer: nn.Module) => {
    using owned = layer;
    const training = owned.call(x).data();
    return !Buffer.from(training.buffer).equals(Buffer.from(owned.eval().call(x).data().buffer));
  };
  expect([new nn.GroupNorm(2, 6), new nn.LayerNorm(6), new nn.BatchNorm1d(6)].map(apart)).toEqual([
    false,
    false,
    true,
  ]);
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'receptive-norm-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('hold the channels of a layer normalisation first', async () => {
    const path = join(folder, 'model.safetensors');
    const build = () =>
      new nn.Sequential(new nn.LayerNorm([2, 3, 4]), new nn.LayerNorm([3, 4]), new nn.LayerNorm(4));
    using model = build();
    for (const parameter of model.parameters()) {
      parameter.write(Float32Array.from({ length: parameter.size }, (_, i) => i));
    }
    await saveWeights(model, path);
    const { tensors } = decodeSafetensors(await readFile(path));
    const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      '0.weight': [4, 2, 3],
      '0.bias': [4, 2, 3],
      '1.weight': [4, 3],
      '1.bias': [4, 3],
      '2.weight': [4],
      '2.bias': [4],
    });
    // Element [h, w, c] = 12 h + 4 w + c here
    const channel = [0, 4, 8, 12, 16, 20];
    expect([...tensors.get('0.weight')!.data]).toEqual(
      [0, 1, 2, 3].flatMap((c) => channel.map((at) => at + c)),
    );
    expect([...tensors.get('2.bias')!.data]).toEqual([0, 1, 2, 3]);
    using copy = build();
    await loadWeights(copy, path);
    expect(weightsSha256(copy)).toBe(weightsSha256(model));
    expect([...copy.parameters()[0].data()]).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });
});

const bad = (value: unknown) => value as never;

it.each<[string, () => unknown, string]>([
  ['ELU', () => new nn.ELU(NaN), 'alpha to be a finite number'],
  ['GELU', () => new nn.GELU({ approximate: bad('exact') }), "approximate to be 'none' or 'tanh'"],
  ['LeakyReLU', () => new nn.LeakyReLU(bad('0.1')), 'negativeSlope to be a finite number'],
  ['Softplus', () => new nn.Softplus({ beta: 0 }), 'beta to be a finite number above 0'],
  ['PReLU', () => new nn.PReLU(0), 'numParameters to be a whole number of at least 1'],
  ['PReLU', () => new nn.PReLU(2, { init: Infinity }), 'init to be a finite number'],
  ['BatchNorm1d', () => new nn.BatchNorm1d(2.5), 'features to be a whole number of at least 1'],
  ['BatchNorm1d', () => new nn.BatchNorm1d(2, { momentum: 2 }), 'momentum from 0 to 1'],
  ['BatchNorm1d', () => new nn.BatchNorm1d(2, { affine: bad('no') }), 'affine to be true or false'],
  ['GroupNorm', () => new nn.GroupNorm(3, 8), 'numGroups that divides 8 channels'],
  ['GroupNorm', () => new nn.GroupNorm(0, 8), 'numGroups to be a whole number of at least 1'],
  ['GroupNorm', () => new nn.GroupNorm(2, bad(undefined)), 'numChannels to be a whole number of at least 1'],
  ['GroupNorm', () => new nn.GroupNorm(2, 4, { eps: -1 }), 'eps of at least 0'],
  ['GroupNorm', () => new nn.GroupNorm(2, 4, { affine: bad(0) }), 'affine to be true or false'],
  ['LayerNorm', () => new nn.LayerNorm([]), 'normalizedShape of one dimension or more'],
  ['LayerNorm', () => new nn.LayerNorm(4, { bias: bad('yes') }), 'bias to be true or false'],
  [
    'LayerNorm',
    () => new nn.LayerNorm(4, bad({ affine: true })),
    'only the options eps, elementwiseAffine, bias',
  ],
  ['LocalResponseNorm', () => new nn.LocalResponseNorm(0), 'size to be a whole number of at least 1'],
  ['LocalResponseNorm', () => new nn.LocalResponseNorm(5, { k: -1 }), 'k of at least 0'],
])('%s refuses what it cannot be made with', (op, make, expected) => {
  const before = memory().tensors;
  expect(refused(make)).toMatchObject({ code: 'ERR_ARGUMENT', op, expected });
  expect(memory().tensors).toBe(before);
});

it('names the layer that got a wrong image', () => {
  using model = new nn.Sequential(new nn.Conv2d(1, 6, { kernelSize: 1 }), new nn.GroupNorm(2, 4));
  using _scope = tensorScope();
  expect(refused(() => tensorScope(() => model.call(randn([1, 2, 2, 1]))))).toMatchObject({
    code: 'ERR_SHAPE',
    path: '1',
    expected: 'weight [6], one for each channel of input [1, 2, 2, 6]',
  });
});
