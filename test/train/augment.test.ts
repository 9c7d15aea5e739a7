// SPDX-License-Identifier: Apache-2.0
// Trainings that augment: the same weights eager or captured, for any number of threads, interrupted or not.
import { afterAll, describe, expect, it } from 'vitest';
import type { Augmentation } from '../../lib/data/augment.js';
import { DataLoader } from '../../lib/data/loader.js';
import { weightsSha256 } from '../../lib/io/weights.js';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import { oneHot } from '../../lib/ops/classify.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { SGD } from '../../lib/optim/sgd.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { type FitOptions, fit } from '../../lib/train/fit.js';
import { someXo, xoModel } from './tiny.js';

const before = nativeInfo().threads;
afterAll(() => setNumThreads(before));

const AUGMENT: readonly Augmentation[] = [
  { kind: 'flip', alternate: true },
  { kind: 'affine', rotate: 20, translate: 0.1 },
  { kind: 'elastic', alpha: 4, sigma: 3 },
  { kind: 'crop', padding: 2 },
  { kind: 'jitter', brightness: 0.3, contrast: 0.3 },
  { kind: 'randaugment' },
  { kind: 'cutout', size: 6 },
];
const OPTIONS: FitOptions = {
  ...{ epochs: 3, batchSize: 12, seed: 5, optimizer: 'sgd', lr: 0.05, augment: AUGMENT },
};

/** Cross-entropy of the same labels, as shares of the two classes. */
const softened = (outputs: Tensor, labels: Tensor) => crossEntropy(outputs, oneHot(labels, 2));

async function train(options: FitOptions = {}) {
  const model = xoModel();
  const { captured } = await fit(model, someXo(), { ...OPTIONS, ...options });
  const sha = weightsSha256(model);
  model.dispose();
  return { sha, captured };
}

describe('fit with augment', () => {
  it('ends with the same weights, eager or captured, step by step or not, for 1, 2 and 3 threads', async () => {
    const first = await train();
    expect(first.captured).toBe(true);
    for (const threads of [1, 2, 3]) {
      setNumThreads(threads);
      expect((await train()).sha).toBe(first.sha);
      expect(await train({ capture: false })).toEqual({ sha: first.sha, captured: false });
    }
    expect((await train({ onBatch: () => {} })).sha).toBe(first.sha);
    expect((await train({ augment: undefined })).sha).not.toBe(first.sha);
    expect((await train({ augment: AUGMENT.slice(1) })).sha).not.toBe(first.sha);
    expect((await train({ seed: 6 })).sha).not.toBe(first.sha);
    const parts = await train({ microBatches: 3 });
    expect((await train({ microBatches: 3, capture: false })).sha).toBe(parts.sha);
  });

  it.each(['mixup', 'cutmix'] as const)('trains on mixed labels, %s', async (kind) => {
    const augment = [{ kind, alpha: 0.5 }] as const;
    const first = await train({ augment });
    expect(first.captured).toBe(true);
    expect((await train({ augment, capture: false })).sha).toBe(first.sha);
    setNumThreads(1);
    expect((await train({ augment })).sha).toBe(first.sha);
    const whole = await train({ augment: [{ kind, p: 0 }] });
    const plain = await train({ augment: undefined, loss: softened });
    expect(whole.sha).toBe(plain.sha);
    await expect(train({ augment, microBatches: 2 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('goes on from the state of a loader as if it had not stopped', async () => {
    const run = async (stops: readonly number[]) => {
      const model = xoModel();
      const optimizer = new SGD(model.parameters(), { lr: 0.05 });
      let state: string | undefined;
      for (const steps of stops) {
        using loader = new DataLoader(someXo(), { batchSize: 12, shuffle: true, seed: 5, augment: AUGMENT });
        if (state !== undefined) loader.loadStateDict(JSON.parse(state));
        using plan = capture({ model, optimizer }, { inputs: loader });
        await plan.run(loader, { steps });
        state = JSON.stringify(loader.stateDict());
      }
      const sha = weightsSha256(model);
      optimizer.dispose();
      model.dispose();
      return sha;
    };
    const whole = await run([8]);
    expect(await run([1, 7])).toBe(whole);
    expect(await run([3, 2, 3])).toBe(whole);
    expect(await run([4, 4])).toBe(whole);
  });

  it('evaluates images as they are', async () => {
    const model = xoModel();
    const plain = await evaluate(model, someXo());
    const { history } = await fit(model, someXo(), { ...OPTIONS, lr: 1e-12, validation: someXo() });
    expect(history[0].valLoss).toBeCloseTo(plain.loss, 5);
    model.dispose();
  });

  it('refuses what is no augmentation, before anything is changed', async () => {
    const model = xoModel();
    const sha = weightsSha256(model);
    for (const augment of [[{ kind: 'crop' }], 'flip', [{ kind: 'mixdown' }]]) {
      const running = fit(model, someXo(), { augment: augment as unknown as Augmentation[] });
      await expect(running).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    expect(weightsSha256(model)).toBe(sha);
    model.dispose();
  });
});
