// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { LeNet5 } from '../../lib/models/lenet5.js';
import { createModel, modelNames } from '../../lib/models/registry.js';
import { XONet } from '../../lib/models/xo.js';
import { summarize } from '../../lib/nn/summary.js';
import { withoutMemory } from '../../lib/nn/without-memory.js';
import { sum } from '../../lib/ops/reduce.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { refused } from '../helpers/refused.js';

/** Name, images, classes, parameters, and who says so. */
const MODELS: [string, number[], number, number, string][] = [
  ['lenet5', [28, 28, 1], 10, 61_706, 'every introduction'],
  ['lenet5-1998', [32, 32, 1], 10, 60_000, 'LeCun et al. 1998, II.B: 60,000 trainable free parameters'],
  ['xo', [24, 24, 1], 2, 19_906, 'by hand'],
  ['nielsen-conv', [28, 28, 1], 10, 289_630, 'by hand: 520 + 2,880 x 100 + 100 + 1,010'],
  ['nielsen-dropout', [28, 28, 1], 10, 1_672_570, 'by hand: 520 + 20,040 + 641,000 + 1,001,000 + 10,010'],
  [
    'deotte',
    [28, 28, 1],
    10,
    326_410,
    "Keras's summary of the notebook's net: 327,242 less the 832 running statistics",
  ],
  ['all-cnn-c', [32, 32, 3], 10, 1_369_738, 'Springenberg et al. 2015: 1.4 M; by hand from table 1'],
  ['cuda-convnet', [32, 32, 3], 10, 89_578, 'layers-18pct.cfg: 2,432 + 25,632 + 51,264 + 10,250'],
  ['vgg-cifar', [32, 32, 3], 10, 5_555_082, 'by hand'],
  ['resnet18-cifar', [32, 32, 3], 10, 11_173_962, 'kuangliu/pytorch-cifar'],
  ['resnet20-cifar', [32, 32, 3], 10, 269_722, 'akamaster/pytorch_resnet_cifar10; He et al. 2015: 0.27 M'],
  [
    'airbench94',
    [32, 32, 3],
    10,
    1_972_792,
    'Jordan 2024: 1.97 M; the sum that PyTorch gives for airbench94.py',
  ],
  ['alexnet', [224, 224, 3], 1000, 61_100_840, 'torchvision, AlexNet_Weights num_params'],
  ['vgg11', [224, 224, 3], 1000, 132_863_336, 'torchvision, VGG11_Weights num_params'],
  ['vgg16', [224, 224, 3], 1000, 138_357_544, 'torchvision, VGG16_Weights num_params'],
  ['resnet18', [224, 224, 3], 1000, 11_689_512, 'torchvision, ResNet18_Weights num_params'],
  ['resnet34', [224, 224, 3], 1000, 21_797_672, 'torchvision, ResNet34_Weights num_params'],
  ['resnet50', [224, 224, 3], 1000, 25_557_032, 'torchvision, ResNet50_Weights num_params'],
  ['mobilenet-v2', [224, 224, 3], 1000, 3_504_872, 'torchvision, MobileNet_V2_Weights num_params'],
];

describe('createModel', () => {
  it('knows its names', () => {
    expect(modelNames).toEqual(MODELS.map(([name]) => name));
  });

  it.each(MODELS)(
    '%s for %j and %i classes has %i parameters: %s',
    (name, inputShape, classes, parameters) => {
      const before = memory();
      const found = withoutMemory(() => {
        const { model, ...created } = createModel(name);
        return { ...created, parameters: model.parameterCount };
      });
      expect(found).toEqual({ name, inputShape, classes, parameters });
      expect(memory().bytes).toBe(before.bytes);
    },
  );

  it('gives large models their published work for one image', () => {
    const multiplyAdds = (name: string) =>
      withoutMemory(() => {
        const { model, inputShape } = createModel(name);
        return summarize(model, inputShape).reduce((total, layer) => total + layer.multiplyAdds, 0) / 1e9;
      });
    // torchvision's GFLOPS of convolutions and linear layers
    for (const [name, published] of [
      ['alexnet', 0.71],
      ['vgg11', 7.61],
      ['vgg16', 15.47],
      ['resnet18', 1.81],
      ['resnet34', 3.66],
      ['resnet50', 4.09],
      ['mobilenet-v2', 0.3],
    ] as const) {
      expect(multiplyAdds(name), name).toBeCloseTo(published, 2);
    }
  });

  it.each([
    ['lenet5', [12, 12, 1], 2],
    ['lenet5', [13, 31, 3], 7],
    ['xo', [4, 5, 2], 3],
    ['vgg-cifar', [16, 35, 1], 2],
    ['resnet18-cifar', [8, 9, 1], 2],
    ['resnet20-cifar', [8, 13, 4], 3],
    ['lenet5-1998', [28, 28, 2], 3],
    ['lenet5-1998', [32, 32, 1], 12],
    ['nielsen-conv', [6, 9, 2], 3],
    ['nielsen-dropout', [16, 17, 3], 4],
    ['deotte', [16, 19, 3], 4],
    ['all-cnn-c', [9, 14, 1], 2],
    ['cuda-convnet', [12, 15, 1], 3],
    ['cuda-convnet', [13, 22, 2], 2],
    ['airbench94', [9, 14, 1], 3],
    ['resnet18', [32, 37, 1], 2],
    ['resnet50', [33, 32, 2], 3],
    ['mobilenet-v2', [33, 32, 2], 3],
  ] as const)('%s for images %j learns %i classes', (name, inputShape, classes) => {
    using model = createModel(name, { inputShape, classes }).model;
    using _scope = tensorScope();
    const logits = model.call(randn([3, ...inputShape]));
    expect(logits.shape).toEqual([3, classes]);
    sum(logits).backward();
    expect(model.parameters().every(({ grad, requiresGrad }) => (grad !== null) === requiresGrad)).toBe(true);
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
    ['vgg-16', 'did you mean vgg16?'],
    ['inception', undefined],
    ['constructor', undefined],
  ])('refuses %j with the names it knows', (name, hint) => {
    expect(refused(() => createModel(name))).toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: `one of ${modelNames.join(', ')}`,
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
