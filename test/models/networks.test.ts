// SPDX-License-Identifier: Apache-2.0
// What networks are built of beside their parameters: LeNet-5 of 1998 as published, sizes that they refuse, and where.
import { describe, expect, it } from 'vitest';
import { AlexNet } from '../../lib/models/alexnet.js';
import { AllCnnC } from '../../lib/models/all-cnn-c.js';
import { CudaConvNet } from '../../lib/models/cuda-convnet.js';
import { DeotteNet } from '../../lib/models/deotte.js';
import {
  C3_TABLE,
  CodeDistance,
  LeNet5Of1998,
  PartialConv2d,
  ScaledTanh,
  Subsampling,
} from '../../lib/models/lenet5-1998.js';
import { digitCodes } from '../../lib/models/lenet5-1998-codes.js';
import { NielsenNet } from '../../lib/models/nielsen.js';
import { ResNet } from '../../lib/models/resnet.js';
import { Vgg } from '../../lib/models/vgg.js';
import type { Module } from '../../lib/nn/module.js';
import { summarize } from '../../lib/nn/summary.js';
import { withoutMemory } from '../../lib/nn/without-memory.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { AdamW } from '../../lib/optim/adam.js';
import { tensor, zeros } from '../../lib/tensor/create.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { gradcheck } from '../helpers/gradients.js';
import { refused } from '../helpers/refused.js';

describe('LeNet-5 of 1998', () => {
  it('has the parameters that the paper counts layer by layer', () => {
    using model = new LeNet5Of1998();
    const counts = summarize(model, [32, 32, 1])
      .filter(({ parameters }) => parameters > 0)
      .map(({ path, parameters, outputShape }) => [path, parameters, outputShape.slice(1)]);
    expect(counts).toEqual([
      ['c1', 156, [28, 28, 6]],
      ['s2', 12, [14, 14, 6]],
      ['c3', 1_516, [10, 10, 16]],
      ['s4', 32, [5, 5, 16]],
      ['c5', 48_120, [1, 1, 120]],
      ['f6', 10_164, [84]],
    ]);
    expect(new LeNet5Of1998({ output: 'softmax' }).parameterCount).toBe(60_850);
  });

  it('connects S2 to C3 as table I does', () => {
    expect(C3_TABLE.map(({ length }) => length)).toEqual([...Array(6).fill(3), ...Array(9).fill(4), 6]);
    const seenBy = (channel: number) => C3_TABLE.filter((row) => row.includes(channel)).length;
    expect([0, 1, 2, 3, 4, 5].map(seenBy)).toEqual(Array(6).fill(10)); // ten crosses in each row of the table
    using layer = new PartialConv2d(6, C3_TABLE, 5);
    using _scope = tensorScope();
    const x = randn([1, 5, 5, 6]);
    const at = (channel: number) => {
      const values = x.data().map((value, i) => (i % 6 === channel ? value + 1 : value));
      return layer.call(tensor(values, x.shape)).data();
    };
    const before = layer.call(x).data();
    for (let channel = 0; channel < 6; channel++) {
      const after = at(channel);
      const moved = C3_TABLE.flatMap((_, map) => (after[map] === before[map] ? [] : [map]));
      expect(moved).toEqual(C3_TABLE.flatMap((row, map) => (row.includes(channel) ? [map] : [])));
    }
  });

  it('has the gradients of finite differences', () => {
    manualSeed(3);
    using part = new PartialConv2d(3, [[0, 2], [1], [0, 1, 2]], 2).to('float64');
    using pool = new Subsampling(2).to('float64');
    using codes = new CodeDistance(3).to('float64');
    const squash = new ScaledTanh();
    using _scope = tensorScope();
    const leaf = (shape: number[]) => randn(shape, { dtype: 'float64', requiresGrad: true });
    const [x, y, z] = [leaf([2, 3, 4, 3]), leaf([2, 4, 5, 2]), leaf([2, 84])];
    gradcheck(() => squash.call(part.call(x)), [x, ...part.parameters()]);
    gradcheck(() => pool.call(y), [y, ...pool.parameters()]);
    gradcheck(() => codes.call(z), [z]);
  });

  it('squashes 1 to 1 and -1 to -1', () => {
    using _scope = tensorScope();
    const y = new ScaledTanh().call(tensor([1, -1, 0, 100])).data();
    [1, -1, 0, 1.7159].forEach((value, i) => {
      expect(y[i]).toBeCloseTo(value, 4);
    });
  });

  it('takes the class whose code is nearest', () => {
    using layer = new CodeDistance(10);
    using _scope = tensorScope();
    const codes = digitCodes(10);
    const logits = layer.call(tensor(codes, [10, 84])).data();
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const apart = [...codes.slice(a * 84, a * 84 + 84)].filter((value, i) => value !== codes[b * 84 + i]);
        expect(logits[a * 10 + b]).toBeCloseTo(-4 * apart.length, 3);
        if (a !== b) expect(apart.length).toBeGreaterThan(10);
      }
    }
  });

  it('learns 32 images by heart, with codes and with softmax', () => {
    for (const output of ['rbf', 'softmax'] as const) {
      manualSeed(5);
      using model = new LeNet5Of1998({ inputShape: [28, 28, 1], output });
      using optimizer = new AdamW(model.parameters(), { lr: 0.002 });
      using _scope = tensorScope();
      const images = randn([32, 28, 28, 1]);
      const labels = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 10));
      let last = Number.POSITIVE_INFINITY;
      for (let step = 0; step < 60; step++) {
        tensorScope(() => {
          optimizer.zeroGrad();
          const loss = crossEntropy(model.call(images), labels);
          loss.backward();
          optimizer.step();
          last = loss.item();
        });
      }
      optimizer.zeroGrad();
      expect(last, output).toBeLessThan(0.1);
    }
  });
});

describe('Nielsen', () => {
  it.each([
    [{ convolutions: 0 }, 79_510],
    [{}, 289_630],
    [{ convolutions: 2 }, 520 + 20_040 + 64_100 + 1_010],
    [{ convolutions: 2, hidden: [100, 100], activation: 'relu' }, 520 + 20_040 + 64_100 + 10_100 + 1_010],
    [{ convolutions: 2, hidden: [] }, 520 + 20_040 + 6_410],
  ] as const)('%j has %i parameters', (options, parameters) => {
    expect(withoutMemory(() => new NielsenNet(options).parameterCount)).toBe(parameters);
  });

  it('drops before each linear layer, where asked to', () => {
    using model = new NielsenNet({ convolutions: 2, hidden: [20, 20], activation: 'relu', dropout: 0.5 });
    const types = summarize(model, [28, 28, 1]).map(({ type }) => type);
    const block = ['Conv2d', 'ReLU', 'MaxPool2d'];
    const hidden = ['Dropout', 'Linear', 'ReLU'];
    expect(types).toEqual([...block, ...block, 'Flatten', ...hidden, ...hidden, 'Dropout', 'Linear']);
  });
});

describe('cuda-convnet', () => {
  it('is layers-18pct.cfg, layer by layer', () => {
    using model = new CudaConvNet();
    const rows = summarize(model, [32, 32, 3]).map(({ type, outputShape, parameters }) => [
      type,
      ...outputShape.slice(1),
      parameters,
    ]);
    expect(rows).toEqual([
      ['Conv2d', 32, 32, 32, 2_432],
      ['MaxPool2d', 16, 16, 32, 0],
      ['ReLU', 16, 16, 32, 0],
      ['LocalResponseNorm', 16, 16, 32, 0],
      ['Conv2d', 16, 16, 32, 25_632],
      ['ReLU', 16, 16, 32, 0],
      ['AvgPool2d', 8, 8, 32, 0],
      ['LocalResponseNorm', 8, 8, 32, 0],
      ['Conv2d', 8, 8, 64, 51_264],
      ['ReLU', 8, 8, 64, 0],
      ['AvgPool2d', 4, 4, 64, 0],
      ['Flatten', 1024, 0],
      ['Linear', 10, 10_250],
    ]);
  });
});

describe('deotte', () => {
  it('is the net of the notebook, layer by layer', () => {
    using model = new DeotteNet();
    const rows = summarize(model, [28, 28, 1])
      .filter(({ parameters }) => parameters > 0)
      .map(({ type, outputShape, parameters }) => [type, ...outputShape.slice(1), parameters]);
    expect(rows).toEqual([
      ['Conv2d', 26, 26, 32, 320],
      ['BatchNorm2d', 26, 26, 32, 64],
      ['Conv2d', 24, 24, 32, 9_248],
      ['BatchNorm2d', 24, 24, 32, 64],
      ['Conv2d', 12, 12, 32, 25_632],
      ['BatchNorm2d', 12, 12, 32, 64],
      ['Conv2d', 10, 10, 64, 18_496],
      ['BatchNorm2d', 10, 10, 64, 128],
      ['Conv2d', 8, 8, 64, 36_928],
      ['BatchNorm2d', 8, 8, 64, 128],
      ['Conv2d', 4, 4, 64, 102_464],
      ['BatchNorm2d', 4, 4, 64, 128],
      ['Linear', 128, 131_200],
      ['BatchNorm1d', 128, 256],
      ['Linear', 10, 1_290],
    ]);
  });
});

describe('what networks refuse', () => {
  it.each([
    ['LeNet5Of1998 for 30 x 30', () => new LeNet5Of1998({ inputShape: [30, 30, 1] })],
    ['LeNet5Of1998 for 28 x 32', () => new LeNet5Of1998({ inputShape: [28, 32, 1] })],
    ['LeNet5Of1998 for no channels', () => new LeNet5Of1998({ inputShape: [28, 28, 0] })],
    ['LeNet5Of1998 with codes for 11', () => new LeNet5Of1998({ classes: 11, output: 'rbf' })],
    ['LeNet5Of1998 with another output', () => new LeNet5Of1998({ output: 'svm' as never })],
    ['NielsenNet with three convolutions', () => new NielsenNet({ convolutions: 3 as never })],
    ['NielsenNet with a number of sizes', () => new NielsenNet({ hidden: 100 as never })],
    ['NielsenNet with a size of 0', () => new NielsenNet({ hidden: [100, 0] })],
    ['NielsenNet with tanh', () => new NielsenNet({ activation: 'tanh' as never })],
    ['NielsenNet that drops all', () => new NielsenNet({ dropout: 1 })],
    ['NielsenNet for 15 x 16', () => new NielsenNet({ inputShape: [15, 16, 1], convolutions: 2 })],
    ['AllCnnC for 8 x 8', () => new AllCnnC({ inputShape: [8, 8, 3] })],
    ['DeotteNet for 15 x 16', () => new DeotteNet({ inputShape: [15, 16, 1] })],
    ['DeotteNet with dropout', () => new DeotteNet({ dropout: 0.5 } as never)],
    ['CudaConvNet for 11 x 12', () => new CudaConvNet({ inputShape: [11, 12, 3] })],
    ['AlexNet for 62 x 63', () => new AlexNet({ inputShape: [62, 63, 3] })],
    ['Vgg of depth 12', () => new Vgg(12 as never)],
    ['Vgg for 31 x 32', () => new Vgg(16, { inputShape: [31, 32, 3] })],
    ['Vgg for no classes', () => new Vgg(11, { classes: 0 })],
    ['ResNet of depth 20', () => new ResNet(20 as never)],
    ['ResNet for 16 x 16', () => new ResNet(18, { inputShape: [16, 16, 3] })],
    ['ResNet with a misspelt option', () => new ResNet(18, { clases: 3 } as never)],
  ])('%s', (_, make) => {
    expect(refused(() => withoutMemory<unknown>(make)).code).toBe('ERR_ARGUMENT');
  });

  it.each<[string, () => Module, number[], string, RegExp]>([
    ['LeNet-5 of 1998, larger', () => new LeNet5Of1998(), [40, 40, 1], 'f6', /input \[n, 120\]/],
    ['LeNet-5 of 1998, smaller', () => new LeNet5Of1998(), [28, 28, 1], 'c5', /kernel no larger/],
    ['LeNet-5 of 1998, coloured', () => new LeNet5Of1998(), [32, 32, 3], 'c1', /1 channels/],
    ['Nielsen', () => new NielsenNet(), [32, 32, 1], 'classifier.0', /input \[n, 2880\]/],
    ['All-CNN-C', () => new AllCnnC(), [8, 8, 3], 'features.15', /kernel no larger/],
    ['deotte', () => new DeotteNet(), [32, 32, 1], 'classifier.0', /input \[n, 1024\]/],
    ['cuda-convnet', () => new CudaConvNet(), [40, 40, 3], 'fc10', /input \[n, 1024\]/],
    ['AlexNet', () => new AlexNet(), [32, 32, 3], 'features.12', /kernel no larger/],
    ['VGG-16', () => new Vgg(16), [16, 16, 3], 'features.30', /kernel no larger/],
    ['VGG-16, grey', () => new Vgg(16), [224, 224, 1], 'features.0', /3 channels/],
    ['ResNet-50, grey', () => new ResNet(50), [224, 224, 1], 'conv1', /3 channels/],
  ])('%s: an image of another size, naming the layer', (_, make, [h, w, c], path, expected) => {
    const error = refused(() => withoutMemory(() => make().call(zeros([1, h, w, c]))));
    expect(error).toMatchObject({ code: 'ERR_SHAPE', path });
    expect(error.expected).toMatch(expected);
  });
});
