// SPDX-License-Identifier: Apache-2.0
// Many models trained together: each as if it had been alone, whatever becomes of the others.
import { afterAll, describe, expect, it } from 'vitest';
import {
  type FitOptions,
  fit,
  fitMany,
  glyphs,
  info,
  manualSeed,
  memory,
  nn,
  ReceptiveError,
  setNumThreads,
  weightsSha256,
} from '../../lib/index.js';

const before = info().threads;
afterAll(() => setNumThreads(before));

const { train } = glyphs({ seed: 3, trainSize: 90, testSize: 1 });
const OPTIONS: FitOptions = { epochs: 2, batchSize: 40, seed: 2, lr: 0.004 };

/** LeNet-5 with a quarter of its maps, and dropout where asked. */
function small(seed: number, dropout = 0): nn.Module {
  manualSeed(seed);
  return new nn.Sequential(
    new nn.Conv2d(1, 2, { kernelSize: 5, padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(2, 4, { kernelSize: 5 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(dropout),
    new nn.Linear(100, 20),
    new nn.ReLU(),
    new nn.Linear(20, 10),
  );
}

async function soloHash(model: nn.Module, options = OPTIONS): Promise<string> {
  await fit(model, train, options);
  return weightsSha256(model);
}

describe('fitMany', () => {
  it('gives each of 32 models the weights of a training alone, for any number of threads', async () => {
    const solo: string[] = [];
    for (let seed = 0; seed < 32; seed++) {
      using model = small(seed);
      solo.push(await soloHash(model, { ...OPTIONS, lr: 0.001 * (1 + (seed % 4)) }));
    }
    expect(new Set(solo).size).toBe(32);
    for (const threads of [1, 2, 5]) {
      setNumThreads(threads);
      const jobs = solo.map((_, seed) => ({
        model: small(seed),
        dataset: train,
        options: { ...OPTIONS, lr: 0.001 * (1 + (seed % 4)) },
      }));
      const ended: number[] = [];
      const results = await fitMany(jobs, { onFinish: (index) => ended.push(index) });
      expect(jobs.map(({ model }) => weightsSha256(model))).toEqual(solo);
      for (const result of results) {
        expect(result).toMatchObject({ status: 'fulfilled', value: { steps: 6, captured: true } });
      }
      expect(ended.sort((a, b) => a - b)).toEqual(solo.map((_, index) => index));
      for (const { model } of jobs) model.dispose();
    }
  });

  it('draws for each model by itself, captured or not', async () => {
    setNumThreads(2);
    manualSeed(77);
    using probe = small(1, 0.3);
    manualSeed(77);
    const wanted = await soloHash(probe);
    for (const capture of [true, false]) {
      const models = [small(1, 0.3), small(2, 0.5), small(1, 0.3), small(3, 0.2)];
      using later = small(1, 0.3);
      manualSeed(77);
      const jobs = models.map((model) => ({ model, dataset: train, options: { ...OPTIONS, capture } }));
      await fitMany(jobs);
      expect([models[0], models[2]].map(weightsSha256)).toEqual([wanted, wanted]);
      expect(weightsSha256(models[1])).not.toBe(wanted);
      expect(await soloHash(later)).toBe(wanted); // the shared generator stands where it stood
      for (const model of models) model.dispose();
    }
  });

  it('reports a model that fails and trains the others', async () => {
    setNumThreads(2);
    using wanted = small(4);
    const hash = await soloHash(wanted);
    const misfit = new nn.Sequential(new nn.Flatten(), new nn.Linear(3, 10));
    const jobs = [small(4), misfit, small(5), small(4)].map((model, i) => ({
      model,
      dataset: train,
      options: i === 2 ? { ...OPTIONS, lr: 1e30, optimizer: 'sgd' as const } : OPTIONS,
    }));
    const results = await fitMany(jobs);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'ERR_SHAPE' } });
    expect(results[2]).toMatchObject({ reason: { code: 'ERR_NUMERICS' } });
    expect([jobs[0], jobs[3]].map(({ model }) => weightsSha256(model))).toEqual([hash, hash]);
    for (const { model } of jobs) model.dispose();
  });

  it('stops all of them by one signal, or one by its own', async () => {
    setNumThreads(2);
    const many = new AbortController();
    const one = new AbortController();
    one.abort();
    const jobs = [0, 1, 2, 3, 4].map((seed) => ({
      model: small(seed),
      dataset: train,
      options: { ...OPTIONS, epochs: 100_000, ...(seed === 0 && { signal: one.signal }) },
    }));
    const running = fitMany(jobs, { signal: many.signal });
    setTimeout(() => many.abort(), 60);
    const results = await running;
    const steps = results.map((result) => {
      expect(result).toMatchObject({ status: 'fulfilled', value: { aborted: true } });
      return result.status === 'fulfilled' ? result.value.steps : -1;
    });
    expect(steps[0]).toBe(0); // stopped before it began
    expect(steps.slice(1, 3).every((count) => count > 0)).toBe(true);
    expect(steps.slice(3)).toEqual([0, 0]); // had not begun
    for (const { model } of jobs) model.dispose();
  });

  it('stops when its callback throws, and leaves no tensor behind', async () => {
    const tensors = memory().tensors;
    const jobs = [0, 1, 2].map((seed) => ({ model: small(seed), dataset: train, options: OPTIONS }));
    const onFinish = () => {
      throw new Error('from the callback');
    };
    await expect(fitMany(jobs, { onFinish })).rejects.toThrow('from the callback');
    for (const { model } of jobs) model.dispose();
    expect(memory().tensors).toBe(tensors);
  });

  it('refuses what is no job, and a model that comes twice, before it trains anything', async () => {
    using model = small(1);
    const hash = weightsSha256(model);
    const job = { model, dataset: train };
    for (const jobs of [[job, job], [job, { dataset: train }], [job, null], job, undefined]) {
      const refusal = await fitMany(jobs as never).catch((error) => error);
      expect(refusal).toBeInstanceOf(ReceptiveError);
      expect(refusal).toMatchObject({ code: 'ERR_ARGUMENT', op: 'fitMany' });
    }
    expect(weightsSha256(model)).toBe(hash);
    expect(await fitMany([])).toEqual([]);
  });
});
