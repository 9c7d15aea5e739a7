// SPDX-License-Identifier: Apache-2.0
// Trainings in several parts: the first is `fit`, those behind it go on with its optimizer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fit,
  nn,
  optim,
  Trainer,
  type TrainerCallback,
  type TrainerOptions,
  weightsSha256,
} from '../../lib/index.js';
import { refused } from '../helpers/refused.js';
import { someXo, weightsOf, xoModel } from './tiny.js';

const train = someXo(64);
const validation = someXo(20);
const OPTIONS = { optimizer: 'sgd', lr: 0.02, momentum: 0.8, normLr: 2, batchSize: 16 } as const;

describe('Trainer', () => {
  it('leads to the weights of fit', async () => {
    const [one, other] = [xoModel(), xoModel()];
    const schedule = 'cosine';
    using trainer = new Trainer(one, { ...OPTIONS, schedule });
    const result = await trainer.fit(train, { epochs: 2, validation });
    const alone = await fit(other, train, { ...OPTIONS, schedule, epochs: 2, validation });
    expect(weightsSha256(one)).toBe(weightsSha256(other));
    expect(result.history.map(({ valLoss }) => valLoss)).toEqual(alone.history.map(({ valLoss }) => valLoss));
    expect((await trainer.evaluate(validation)).loss).toBe(result.history[1].valLoss);
  });

  it('goes on with the state of its optimizer, and other orders', async () => {
    const [one, other] = [xoModel(), xoModel()];
    using trainer = new Trainer(one, OPTIONS);
    using sgd = new optim.SGD(other.parameters(), { lr: 0.02, momentum: 0.8 });
    for (const part of [0, 1]) {
      await trainer.fit(train, { epochs: 2 });
      await fit(other, train, { optimizer: sgd, batchSize: 16, epochs: 2, seed: part });
    }
    expect(weightsSha256(one)).toBe(weightsSha256(other));
    expect(trainer.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(trainer.optimizer.lr).toBe(0.02);
  });

  it('tells its callbacks, in their order, of everything', async () => {
    const said: string[] = [];
    const saying = (name: string): TrainerCallback => ({
      onStart: async () => void said.push(`${name} start`),
      onBatch: ({ step }) => void said.push(`${name} ${step}`),
      onEpoch: async ({ epoch }, trainer) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        said.push(`${name} epoch ${epoch} of ${trainer.history.length}`);
      },
      onEnd: ({ steps }) => void said.push(`${name} end ${steps}`),
    });
    using trainer = new Trainer(xoModel(), {
      ...OPTIONS,
      batchSize: 32,
      callbacks: [saying('a'), saying('b')],
    });
    await trainer.fit(train);
    expect(said).toEqual([
      ...['a start', 'b start', 'a 1', 'b 1', 'a 2', 'b 2'],
      ...['a epoch 1 of 0', 'b epoch 1 of 0', 'a end 2', 'b end 2'],
    ]);
  });

  it('is stopped by a callback or a signal, and goes on', async () => {
    const callbacks = [
      { onBatch: ({ step }: { step: number }, trainer: Trainer) => void (step === 3 && trainer.stop()) },
    ];
    using trainer = new Trainer(xoModel(), { ...OPTIONS, epochs: 2, callbacks });
    expect(await trainer.fit(train)).toMatchObject({ aborted: true, steps: 3 });
    expect(await trainer.fit(train, { signal: AbortSignal.abort() })).toMatchObject({
      aborted: true,
      steps: 0,
    });
    expect((await trainer.fit(train, { epochs: 1, batchSize: 64 })).aborted).toBe(false);
    trainer.stop();
    expect(trainer.history).toHaveLength(1);
  });

  it('takes a time in place of its epochs, and an optimizer that stays its owner’s', async () => {
    const model = xoModel();
    using sgd = new optim.SGD(model.parameters(), { lr: 0.5 });
    const trainer = new Trainer(model, { optimizer: sgd, lr: 0.01, epochs: 9 });
    const { steps } = await trainer.fit(train, { budget: { minutes: 0.002 } });
    expect(steps).toBeGreaterThan(0);
    const timed = new Trainer(xoModel(), { budget: { minutes: 5 } });
    expect((await timed.fit(train, { epochs: 1 })).steps).toBe(2);
    timed.dispose();
    trainer.dispose();
    const before = weightsOf(model);
    await fit(model, train, { optimizer: sgd });
    expect(weightsOf(model)).not.toEqual(before);
  });

  it('lets a part have another rate, in the proportions of its groups', async () => {
    const rates: (readonly number[])[] = [];
    const onBatch = (_: unknown, { optimizer }: Trainer) =>
      void rates.push(optimizer.groups.map(({ lr }) => lr));
    const net = new nn.Sequential(new nn.Flatten(), new nn.BatchNorm1d(576), new nn.Linear(576, 2));
    using trainer = new Trainer(net, { ...OPTIONS, batchSize: 64, callbacks: [{ onBatch }] });
    for (const lr of [undefined, 0.005, undefined]) await trainer.fit(train, { lr });
    expect(rates).toEqual([
      [0.02, 0.04],
      [0.005, 0.01],
      [0.02, 0.04],
    ]);
  });

  it('keeps each part in a folder of its own, to go on with after a stop', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'receptive-trainer-'));
    try {
      const whole = xoModel();
      using straight = new Trainer(whole, OPTIONS);
      for (const epochs of [1, 2]) await straight.fit(train, { epochs });
      const cut = xoModel();
      using trainer = new Trainer(cut, {
        ...OPTIONS,
        callbacks: [{ onEpoch: ({ epoch }, it) => void (epoch === stopAt && it.stop()) }],
      });
      let stopAt = 0;
      await trainer.fit(train, {
        epochs: 1,
        checkpoint: { dir: join(dir, 'first') },
        log: { dir: join(dir, 'first') },
      });
      stopAt = 1;
      const checkpoint = { dir: join(dir, 'second') };
      expect((await trainer.fit(train, { epochs: 2, checkpoint })).aborted).toBe(true);
      stopAt = 0;
      expect(await trainer.fit(train, { epochs: 2, checkpoint, resume: true })).toMatchObject({
        resumedAt: 4,
      });
      expect(weightsSha256(cut)).toBe(weightsSha256(whole));
      expect(trainer.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
      expect(trainer.history.map(({ loss }) => loss)).toEqual(straight.history.map(({ loss }) => loss));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('does one part at a time, also when one has failed', async () => {
    using trainer = new Trainer(xoModel(), OPTIONS);
    const first = trainer.fit(train, { epochs: 2 });
    await expect(trainer.fit(train)).rejects.toMatchObject({ code: 'ERR_BUSY' });
    expect(refused(() => trainer.dispose()).code).toBe('ERR_BUSY');
    await first;
    for (const wrong of [{ epochs: 0 }, { lr: -1 }, { lr: 'high' as never }]) {
      await expect(trainer.fit(train, wrong)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await trainer.fit(train);
    const failing = new Trainer(xoModel(), {
      callbacks: [{ onEpoch: () => Promise.reject(new Error('enough')) }],
    });
    await expect(failing.fit(train)).rejects.toThrow('enough');
    failing.dispose();
  });

  const wrong: [string, unknown][] = [
    ['an unknown option', { epoch: 3 }],
    ['a listener in place of a callback', { onEpoch: () => {} }],
    ['a signal', { signal: AbortSignal.abort() }],
    ['what is of one part', { checkpoint: { dir: 'x' } }],
    ['a wrong optimizer', { optimizer: 'sdg' }],
    ['callbacks that are no array', { callbacks: {} }],
    ['a callback that is a function', { callbacks: [() => {}] }],
    ['a misspelt callback', { callbacks: [{ onEpochs: () => {} }] }],
    ['a callback that cannot be called', { callbacks: [{ onEpoch: 3 }] }],
    ['early stopping of nothing', { earlyStopping: { patience: 0 } }],
  ];
  it.each(wrong)('refuses %s', (_, options) => {
    expect(refused(() => new Trainer(xoModel(), options as TrainerOptions)).code).toBe('ERR_ARGUMENT');
  });

  it('refuses other options of a part', async () => {
    using trainer = new Trainer(xoModel());
    for (const options of [{ momentum: 0.5 }, { signal: 3 }, null]) {
      await expect(trainer.fit(train, options as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    expect(refused(() => new Trainer({} as never)).code).toBe('ERR_ARGUMENT');
  });
});
