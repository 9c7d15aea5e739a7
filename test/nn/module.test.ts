// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ReceptiveError } from '../../lib/errors.js';
import * as nn from '../../lib/nn/index.js';
import { relu } from '../../lib/ops/activations.js';
import { sum } from '../../lib/ops/reduce.js';
import { ones, tensor, zeros } from '../../lib/tensor/create.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { refused } from '../helpers/refused.js';

/** Parameters of its own after a module, an array, an array of arrays, and one module in two places. */
class Mixed extends nn.Module {
  first = new nn.Linear(2, 3);
  scale = new nn.Parameter([3]);
  readonly blocks: nn.Module[] = [new nn.ReLU(), new nn.Linear(3, 3, { bias: false })];
  readonly table = [[new nn.Parameter([1])], [new nn.Parameter([2])]];
  again = this.first;
  readonly note = 'neither a parameter nor a module';
  missing: nn.Module | null = null;

  forward(x: Tensor): Tensor {
    return this.blocks.reduce((y, block) => block.call(y), this.first.call(x));
  }
}

const namesOf = (module: nn.Module) => module.namedParameters().map(([name]) => name);

describe('discovery', () => {
  it('names parameters as PyTorch does: own ones first, then those of modules, in order of assignment', () => {
    using model = new Mixed();
    expect(namesOf(model)).toEqual([
      'scale',
      'table.0.0',
      'table.1.0',
      'first.weight',
      'first.bias',
      'blocks.1.weight',
    ]);
    expect(model.namedModules().map(([path]) => path)).toEqual(['', 'first', 'blocks.0', 'blocks.1']);
    expect(model.parameterCount).toBe(3 + 1 + 2 + 9 + 9);
  });

  it('sees what is assigned later, and what is replaced', () => {
    using model = new Mixed();
    model.missing = new nn.Linear(1, 1);
    expect(namesOf(model)).toContain('missing.weight');
    model.missing.dispose();
    model.missing = new nn.Flatten();
    expect(namesOf(model)).not.toContain('missing.weight');
  });

  it('names the layers of a Sequential by position, nested ones too', () => {
    using model = new nn.Sequential(
      new nn.Conv2d(1, 2, { kernelSize: 3 }),
      new nn.Sequential(new nn.Flatten(), new nn.Linear(8, 2)),
    );
    expect(namesOf(model)).toEqual(['0.weight', '0.bias', '1.1.weight', '1.1.bias']);
    expect(model.length).toBe(2);
    expect(model.at(-1)).toBeInstanceOf(nn.Sequential);
    expect([...model].map((layer) => layer.constructor.name)).toEqual(['Conv2d', 'Sequential']);
  });

  it('stops where a module contains itself', () => {
    const model = new Mixed();
    model.missing = model;
    expect(model.modules()).toHaveLength(4);
    model.dispose();
  });
});

describe('modes and gradients', () => {
  it('train and eval reach every module', () => {
    using model = new nn.Sequential(new nn.Dropout(), new nn.Sequential(new nn.Dropout()));
    expect(
      model
        .eval()
        .modules()
        .map((module) => module.training),
    ).toEqual([false, false, false, false]);
    expect(
      model
        .train()
        .modules()
        .every((module) => module.training),
    ).toBe(true);
  });

  it('zeroGrad frees gradients; dispose frees everything', () => {
    const before = memory().tensors;
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 1));
    tensorScope(() => sum(model.call(randn([2, 3]))).backward());
    expect(memory().tensors).toBe(before + 8);
    model.zeroGrad();
    expect(memory().tensors).toBe(before + 4);
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
    model.dispose();
    expect(memory().tensors).toBe(before);
  });

  it('parameters outlive the scope they were made in', () => {
    const layer = tensorScope(() => new nn.Linear(2, 2));
    expect(layer.weight.disposed).toBe(false);
    layer.dispose();
  });
});

describe('state', () => {
  const make = (seed: number) => {
    manualSeed(seed);
    return new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
  };
  const numbers = (model: nn.Module) => model.parameters().map((parameter) => [...parameter.data()]);

  it('goes from one module into another of the same build', () => {
    using a = make(1);
    using b = make(2);
    expect(numbers(b)).not.toEqual(numbers(a));
    expect(b.loadStateDict(a.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect(numbers(b)).toEqual(numbers(a));
    a.loadStateDict(a.stateDict()); // onto itself
    expect(numbers(a)).toEqual(numbers(b));
  });

  it('refuses, with every name, and changes nothing', () => {
    using model = make(1);
    using other = make(2);
    using _scope = tensorScope();
    const before = numbers(model);
    const changed = (change: (state: Map<string, Tensor>) => void) => {
      const state = other.stateDict();
      change(state);
      const error = refused(() => model.loadStateDict(state));
      expect(numbers(model)).toEqual(before);
      return error;
    };
    const missing = changed((state) => state.delete('1.bias') && state.delete('0.bias'));
    expect(missing).toMatchObject({ code: 'ERR_DATA', expected: 'also 0.bias, 1.bias' });
    const unexpected = changed((state) => state.set('2.weight', zeros([1])));
    expect(unexpected).toMatchObject({ code: 'ERR_DATA', received: 'unexpected 2.weight' });
    const shape = changed((state) => state.set('1.weight', zeros([3, 1])));
    expect(shape).toMatchObject({
      expected: '1.weight of float32 [1, 3]',
      received: '1.weight of float32 [3, 1]',
    });
    const dtype = changed((state) => state.set('1.bias', zeros([1], { dtype: 'float64' })));
    expect(dtype.received).toBe('1.bias of float64 [1]');
    const gone = changed((state) => {
      const tensor = zeros([1]);
      tensor.dispose();
      state.set('1.bias', tensor);
    });
    expect(gone.code).toBe('ERR_DISPOSED');
  });

  it('takes what fits where it is told not to be strict, but no wrong shapes', () => {
    using model = make(1);
    using _scope = tensorScope();
    const state = new Map([
      ['1.bias', tensor([7])],
      ['head', tensor([1])],
    ]);
    const { missing, unexpected } = model.loadStateDict(state, { strict: false });
    expect(unexpected).toEqual(['head']);
    expect(missing).toEqual(['0.weight', '0.bias', '1.weight']);
    expect(numbers(model)[3]).toEqual([7]);
    state.set('0.bias', zeros([9]));
    expect(refused(() => model.loadStateDict(state, { strict: false })).code).toBe('ERR_DATA');
  });

  it('to() converts in place, shared parameters once', () => {
    using model = new Mixed().to('float64');
    expect(model.parameters().every(({ dtype, requiresGrad }) => dtype === 'float64' && requiresGrad)).toBe(
      true,
    );
    expect(model.again).toBe(model.first);
    using a = make(3);
    const before = numbers(a);
    expect(numbers(a.to('float64').to('float32'))).toEqual(before);
    expect(refused(() => a.to('int32' as 'float32')).code).toBe('ERR_DTYPE');
  });
});

describe('the path of an error', () => {
  class Net extends nn.Module {
    features = new nn.Sequential(
      new nn.ReLU(),
      new nn.Conv2d(1, 2, { kernelSize: 1 }),
      new nn.Sequential(new nn.Conv2d(9, 2, { kernelSize: 3 })),
    );
    forward(x: Tensor): Tensor {
      return this.features.call(x);
    }
  }

  it('is that of the layer that refused', () => {
    using model = new Net();
    using _scope = tensorScope();
    const error = refused(() => model.call(zeros([1, 4, 4, 1])));
    expect(error).toMatchObject({ code: 'ERR_SHAPE', op: 'conv2d', path: 'features.2.0' });
    expect(error.message).toMatch(/^conv2d in layer features\.2\.0: expected input with 9 channels/);
  });

  it('is known though an inner module was called past its container', () => {
    class Past extends Net {
      override forward(x: Tensor): Tensor {
        return this.features.at(1)!.call(x);
      }
    }
    using model = new Past();
    using _scope = tensorScope();
    expect(refused(() => model.call(zeros([1, 4, 4, 3]))).path).toBe('features.1');
  });

  it('is absent for a model that is one layer, and where a forward of its own refuses', () => {
    class Own extends nn.Module {
      forward(x: Tensor): Tensor {
        return relu(x);
      }
    }
    const disposed = zeros([1]);
    disposed.dispose();
    expect(refused(() => new Own().call(disposed)).path).toBeUndefined();
  });

  it('leaves other errors alone', () => {
    class Broken extends nn.Module {
      forward(): Tensor {
        throw new TypeError('mine');
      }
    }
    expect(() => new nn.Sequential(new Broken()).call(zeros([1]))).toThrow(new TypeError('mine'));
    expect(() => new nn.Sequential(new Broken()).call(zeros([1]))).not.toThrow(ReceptiveError);
  });
});

describe('hooks, text and summary', () => {
  const build = () =>
    new nn.Sequential(
      new nn.Conv2d(1, 6, { kernelSize: 5, padding: 2 }),
      new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 }),
      new nn.Sequential(new nn.Flatten(), new nn.Linear(96, 10, { bias: false })),
    );

  it('a hook sees input and output until it is taken away', () => {
    using model = build();
    using _scope = tensorScope();
    const seen: unknown[] = [];
    const remove = model
      .at(1)!
      .onForward((module, x, y) => seen.push([module === model.at(1), x.shape, y.shape]));
    model.call(zeros([2, 8, 8, 1]));
    remove();
    model.call(zeros([2, 8, 8, 1]));
    expect(seen).toEqual([[true, [2, 8, 8, 6], [2, 4, 4, 6]]]);
  });

  it('prints like PyTorch', () => {
    using model = build();
    expect(String(model)).toBe(`Sequential(
  (0): Conv2d(1, 6, kernelSize=[5, 5], stride=[1, 1], padding=[2, 2])
  (1): MaxPool2d(kernelSize=[3, 3], stride=[2, 2], padding=[1, 1])
  (2): Sequential(
    (0): Flatten()
    (1): Linear(96, 10, bias=false)
  )
)`);
    expect(String(new nn.LPPool2d(2, 2))).toMatch(/^LPPool2d\(normType=2, kernelSize/);
    expect(String(new nn.Dropout(0.25))).toBe('Dropout(p=0.25)');
  });

  it('summarize lists layers with shapes, parameters and work, and leaves no trace', () => {
    using model = build();
    model.at(2)!.eval();
    const before = memory().tensors;
    expect(nn.summarize(model, [8, 8, 1])).toMatchObject([
      { path: '0', type: 'Conv2d', outputShape: [1, 8, 8, 6], parameters: 156, multiplyAdds: 64 * 150 },
      { path: '1', type: 'MaxPool2d', outputShape: [1, 4, 4, 6], parameters: 0, multiplyAdds: 0 },
      { path: '2.0', type: 'Flatten', outputShape: [1, 96], parameters: 0, multiplyAdds: 0 },
      { path: '2.1', type: 'Linear', outputShape: [1, 10], parameters: 960, multiplyAdds: 960 },
    ]);
    expect(memory().tensors).toBe(before);
    expect(model.modules().map(({ training }) => training)).toEqual([true, true, true, false, false, false]);
    expect(refused(() => nn.summarize(model, [4, 4, 1])).path).toBe('2.1');
    expect(memory().tensors).toBe(before);
  });

  it('tells how a parameter gets its values where it is given a tensor', () => {
    using x = ones([2]);
    expect(refused(() => new nn.Parameter(x as never))).toMatchObject({
      code: 'ERR_SHAPE',
      hint: 'fill it afterwards, by write(x.data()) or nn.init',
    });
  });

  it('summarize counts a layer that runs twice once, and an own parameter', () => {
    class Twice extends nn.Module {
      layer = new nn.Linear(3, 3);
      extra = new nn.Parameter([5]);
      forward(x: Tensor): Tensor {
        return this.layer.call(this.layer.call(x));
      }
    }
    using model = new Twice();
    const rows = nn.summarize(model, [3]);
    expect(rows.map(({ path, parameters }) => [path, parameters])).toEqual([
      ['layer', 12],
      ['layer', 0],
      ['', 5],
    ]);
  });
});

describe('to another dtype', () => {
  it('changes nothing where one tensor cannot be converted', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    model.parameters()[2].dispose();
    expect(() => model.to('float64')).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    expect(model.parameters().map(({ dtype }) => dtype)).toEqual(Array(4).fill('float32'));
    expect(model.parameters()[0].data()).toHaveLength(6);
  });
});
