// SPDX-License-Identifier: Apache-2.0
// Lookahead by hand, in trainings, in recorded steps; test/train/airbench.test.ts compares a training with PyTorch.
import { describe, expect, it } from 'vitest';
import {
  capture,
  crossEntropy,
  evaluate,
  type FitOptions,
  fit,
  memory,
  nn,
  optim,
  type Tensor,
  tensor,
  tensorScope,
  weightsSha256,
} from '../../lib/index.js';
import { expectRefusal } from '../helpers/refusal.js';
import { refused, refusedLater } from '../helpers/refused.js';
import { halves, linearModel, weightsOf } from '../train/tiny.js';

/** A layer of one weight, and what goes with it. */
class One extends nn.Module {
  readonly weight = new nn.Parameter([1]);
  readonly mean = new nn.Buffer([1]);
  readonly count = new nn.Buffer([1], { dtype: 'int32' });

  override forward(x: Tensor): Tensor {
    return x;
  }

  set(weight: number, mean = 0, count = 0): void {
    this.weight.write(Float32Array.of(weight));
    this.mean.write(Float32Array.of(mean));
    this.count.write(Int32Array.of(count));
  }

  get values(): number[] {
    return [this.weight.item(), this.mean.item(), this.count.item()];
  }
}

const slowOf = (lookahead: optim.Lookahead) =>
  [...lookahead.stateDict().tensors.values()].map((value) => value.item());

describe('Lookahead', () => {
  it('moves the slow weights every so often, and the model back to them', () => {
    using model = new One();
    model.set(8);
    using lookahead = new optim.Lookahead(model, { every: 2, alpha: 0.25 });
    model.set(16, 4, 1);
    lookahead.update();
    expect([model.values, slowOf(lookahead)]).toEqual([
      [16, 4, 1],
      [8, 4, 1],
    ]); // buffers are the model's
    model.set(12, 2, 2);
    lookahead.update();
    expect([model.values, slowOf(lookahead)]).toEqual([
      [9, 2, 2],
      [9, 2, 2],
    ]);
    model.set(5, 1, 3);
    lookahead.update();
    expect(model.values).toEqual([5, 1, 3]);
    lookahead.finish();
    expect([model.values, slowOf(lookahead)]).toEqual([
      [9, 1, 3],
      [9, 1, 3],
    ]);
    expect(lookahead.updates).toBe(3);
  });

  it('leaves the bits of both in between, whatever they are', () => {
    using model = new One();
    model.set(-0);
    using lookahead = new optim.Lookahead(model, { every: 2 });
    model.set(Number.POSITIVE_INFINITY);
    lookahead.update();
    expect(model.weight.item()).toBe(Number.POSITIVE_INFINITY);
    expect(slowOf(lookahead)[0]).toBe(-0);
  });

  it('takes floating buffers along where it is asked to', () => {
    using model = new One();
    using lookahead = new optim.Lookahead(model, { every: 1, alpha: 0.5, buffers: true });
    model.set(4, 8, 7);
    lookahead.update();
    expect([model.values, slowOf(lookahead)]).toEqual([
      [2, 4, 7],
      [2, 4, 7],
    ]);
    model.set(0, 0, 9);
    lookahead.finish();
    expect(model.values).toEqual([2, 4, 9]);
  });

  it('asks a function how far to go, of the updates that move something', () => {
    using model = new One();
    const asked: number[] = [];
    const alpha = (updates: number) => {
      asked.push(updates);
      return updates / 4;
    };
    using lookahead = new optim.Lookahead(model, { every: 2, alpha });
    for (const value of [1, 8, 8, 12]) {
      model.set(value);
      lookahead.update();
    }
    expect([...new Set(asked)]).toEqual([2, 4]);
    expect(model.weight.item()).toBe(12); // 0 → 4 → 12
  });

  it('has the same bits in a recorded step as in an eager one', async () => {
    const batch = halves(12);
    const labels = [...batch.labels];
    const trained = async (how: 'eager' | 'recorded') => {
      using model = linearModel(3);
      using optimizer = new optim.SGD(model.parameters(), { lr: 0.3, momentum: 0.9 });
      using lookahead = new optim.Lookahead(model, { every: 3, alpha: (updates) => 1 / updates });
      const step = ({ x, y }: Record<string, Tensor>) => {
        optimizer.zeroGrad();
        const loss = crossEntropy(model.call(x), y);
        loss.backward();
        optimizer.step();
        lookahead.update();
        return { loss };
      };
      const inputs = { x: { shape: [12, 2, 2, 1] }, y: { shape: [12], dtype: 'int32' } } as const;
      using plan = capture(step, { inputs });
      const arrays = { x: batch.images as Float32Array, y: Int32Array.from(labels) };
      if (how === 'recorded') {
        for (const steps of [4, 3]) await plan.run(new Array(steps).fill(arrays));
      } else {
        for (let i = 0; i < 7; i++) {
          tensorScope(() => void step({ x: tensor(arrays.x, [12, 2, 2, 1]), y: tensor(arrays.y, [12]) }));
        }
      }
      expect(lookahead.updates).toBe(7);
      return [weightsOf(model), weightsOf(lookahead.model)];
    };
    expect(await trained('recorded')).toEqual(await trained('eager'));
  });

  it('is refused twice in a recorded step', () => {
    using model = linearModel();
    using lookahead = new optim.Lookahead(model);
    const step = ({ x }: Record<string, Tensor>) => {
      lookahead.update();
      lookahead.update();
      return { y: model.call(x) };
    };
    expectRefusal(() => capture(step, { inputs: { x: { shape: [1, 2, 2, 1] } } }), 'ERR_CAPTURE', {
      expected: /one call of update\(\) of an? Lookahead/,
    });
  });

  it('goes on from its state', () => {
    using model = new One();
    using lookahead = new optim.Lookahead(model, { every: 2 });
    using again = new optim.Lookahead(model, { every: 2 });
    for (const value of [1, 2, 5]) {
      model.set(value);
      lookahead.update();
    }
    const { tensors, numbers } = lookahead.stateDict();
    expect([...tensors.keys()]).toEqual(['module.weight', 'module.mean', 'module.count']);
    expect([...numbers]).toEqual([['n_updates', 3]]);
    again.loadStateDict({ tensors, numbers });
    model.set(6);
    again.update();
    expect([again.updates, model.weight.item()]).toEqual([4, 3.5]); // 1 towards 6
    expect(refused(() => again.loadStateDict({ tensors, numbers: new Map() })).code).toBe('ERR_DATA');
  });

  it('frees all it has, and leaves the model', () => {
    using model = new One();
    const before = memory().tensors;
    const lookahead = new optim.Lookahead(model);
    lookahead.update();
    lookahead.dispose();
    expect(memory().tensors).toBe(before);
    expect(refused(() => lookahead.update()).code).toBe('ERR_DISPOSED');
  });

  it('is refused while a running plan writes the model', async () => {
    using model = linearModel();
    using lookahead = new optim.Lookahead(model);
    const running = fit(model, halves(64), { epochs: 200, batchSize: 1, lookahead });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(refused(() => lookahead.update()).code).toBe('ERR_BUSY');
    expect(refused(() => lookahead.finish()).code).toBe('ERR_BUSY');
    await running;
    expect(lookahead.updates).toBe(200 * 64);
  });

  it('refuses options that are none', () => {
    using model = new One();
    for (const alpha of [-0.1, 1.1, NaN]) {
      expectRefusal(() => new optim.Lookahead(model, { alpha }), 'ERR_ARGUMENT', { expected: /0 to 1/ });
    }
    expectRefusal(() => new optim.Lookahead(model, { every: 0 }), 'ERR_ARGUMENT', { expected: /every/ });
    expectRefusal(() => new optim.Lookahead(model, { evry: 2 } as never), 'ERR_ARGUMENT', { hint: /every/ });
    expectRefusal(() => new optim.Lookahead({} as never), 'ERR_ARGUMENT', { op: 'Lookahead' });
    using far = new optim.Lookahead(model, { every: 1, alpha: () => 2 });
    expectRefusal(() => far.update(), 'ERR_ARGUMENT', { expected: /alpha/ });
  });
});

describe('fit with lookahead', () => {
  const data = halves(30);
  const options: FitOptions = { epochs: 3, batchSize: 8, seed: 2, optimizer: 'sgd', lr: 0.2 };

  it('leaves the slow weights in the model, and validates with them', async () => {
    using model = linearModel();
    using lookahead = new optim.Lookahead(model, { every: 5 });
    const { history } = await fit(model, data, { ...options, lookahead, validation: data });
    expect(lookahead.updates).toBe(12);
    expect(weightsOf(model)).toEqual(weightsOf(lookahead.model));
    expect(history.at(-1)?.valLoss).toBe((await evaluate(model, data)).loss);
    using plain = linearModel();
    await fit(plain, data, options);
    expect(weightsOf(plain)).not.toEqual(weightsOf(model));
  });

  it('tells alpha how much of the training is over', async () => {
    const hashes = [];
    for (const capture of [true, false]) {
      const asked = new Set<number>();
      using model = linearModel();
      const alpha = (progress: number) => {
        asked.add(progress);
        return 1 - progress ** 2;
      };
      await fit(model, data, { ...options, capture, lookahead: { every: 4, alpha } });
      expect([...asked].filter((progress) => progress <= 1)).toEqual([4 / 12, 8 / 12, 1]);
      hashes.push(weightsSha256(model));
    }
    expect(hashes[0]).toBe(hashes[1]);
  });

  it('follows a budget of time', async () => {
    const asked: number[] = [];
    using model = linearModel();
    const alpha = (progress: number) => {
      asked.push(progress);
      return 0.5;
    };
    const budget = { minutes: 0.004 };
    const result = await fit(model, data, {
      ...{ optimizer: 'sgd', lr: 0.01, batchSize: 8, seed: 2, budget },
      lookahead: { every: 1, alpha },
    });
    expect(result.steps).toBeGreaterThan(10);
    expect(asked.every((progress) => progress >= 0 && progress <= 1)).toBe(true);
    expect(asked.at(-1)).toBeGreaterThan(0.8);
  });

  it('refuses what is no lookahead of the model', async () => {
    using model = linearModel();
    using other = linearModel();
    using lookahead = new optim.Lookahead(other);
    for (const [option, expected] of [
      ['yes', /number of steps/],
      [lookahead, /of the model/],
      [0, /every/],
      [{ every: 2, alfa: 1 }, /alpha|option/],
    ] as const) {
      const error = await refusedLater(fit(model, data, { lookahead: option as never }));
      expect([error.code, `${error.expected} ${error.hint}`]).toEqual([
        'ERR_ARGUMENT',
        expect.stringMatching(expected),
      ]);
    }
  });
});
