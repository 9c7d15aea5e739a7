// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Adagrad, Adam, AdamW, Lion, type Optimizer, RMSprop, SGD } from '../../lib/optim/index.js';
import { tensor, zeros } from '../../lib/tensor/create.js';
import { RandomStream } from '../../lib/tensor/philox.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { refused } from '../helpers/refused.js';

const parameter = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });

function setGrad(target: Tensor, ...values: number[]): void {
  target.grad?.dispose();
  target.grad = tensor(values).keep();
}

const kinds: [string, (params: Tensor[]) => Optimizer][] = [
  ['SGD', (params) => new SGD(params, { lr: 0.1 })],
  ['SGD with momentum', (params) => new SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true })],
  ['Adam', (params) => new Adam(params)],
  ['AdamW', (params) => new AdamW(params)],
  ['AdamW with amsgrad', (params) => new AdamW(params, { amsgrad: true })],
  ['RMSprop', (params) => new RMSprop(params)],
  ['RMSprop, all of it', (params) => new RMSprop(params, { centered: true, momentum: 0.9 })],
  ['Adagrad', (params) => new Adagrad(params, { initialAccumulatorValue: 0.1 })],
  ['Lion', (params) => new Lion(params, { lr: 0.01 })],
];

describe('groups', () => {
  it('take options of their own, and the others from the optimizer', () => {
    using a = parameter(1);
    using b = parameter(1);
    using sgd = new SGD(
      [
        { params: [a], lr: 0.5 },
        { params: [b], weightDecay: 1 },
      ],
      { lr: 0.1 },
    );
    expect(sgd.groups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([
      [0.5, 0],
      [0.1, 1],
    ]);
    setGrad(a, 1);
    setGrad(b, 1);
    sgd.step();
    expect(a.item()).toBeCloseTo(0.5, 6);
    expect(b.item()).toBeCloseTo(0.8, 6);
  });

  it('an option given as undefined is one not given', () => {
    using a = parameter(1);
    expect(new Adam([a], { lr: undefined as never, eps: 1 }).groups[0]).toMatchObject({ lr: 1e-3, eps: 1 });
  });

  it('have the defaults of PyTorch', () => {
    using a = parameter(1);
    const { params: _, ...sgd } = new SGD([a]).groups[0];
    expect(sgd).toEqual({
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
    });
    const { params: __, ...adam } = new Adam([a]).groups[0];
    expect(adam).toEqual({
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
    });
    expect(new AdamW([a]).groups[0].weightDecay).toBe(0.01);
  });
});

describe.each(kinds)('%s', (_, make) => {
  it('leaves a parameter without a gradient as it is', () => {
    using a = parameter(1, 2);
    using b = parameter(3);
    using optimizer = make([a, b]);
    setGrad(b, 1);
    optimizer.step();
    expect([...a.data()]).toEqual([1, 2]);
    expect(b.item()).not.toBe(3);
    optimizer.zeroGrad();
    expect(b.grad).toBeNull();
  });

  it('does nothing at a learning rate of 0, and follows changes of lr', () => {
    using a = parameter(1);
    using optimizer = make([a]);
    setGrad(a, 1);
    optimizer.lr = 0;
    optimizer.step();
    expect(a.item()).toBe(1);
    optimizer.lr = 0.5;
    expect(optimizer.lr).toBe(0.5);
    optimizer.step();
    expect(a.item()).toBeLessThan(0.66); // Adagrad has seen the gradient twice: 1 - 0.5 / sqrt(2.1)
    expect(refused(() => Object.assign(optimizer, { lr: -1 })).code).toBe('ERR_ARGUMENT');
    expect(optimizer.lr).toBe(0.5);
  });

  it('changes every parameter or none', () => {
    using a = parameter(1);
    using b = parameter(1);
    using optimizer = make([a, b]);
    setGrad(a, 1);
    setGrad(b, 1, 2);
    expect(refused(() => optimizer.step()).code).toBe('ERR_SHAPE');
    b.grad?.dispose();
    expect(refused(() => optimizer.step()).code).toBe('ERR_DISPOSED');
    b.dispose();
    b.grad = zeros([1]);
    expect(refused(() => optimizer.step()).code).toBe('ERR_DISPOSED');
    expect(a.item()).toBe(1);
  });

  it('allocates at the first step only, outside of scopes, and frees all', () => {
    const before = memory().tensors;
    const a = parameter(1, 2, 3);
    const optimizer = make([a]);
    const counts = [1, 2, 3].map(() =>
      tensorScope(() => {
        setGrad(a, 1, 1, 1);
        optimizer.step();
        optimizer.zeroGrad();
        return memory().tensors - before;
      }),
    );
    expect(counts).toEqual([counts[0], counts[0], counts[0]]);
    optimizer.dispose();
    optimizer.dispose();
    a.dispose();
    expect(memory().tensors).toBe(before);
  });

  it('goes on from a saved state bit by bit', () => {
    const random = new RandomStream(3, 0, 0);
    using a = parameter(0.5, -0.25, 2);
    using b = parameter(1);
    using never = parameter(1);
    using first = make([a, b, never]);
    const gradients = Array.from({ length: 8 }, () => Array.from({ length: 4 }, () => random.normal()));
    const step = (optimizer: Optimizer, [x, y, z, w]: number[], [p, q]: Tensor[]) => {
      setGrad(p, x, y, z);
      setGrad(q, w);
      optimizer.step();
    };
    for (const gradient of gradients.slice(0, 4)) step(first, gradient, [a, b]);

    using c = parameter(...a.data());
    using d = parameter(...b.data());
    using alsoNever = parameter(1);
    using second = make([c, d, alsoNever]);
    second.lr = 7;
    second.loadStateDict(first.stateDict());
    expect(second.lr).toBe(first.lr);
    for (const gradient of gradients.slice(4)) {
      step(first, gradient, [a, b]);
      step(second, gradient, [c, d]);
    }
    expect(c.data()).toEqual(a.data());
    expect(d.data()).toEqual(b.data());
    expect(second.stateDict().numbers).toEqual(first.stateDict().numbers);
    expect([...second.stateDict().tensors.keys()]).toEqual([...first.stateDict().tensors.keys()]);
  });

  it('refuses a state that is not its own, and keeps the one it has', () => {
    using a = parameter(1, 2);
    using optimizer = make([a]);
    setGrad(a, 1, 1);
    optimizer.step();
    const { tensors, numbers } = optimizer.stateDict();
    const before = [...tensors.values()].map((slot) => [...slot.data()]);
    using wrong = zeros([3]);
    const broken: [string, unknown][] = [
      ['an unknown number', { tensors, numbers: new Map([...numbers, ['state.1.step', 3]]) }],
      ['half a step', { tensors, numbers: new Map([...numbers, ['state.0.step', 1.5]]) }],
      ['step 0', { tensors, numbers: new Map([...numbers, ['state.0.step', 0]]) }],
      ['a negative lr', { tensors, numbers: new Map([...numbers, ['param_groups.0.lr', -1]]) }],
      ['no lr that is a number', { tensors, numbers: new Map([...numbers, ['param_groups.0.lr', NaN]]) }],
      ['an unknown tensor', { tensors: new Map([...tensors, ['state.0.other', wrong]]), numbers }],
    ];
    for (const key of tensors.keys()) {
      broken.push([`another shape of ${key}`, { tensors: new Map([...tensors, [key, wrong]]), numbers }]);
      const without = new Map(tensors);
      without.delete(key);
      broken.push([`no ${key}`, { tensors: without, numbers }]);
    }
    for (const [what, state] of broken) {
      const { code } = refused(() => optimizer.loadStateDict(state as ReturnType<Optimizer['stateDict']>));
      expect(code, what).toBe('ERR_DATA');
    }
    expect([...optimizer.stateDict().tensors.values()].map((slot) => [...slot.data()])).toEqual(before);
    expect(optimizer.stateDict().numbers).toEqual(numbers);
  });
});

describe('SGD', () => {
  it('makes a momentum when the option is switched on later', () => {
    using a = parameter(1);
    using sgd = new SGD([a], { lr: 0.1 });
    setGrad(a, 1);
    sgd.step();
    sgd.groups[0].momentum = 0.5;
    sgd.step();
    sgd.step(); // 0.1, 0.1, 0.15
    expect(a.item()).toBeCloseTo(0.65, 6);
  });
});

describe('what optimizers refuse', () => {
  using a = parameter(1);
  it.each([
    ['no parameters', () => new SGD([])],
    ['no list', () => new SGD(a as never)],
    ['what is no tensor', () => new SGD([1 as never])],
    ['a group without a list', () => new SGD([{ params: a as never }])],
    ['a parameter twice', () => new SGD([a, a])],
    ['a parameter in two groups', () => new SGD([{ params: [a] }, { params: [a] }])],
    ['a negative lr', () => new SGD([a], { lr: -0.1 })],
    ['lr NaN', () => new Adam([a], { lr: NaN })],
    ['a negative lr of a group', () => new Adam([{ params: [a], lr: -1 }])],
    ['negative momentum', () => new SGD([a], { momentum: -0.9 })],
    ['negative weight decay', () => new AdamW([a], { weightDecay: -1 })],
    ['dampening that is no number', () => new SGD([a], { dampening: Infinity })],
    ['nesterov without momentum', () => new SGD([a], { nesterov: true })],
    ['nesterov with dampening', () => new SGD([a], { nesterov: true, momentum: 0.9, dampening: 0.1 })],
    ['beta 1', () => new Adam([a], { betas: [0.9, 1] })],
    ['a negative beta', () => new Adam([a], { betas: [-0.1, 0.9] })],
    ['one beta', () => new Adam([a], { betas: [0.9] as never })],
    ['negative eps', () => new Adam([a], { eps: -1 })],
    ['options that are none', () => new SGD([a], null as never)],
  ])('%s', (_, body) => {
    expect(refused(body).code).toBe('ERR_ARGUMENT');
  });

  it('options it does not know', () => {
    expect(refused(() => new SGD([a], { momentun: 0.9 } as never)).hint).toBe('did you mean momentum?');
    expect(refused(() => new Adam([a], { fused: true } as never)).hint).toBe(
      'this version does not support it',
    );
    expect(refused(() => new SGD([{ params: [a], beta: 1 } as never])).received).toBe('beta');
  });
});
