// SPDX-License-Identifier: Apache-2.0
// Frozen parameters: no gradient of them is computed, nothing is kept for them, nothing changes them.
import { describe, expect, it } from 'vitest';
import {
  capture,
  crossEntropy,
  fit,
  manualSeed,
  nn,
  optim,
  type Tensor,
  tensor,
  tensorScope,
} from '../../lib/index.js';
import { refused } from '../helpers/refused.js';
import { halves, linearModel, weightsOf } from './tiny.js';

const SHAPE = [2, 6, 6, 1] as const;
const images = Float32Array.from({ length: 72 }, (_, i) => Math.sin(i));
const labels = Int32Array.of(0, 1);

class Net extends nn.Module {
  readonly body = new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 3 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Conv2d(4, 4, { kernelSize: 3 }),
    new nn.Flatten(),
  );
  readonly head = new nn.Linear(16, 2);

  override forward(x: Tensor): Tensor {
    return this.head.call(this.body.call(x));
  }
}

const make = () => {
  manualSeed(5);
  return new Net();
};
const optimizers = {
  'SGD with weight decay': (params: Tensor[]) =>
    new optim.SGD(params, { lr: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  AdamW: (params: Tensor[]) => new optim.AdamW(params),
  Lion: (params: Tensor[]) => new optim.Lion(params, { weightDecay: 0.1 }),
};

describe('freeze', () => {
  it('is for a module and all below it, and can be undone', () => {
    using net = make();
    expect(net.body.freeze()).toBe(net.body);
    expect(net.parameters().map(({ requiresGrad }) => requiresGrad)).toEqual([
      ...new Array(6).fill(false),
      ...[true, true],
    ]);
    net.freeze(false);
    expect(net.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
    expect(refused(() => net.freeze('no' as never)).code).toBe('ERR_ARGUMENT');
  });

  it('keeps statistics where that is asked for, until it is undone', () => {
    using net = make();
    const norm = net.body.at(1) as nn.BatchNorm2d;
    const modes = () => [net.training, net.body.training, norm.training, net.head.training];
    net.body.freeze(true, { statistics: true });
    expect(modes()).toEqual([true, false, false, true]);
    net.train();
    expect(modes()).toEqual([true, false, false, true]);
    tensorScope(() => net.call(tensor(images, SHAPE)));
    expect(norm.runningMean?.data()).toEqual(new Float32Array(4));
    net.eval();
    net.body.freeze();
    net.train();
    expect(modes()).toEqual([true, true, true, true]);
    net.body.freeze(true, { statistics: true });
    net.freeze(false);
    net.train();
    tensorScope(() => net.call(tensor(images, SHAPE)));
    expect(norm.runningMean?.data()).not.toEqual(new Float32Array(4));
    expect(refused(() => net.freeze(true, { statistics: 1 as never })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => net.freeze(true, { stats: true } as never)).code).toBe('ERR_ARGUMENT');
  });

  it('cannot be done to a snapshot', async () => {
    using net = make();
    using snapshot = await net.snapshot();
    expect(refused(() => snapshot.freeze()).received).toBe('a snapshot');
  });
});

describe.each(Object.entries(optimizers))('%s', (_, optimizer) => {
  it('leaves frozen weights, eager and recorded, and computes no gradient of them', () => {
    const results = (['eager', 'recorded'] as const).map((how) => {
      using net = make();
      net.body.freeze();
      using own = optimizer(net.parameters());
      const before = weightsOf(net.body);
      if (how === 'recorded') {
        using plan = capture({ model: net, optimizer: own }, { input: SHAPE });
        const { operations } = plan.describe();
        expect(
          operations.filter((name) => /conv2d_grad|batch_norm_backward|relu_backward/.test(name)),
        ).toEqual([]);
        expect(operations.filter((name) => name.startsWith('linear_grad_input'))).toEqual([]);
        expect(operations.filter((name) => name.includes('_update'))).toHaveLength(2);
        plan.runSync({ images: new Float32Array([...images, ...images]), labels: Int32Array.of(0, 1, 0, 1) });
      } else {
        net.train();
        for (let step = 0; step < 2; step++) {
          tensorScope(() => {
            own.zeroGrad();
            const logits = net.call(tensor(images, SHAPE));
            const loss = crossEntropy(logits, tensor(labels));
            loss.backward();
            expect(net.body.parameters().every(({ grad }) => grad === null)).toBe(true);
            own.step();
          });
        }
      }
      expect(weightsOf(net.body)).toEqual(before);
      const kept = [...own.stateDict().tensors.keys()].map((name) => name.split('.')[1]);
      expect(new Set(kept)).toEqual(new Set(['6', '7']));
      return [weightsOf(net), ...[...net.stateDict().values()].map((value) => [...value.data()])];
    });
    expect(results[1]).toEqual(results[0]);
  });

  it('leaves a weight whose old gradient is still there', () => {
    using weight = tensor([1, 2], [2], { requiresGrad: true });
    using own = optimizer([weight]);
    weight.grad = tensor([1, 1]);
    weight.requiresGrad = false;
    own.step();
    expect([...weight.data()]).toEqual([1, 2]);
    weight.requiresGrad = true;
    own.step();
    expect(weight.data()[0]).not.toBe(1);
  });
});

describe('fit', () => {
  it('trains what is not frozen, and more after it was let go', async () => {
    for (const capture of [true, false]) {
      const model = new nn.Sequential(
        new nn.Flatten(),
        new nn.Linear(4, 4),
        new nn.Tanh(),
        new nn.Linear(4, 2),
      );
      const [, first] = model
        .modules()
        .filter((module) => module instanceof nn.Linear)
        .reverse();
      first.freeze();
      const before = weightsOf(first);
      using adam = new optim.Adam(model.parameters());
      await fit(model, halves(16), { optimizer: adam, capture });
      expect(weightsOf(first)).toEqual(before);
      first.freeze(false);
      await fit(model, halves(16), { optimizer: adam, capture });
      expect(weightsOf(first)).not.toEqual(before);
      const steps = [...adam.stateDict().numbers].filter(([name]) => name.endsWith('.step'));
      expect(steps.map(([, step]) => step)).toEqual([1, 1, 2, 2]);
      first.freeze();
      await fit(model, halves(16), { optimizer: adam, capture });
      const later = [...adam.stateDict().numbers].filter(([name]) => name.endsWith('.step'));
      expect(later.map(([, step]) => step)).toEqual([1, 1, 3, 3]);
    }
  });

  it('refuses a model of which nothing can learn', async () => {
    const model = linearModel();
    model.freeze();
    await expect(fit(model, halves(8))).rejects.toMatchObject({ code: 'ERR_ARGUMENT', op: 'backward' });
  });
});
