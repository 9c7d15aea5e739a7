// SPDX-License-Identifier: Apache-2.0
// capture with a budget of memory: the same bits in less of it, or a refusal that names what would do.
import { expect, it } from 'vitest';
import {
  type CaptureOptions,
  capture,
  createModel,
  type FitOptions,
  fit,
  manualSeed,
  optim,
  weightsSha256,
  xo,
} from '../../lib/index.js';

const BATCH = 4;
const STEPS = 2;
const images = Float32Array.from({ length: STEPS * BATCH * 32 * 32 * 3 }, (_, i) => Math.sin(i * 0.7));
const labels = Int32Array.from({ length: STEPS * BATCH }, (_, i) => i % 10);

async function trained(options: Omit<CaptureOptions, 'input'>) {
  manualSeed(1);
  using model = createModel('resnet20-cifar').model;
  using optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  using plan = capture({ model, optimizer }, { input: [BATCH, 32, 32, 3], ...options });
  await plan.run({ images, labels }, { steps: STEPS });
  return { hash: weightsSha256(model), peak: plan.describe().peakBytes };
}

it('keeps to maxMemory with the same bits', async () => {
  const free = await trained({});
  const tight = await trained({ maxMemory: free.peak * 0.7 });
  expect(tight.peak).toBeLessThanOrEqual(free.peak * 0.7);
  expect(tight.hash).toBe(free.hash);
});

it('refuses a budget that cannot be kept and names one that can', async () => {
  const refused = await trained({ maxMemory: 1000 }).catch((error) => error);
  expect(refused).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  const smallest = Number(/\d{4,}/.exec(`${refused.expected} ${refused.received} ${refused.hint}`)?.[0]);
  expect((await trained({ maxMemory: smallest })).peak).toBeLessThanOrEqual(smallest);
});

it('refuses budgets that are none', async () => {
  await expect(trained({ maxMemory: -1 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(trained({ fold: 1 as never })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

it('reaches fit, which cannot keep a budget without capture', async () => {
  const { train } = xo({ seed: 1, trainSize: 32, testSize: 2 });
  const after = async (options: FitOptions) => {
    manualSeed(1);
    using model = createModel('xo').model;
    await fit(model, train, { batchSize: 16, ...options });
    return weightsSha256(model);
  };
  expect(await after({ maxMemory: 1e9 })).toBe(await after({}));
  await expect(after({ maxMemory: 10 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  await expect(after({ maxMemory: 1e9, capture: false })).rejects.toMatchObject({ code: 'ERR_CAPTURE' });
});
