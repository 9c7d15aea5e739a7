// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { LeNet5 } from '../../lib/models/lenet5.js';
import { createModel, modelNames } from '../../lib/models/registry.js';
import { XONet } from '../../lib/models/xo.js';
import { summarize } from '../../lib/nn/summary.js';
import { sum } from '../../lib/ops/reduce.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { refused } from '../helpers/refused.js';

describe('createModel', () => {
  it('knows its names', () => {
    expect(modelNames).toEqual(['lenet5', 'xo', 'vgg-cifar', 'resnet18-cifar', 'resnet20-cifar']);
  });

  it.each([
    ['lenet5', [28, 28, 1], 10, 61_706],
    ['xo', [24, 24, 1], 2, 19_906],
    ['vgg-cifar', [32, 32, 3], 10, 5_555_082],
    ['resnet18-cifar', [32, 32, 3], 10, 11_173_962],
    ['resnet20-cifar', [32, 32, 3], 10, 269_722],
  ] as const)(
    '%s has its own image size, classes and parameters',
    (name, inputShape, classes, parameters) => {
      const created = createModel(name);
      using model = created.model;
      expect(created).toMatchObject({ name, inputShape, classes });
      expect(model.parameterCount).toBe(parameters);
    },
  );

  it.each([
    ['lenet5', [12, 12, 1], 2],
    ['lenet5', [13, 31, 3], 7],
    ['xo', [4, 5, 2], 3],
    ['vgg-cifar', [16, 35, 1], 2],
    ['resnet18-cifar', [8, 9, 1], 2],
    ['resnet20-cifar', [8, 13, 4], 3],
  ] as const)('%s for images %j learns %i classes', (name, inputShape, classes) => {
    using model = createModel(name, { inputShape, classes }).model;
    using _scope = tensorScope();
    const logits = model.call(randn([3, ...inputShape]));
    expect(logits.shape).toEqual([3, classes]);
    sum(logits).backward();
    expect(model.parameters().every(({ grad }) => grad !== null)).toBe(true);
    model.zeroGrad();
  });

  it('gives the same weights for the same seed', () => {
    const weights = (seed: number) => {
      manualSeed(seed);
      using model = createModel('xo').model;
      return model.parameters().map((parameter) => [...parameter.data()]);
    };
    expect(weights(4)).toEqual(weights(4));
    expect(weights(4)).not.toEqual(weights(5));
  });

  it.each([
    ['lenet', 'did you mean lenet5?'],
    ['LeNet-5', 'did you mean lenet5?'],
    ['vgg16', undefined],
    ['constructor', undefined],
  ])('refuses %j with the names it knows', (name, hint) => {
    expect(refused(() => createModel(name))).toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: 'one of lenet5, xo, vgg-cifar, resnet18-cifar, resnet20-cifar',
      hint,
    });
  });

  it.each([
    { inputShape: [11, 28, 1] },
    { inputShape: [28, 28] },
    { inputShape: [28, 28, 0] },
    { inputShape: [28.5, 28, 1] },
    { classes: 0 },
    { classes: 2.5 },
  ])('refuses %j', (options) => {
    expect(refused(() => createModel('lenet5', options as object)).code).toBe('ERR_ARGUMENT');
  });
});

describe('LeNet-5', () => {
  it("has PyTorch's keys", () => {
    using model = new LeNet5();
    const names = ['conv1', 'conv2', 'fc1', 'fc2', 'fc3'].flatMap((name) => [
      `${name}.weight`,
      `${name}.bias`,
    ]);
    expect([...model.stateDict().keys()]).toEqual(names);
    expect(model.fc1.flattenedFrom).toEqual([5, 5, 16]);
  });

  it.each([
    ['modern', ['ReLU', 'MaxPool2d']],
    ['1998', ['Tanh', 'AvgPool2d']],
  ] as const)('%s runs its layers in order', (variant, [activation, pool]) => {
    using model = new LeNet5({ variant });
    const rows = summarize(model, [28, 28, 1]);
    const block = [activation, pool];
    const head = ['Flatten', 'Linear', activation, 'Linear', activation, 'Linear'];
    expect(rows.map(({ type }) => type)).toEqual(['Conv2d', ...block, 'Conv2d', ...block, ...head]);
    expect(rows.at(-1)?.outputShape).toEqual([1, 10]);
    expect(rows.reduce((total, { multiplyAdds }) => total + multiplyAdds, 0)).toBe(416_520);
  });

  it('names the layer where images of another size stop fitting', () => {
    using model = new LeNet5();
    using _scope = tensorScope();
    expect(refused(() => model.call(randn([1, 32, 32, 1])))).toMatchObject({
      code: 'ERR_SHAPE',
      path: 'fc1',
    });
  });

  it('refuses another variant, and options it does not have', () => {
    expect(refused(() => new LeNet5({ variant: '1989' as '1998' })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => new XONet({ clases: 3 } as object)).hint).toBe('did you mean classes?');
  });
});
