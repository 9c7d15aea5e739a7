// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { createModel, manualSeed, modelNames, nn, type Tensor, zeros } from '../../lib/index.js';
import { refused } from '../helpers/refused.js';

/** Keeps a list of its own besides the one that is looked through. */
class Hidden extends nn.Chain {
  readonly shown = [new nn.Linear(2, 2)];
  readonly #run = [...this.shown];

  override layers(): readonly nn.Module[] {
    return this.#run;
  }
}

describe('headOf', () => {
  it.each(modelNames.filter((name) => !/alexnet|vgg1|resnet[35]|1998/.test(name)))(
    'is what makes the logits of %s',
    (name) => {
      const { model } = createModel(name, { classes: 7 });
      using _ = model;
      const [[, weight]] = nn.headOf(model).namedParameters();
      expect(weight.shape[0]).toBe(7);
    },
  );

  it('is refused of a model without parameters', () => {
    expect(refused(() => nn.headOf(new nn.ReLU())).code).toBe('ERR_ARGUMENT');
    expect(refused(() => nn.headOf(7 as never)).code).toBe('ERR_ARGUMENT');
  });
});

describe('replaceHead', () => {
  it('gives a model fresh outputs that learn, and leaves the rest', () => {
    manualSeed(2);
    const { model } = createModel('resnet20-cifar');
    using _ = model;
    const before = [...model.stateDict()].filter(([name]) => !name.startsWith('fc.'));
    model.freeze(true, { statistics: true });
    const head = nn.replaceHead(model, 3);
    expect(nn.headOf(model)).toBe(head);
    expect(model.namedParameters().filter(([, { requiresGrad }]) => requiresGrad)).toEqual([
      ['fc.weight', head.weight],
      ['fc.bias', head.bias],
    ]);
    expect([...model.stateDict()].filter(([name]) => !name.startsWith('fc.'))).toEqual(before);
    using logits = model.call(zeros([2, 32, 32, 3]));
    expect(logits.shape).toEqual([2, 3]);
  });

  it('keeps the form of the old one: bias, order of inputs, precision, mode', () => {
    const old = new nn.Linear(12, 4, { bias: false, flattenedFrom: [2, 2, 3] });
    const model = new nn.Sequential(new nn.Flatten(), new nn.Sequential(old)).to('float64').eval();
    const head = nn.replaceHead(model, 2);
    expect(head).toMatchObject({ bias: null, flattenedFrom: [2, 2, 3], training: false });
    expect(head.weight).toMatchObject({ shape: [2, 12], dtype: 'float64' });
    expect((model.at(1) as nn.Sequential).at(0)).toBe(head);
    expect(model.call(zeros([1, 2, 2, 3], { dtype: 'float64' })).shape).toEqual([1, 2]);
  });

  it('is refused where the last layer is none of that kind, and changes nothing', () => {
    const { model } = createModel('all-cnn-c');
    using _ = model;
    const before = model.parameters();
    const error = refused(() => nn.replaceHead(model, 3));
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', op: 'replaceHead' });
    expect(error.received).toMatch(/^Conv2d/);
    expect(model.parameters()).toEqual(before);
    const { model: codes } = createModel('lenet5-1998');
    using _codes = codes;
    expect(refused(() => nn.replaceHead(codes, 3)).received).toMatch(/^CodeDistance/);
    using hidden = new Hidden();
    expect(refused(() => nn.replaceHead(hidden, 3)).received).toMatch(/out of sight/);
    expect(hidden.shown[0].outFeatures).toBe(2);
    using alone = new nn.Linear(2, 2);
    expect(refused(() => nn.replaceHead(alone, 3)).code).toBe('ERR_ARGUMENT');
    const flat = new nn.Sequential(new nn.Linear(2, 2));
    expect(refused(() => nn.replaceHead(flat, 0)).code).toBe('ERR_ARGUMENT');
  });
});

describe('Chain', () => {
  it('runs its layers one after another, by whatever names they have', () => {
    class Twice extends nn.Chain {
      readonly half = new nn.Linear(2, 2);

      override layers(): readonly nn.Module[] {
        return [this.half, new nn.ReLU(), this.half];
      }
    }
    manualSeed(4);
    using model = new Twice();
    expect(model.namedParameters().map(([name]) => name)).toEqual(['half.weight', 'half.bias']);
    const x: Tensor = zeros([1, 2]);
    const relu = new nn.ReLU();
    expect(model.call(x).data()).toEqual(model.half.call(relu.call(model.half.call(x))).data());
  });
});
