// SPDX-License-Identifier: Apache-2.0
// A training that ends when it no longer gets better, and what the model is then.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate, type FitOptions, fit, type HistoryRow, memory, weightsSha256 } from '../../lib/index.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-stopping-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const data = someXo(24);
const other = someXo(40);

/** Steps so long that the loss goes up and down: it is best somewhere in the middle. */
const WILD = { epochs: 40, batchSize: 8, optimizer: 'sgd', lr: 0.2, seed: 2, validation: other } as const;

async function train(options: FitOptions) {
  using model = xoModel();
  const result = await fit(model, data, { ...WILD, ...options });
  const { loss } = await evaluate(model, other);
  return { result, loss, hash: weightsSha256(model) };
}

const bestOf = (history: readonly HistoryRow[], patience: number) => {
  let [best, waited] = [0, 0];
  for (let i = 1; i < history.length && waited < patience; i++) {
    const isBetter = (history[i].valLoss as number) < (history[best].valLoss as number);
    if (isBetter) best = i;
    waited = isBetter ? 0 : waited + 1;
  }
  return { best, epochs: best + 1 + waited };
};

describe('early stopping', () => {
  it('ends after `patience` epochs without progress, with the weights of the best', async () => {
    const { result: whole } = await train({});
    const { best, epochs } = bestOf(whole.history, 3);
    expect(epochs).toBeLessThan(whole.history.length); // else nothing would be tested
    const before = memory();
    const { result, loss } = await train({ earlyStopping: { patience: 3 } });
    expect(result).toMatchObject({ stoppedEarly: true, aborted: false, bestEpoch: best + 1 });
    expect(result.history.map(({ valLoss }) => valLoss)).toEqual(
      whole.history.slice(0, epochs).map(({ valLoss }) => valLoss),
    );
    expect(loss).toBe(whole.history[best].valLoss);
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  it('leaves the last weights where they are wanted, and restores the best after all epochs', async () => {
    const last = await train({ earlyStopping: { patience: 3, restoreBest: false } });
    expect(last.loss).toBe(last.result.history.at(-1)?.valLoss);
    const all = await train({ epochs: 10, earlyStopping: { patience: 40 } });
    const losses = all.result.history.map(({ valLoss }) => valLoss as number);
    expect(all.result).toMatchObject({ stoppedEarly: false, aborted: false });
    expect(all.loss).toBe(Math.min(...losses));
  });

  it('measures averages where there are some', async () => {
    const { result, loss } = await train({ ema: 0.5, epochs: 8, earlyStopping: { patience: 8 } });
    expect(loss).toBe(Math.min(...result.history.map(({ valLoss }) => valLoss as number)));
  });

  it('follows an accuracy upwards, and asks for progress of some size', async () => {
    const { result } = await train({ earlyStopping: { monitor: 'valAccuracy', patience: 4, minDelta: 0.9 } });
    expect(result).toMatchObject({ stoppedEarly: true, bestEpoch: 1 });
    expect(result.history).toHaveLength(5);
  });

  it('goes on after an interruption as if there had been none', async () => {
    const earlyStopping = { patience: 3 };
    const wanted = await train({ earlyStopping });
    const epochs = wanted.result.history.length;
    for (const last of [2, epochs - 1, epochs]) {
      const checkpoint = { dir: join(place, String(last)) };
      const ending = new AbortController();
      const onEpoch = ({ epoch }: HistoryRow) => {
        if (epoch === last) ending.abort();
      };
      await train({ earlyStopping, checkpoint, signal: ending.signal, onEpoch });
      const { result, hash, loss } = await train({ earlyStopping, checkpoint, resume: true });
      expect([hash, loss, result.bestEpoch]).toEqual([wanted.hash, wanted.loss, wanted.result.bestEpoch]);
      expect(result.history).toHaveLength(epochs);
    }
  });

  it('is refused where the best weights are wanted and a checkpoint has none; the other way round it goes on', async () => {
    const begin = async (name: string, restoreBest: boolean) => {
      const checkpoint = { dir: join(place, name) };
      const ending = new AbortController();
      const onEpoch = ({ epoch }: HistoryRow) => epoch === 2 && ending.abort();
      await train({
        earlyStopping: { restoreBest },
        checkpoint,
        signal: ending.signal,
        onEpoch: onEpoch as () => void,
      });
      return checkpoint;
    };
    const without = await begin('without', false);
    const error = await refusedLater(
      train({ epochs: 5, earlyStopping: {}, checkpoint: without, resume: true }),
    );
    expect([error.code, error.op]).toEqual(['ERR_DATA', expect.stringContaining(without.dir)]);
    expect(error.message).toMatch(/weights of the best epoch.*go on with restoreBest: false/);
    const earlyStopping = { restoreBest: false, patience: 9 };
    expect(
      (await train({ epochs: 5, earlyStopping, checkpoint: without, resume: true })).result.history,
    ).toHaveLength(5);
    const having = await begin('having', true);
    const { result, loss } = await train({ epochs: 5, earlyStopping, checkpoint: having, resume: true });
    expect(loss).toBe(result.history[4].valLoss);
  });

  it.each([
    ['an unknown option', { wait: 3 }],
    ['no patience', { patience: 0 }],
    ['a negative difference', { minDelta: -1 }],
    ['an unknown measurement', { monitor: 'f1' }],
    ['a measurement of no validation', { monitor: 'valLoss' }],
    ['a word for restoreBest', { restoreBest: 'yes' }],
  ])('is refused: %s', async (_, earlyStopping) => {
    const options = { earlyStopping: earlyStopping as never };
    const error = await refusedLater(fit(linearModel(), halves(8), options));
    expect(error.code).toBe('ERR_ARGUMENT');
  });
});
