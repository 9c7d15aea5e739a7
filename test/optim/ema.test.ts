// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  fit,
  loadWeights,
  memory,
  nn,
  optim,
  saveWeights,
  type Tensor,
  tensor,
  weightsSha256,
} from '../../lib/index.js';
import { expectRefusal } from '../helpers/refusal.js';
import { refused } from '../helpers/refused.js';
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
}

const valuesOf = (ema: optim.EMA) => [...ema.stateDict().tensors.values()].map((value) => value.item());

describe('EMA', () => {
  it('begins with the weights, copies them first, and then averages', () => {
    using model = new One();
    model.set(8);
    using ema = new optim.EMA(model, { decay: 0.75 });
    expect(valuesOf(ema)).toEqual([8, 0, 0]);
    model.set(4, 1, 7);
    ema.update();
    expect(valuesOf(ema)).toEqual([4, 1, 7]);
    model.set(0, 5, 8);
    ema.update();
    expect(valuesOf(ema)).toEqual([3, 5, 8]); // buffers are those of the model
    expect(ema.updates).toBe(2);
    expect(model.weight.item()).toBe(0);
  });

  it('averages floating buffers where it is asked to', () => {
    using model = new One();
    using ema = new optim.EMA(model, { decay: 0.5, buffers: true });
    for (const value of [4, 8]) {
      model.set(value, value, value);
      ema.update();
    }
    expect(valuesOf(ema)).toEqual([6, 6, 8]);
  });

  it('begins with a smaller decay where it is to warm up', () => {
    using model = new One();
    using ema = new optim.EMA(model, { decay: 0.25, warmup: true });
    const values = [1, 0, 0, 0].map((value) => {
      model.set(value);
      ema.update();
      return valuesOf(ema)[0];
    });
    // decays: first 0, then 2/11, 3/12, and 0.25 from there on
    expect(values).toEqual([
      1,
      expect.closeTo(2 / 11, 6),
      expect.closeTo(0.5 / 11, 6),
      expect.closeTo(0.125 / 11, 6),
    ]);
  });

  it('is evaluated, asked and saved in place of the model', async () => {
    const dataset = halves(16);
    using model = linearModel(3);
    using ema = new optim.EMA(model, { decay: 0.9 });
    using control = linearModel(3);
    for (const weight of model.parameters()) weight.write(new Float32Array(weight.size).fill(NaN));
    const wanted = await evaluate(control, dataset);
    for (const capture of [true, false]) {
      expect(await evaluate(ema.model, dataset, { capture })).toMatchObject({
        loss: wanted.loss,
        captured: capture,
      });
    }
    const image = tensor(dataset.images.slice(0, 4) as Float32Array, [1, 2, 2, 1]);
    expect(ema.model.call(image).data()).toEqual(control.call(image).data());
    expect(weightsSha256(ema.model)).toBe(weightsSha256(control));
    const folder = await mkdtemp(join(tmpdir(), 'receptive-ema-'));
    try {
      await saveWeights(ema.model, join(folder, 'averages.safetensors'));
      await loadWeights(model, join(folder, 'averages.safetensors'));
      expect(weightsOf(model)).toEqual(weightsOf(control));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('frees all it has, and leaves the model', () => {
    using model = new One();
    const before = memory().tensors;
    const ema = new optim.EMA(model);
    expect(memory().tensors).toBe(before + 3);
    ema.update();
    ema.dispose();
    expect(memory().tensors).toBe(before);
    expect(model.weight.item()).toBe(0);
    expect(refused(() => ema.update()).code).toBe('ERR_DISPOSED');
  });

  it('goes on from its state', () => {
    using model = new One();
    using ema = new optim.EMA(model, { decay: 0.5 });
    using again = new optim.EMA(model, { decay: 0.5 });
    for (const value of [1, 2, 5]) {
      model.set(value);
      ema.update();
    }
    again.loadStateDict(ema.stateDict());
    for (const each of [ema, again]) each.update();
    expect(valuesOf(again)).toEqual(valuesOf(ema));
    const { tensors, numbers } = again.stateDict();
    expect([...tensors.keys()]).toEqual(['module.weight', 'module.mean', 'module.count']);
    expect([...numbers]).toEqual([['n_averaged', 4]]);
  });

  it('refuses states of something else, and stays as it is', () => {
    using model = new One();
    using ema = new optim.EMA(model);
    const { tensors, numbers } = ema.stateDict();
    using wrong = tensor([1, 2]);
    for (const state of [
      undefined,
      { tensors, numbers: new Map() },
      { tensors, numbers: new Map([['n_averaged', -1]]) },
      { tensors: new Map(), numbers },
      { tensors: new Map([...tensors, ['module.weight', wrong]]), numbers },
      { tensors: new Map([...tensors, ['weight', wrong]]), numbers },
      { tensors, numbers: new Map([...numbers, ['other', 1]]) },
    ]) {
      expect(refused(() => ema.loadStateDict(state as never)).code).toBe('ERR_DATA');
    }
    expect([ema.updates, valuesOf(ema)]).toEqual([0, [0, 0, 0]]);
  });

  it('is refused while a running plan writes the model or the averages', async () => {
    using model = linearModel();
    using ema = new optim.EMA(model);
    const running = fit(model, halves(64), { epochs: 200, batchSize: 1, ema });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(refused(() => ema.update()).code).toBe('ERR_BUSY');
    expect(refused(() => ema.dispose()).code).toBe('ERR_BUSY');
    expect(refused(() => new optim.EMA(model)).code).toBe('ERR_BUSY');
    await running;
    expect(ema.updates).toBe(200 * 64);
  });

  it('refuses options that are none', () => {
    using model = new One();
    expectRefusal(() => new optim.EMA(model, { decay: 1 }), 'ERR_ARGUMENT', {
      expected: /from 0 to below 1/,
    });
    expectRefusal(() => new optim.EMA(model, { decay: NaN }), 'ERR_ARGUMENT', { hint: /0\.999/ });
    expectRefusal(() => new optim.EMA(model, { warmup: 'yes' as never }), 'ERR_ARGUMENT', {
      expected: /warmup/,
    });
    expectRefusal(() => new optim.EMA(model, { decoy: 0.9 } as never), 'ERR_ARGUMENT', { hint: /decay/ });
    expectRefusal(() => new optim.EMA({} as never), 'ERR_ARGUMENT', { op: 'EMA' });
  });

  it('cannot average a snapshot, which does not move', async () => {
    using model = new One();
    using snapshot = await model.snapshot();
    expectRefusal(() => new optim.EMA(snapshot), 'ERR_ARGUMENT', { received: 'a snapshot' });
  });
});
