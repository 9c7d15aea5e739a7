// SPDX-License-Identifier: Apache-2.0
// capture with a budget of memory: the same bits in less of it, or a refusal that names what would do.
import { expect, it } from 'vitest';
import {
  type CaptureOptions,
  capture,
  createModel,
  manualSeed,
  optim,
  weightsSha256,
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
