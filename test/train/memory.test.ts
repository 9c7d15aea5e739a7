// SPDX-License-Identifier: Apache-2.0
// Training leaves nothing behind: handles and bytes of native memory stay exactly where they were, and so, within
// 10 MiB, does the process.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { memory } from '../../lib/tensor/scope.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { predict } from '../../lib/train/predict.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const WARM_UP = 50; // steps
const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Trains 210 epochs of 10 steps with the compiled library; prints the steps and the growth of RSS after the first 10 epochs. */
const PROGRAM = `
  import { xo } from './dist/data/xo.js';
  import { createModel } from './dist/models/registry.js';
  import { fit } from './dist/train/fit.js';
  let first;
  let most = 0;
  const { steps } = await fit(createModel('xo').model, xo({ trainSize: 160, testSize: 1 }).train, {
    batchSize: 16,
    epochs: 210,
    onEpoch: ({ epoch }) => {
      const rss = process.memoryUsage.rss();
      if (epoch === 10) first = rss;
      if (epoch > 10) most = Math.max(most, rss - first);
    },
  });
  console.log(steps, most);
`;

describe('memory', () => {
  it.each([
    ['captured', true],
    ['eager', false],
  ])('is flat over 2,000 training steps, %s', async (_, capture) => {
    using model = xoModel(); // nothing may be left for the garbage collector to free in a later test
    const dataset = someXo(160);
    let first: { tensors: number; bytes: number } | undefined;
    const { steps, captured } = await fit(model, dataset, {
      batchSize: 16,
      epochs: 205,
      optimizer: 'sgd',
      lr: 1e-3,
      capture,
      onBatch: ({ step }) => {
        if (step < WARM_UP) return;
        const { tensors, bytes } = memory();
        first ??= { tensors, bytes };
        if (tensors === first.tensors && bytes === first.bytes) return;
        expect({ step, tensors, bytes }).toEqual({ step, ...first });
      },
    });
    expect({ steps, captured }).toEqual({ steps: 2_050, captured: capture });
    expect(first).toBeDefined();
  });

  it('of the process grows by less than 10 MiB over 2,000 steps', async () => {
    // A process of its own: the heap of the test runner grows by itself.
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM], { cwd: root });
    const [steps, growth] = stdout.split(' ').map(Number);
    expect(steps).toBe(2_100);
    expect(growth / 2 ** 20).toBeLessThan(10);
  });

  it('is back where it was after fit, evaluate and predict, and after their errors', async () => {
    using model = linearModel();
    const rounds = async () => {
      await fit(model, halves(32), { epochs: 2, validation: halves(8), optimizer: 'adamw' });
      await fit(model, halves(32), { signal: AbortSignal.abort() });
      await fit(model, someXo(4)).catch(() => {});
      await fit(model, halves(8), { lr: -1 }).catch(() => {});
      await fit(model, halves(32), {
        onBatch: () => {
          throw new Error('mine');
        },
      }).catch(() => {});
      await evaluate(model, halves(32));
      await evaluate(model, someXo(4)).catch(() => {});
      await predict(model, halves(32).images, { imageShape: [2, 2, 1] });
      await predict(model, new Uint8Array(9), { imageShape: [3, 3, 1] }).catch(() => {});
    };
    await rounds();
    const { tensors, bytes } = memory();
    for (let i = 0; i < 5; i++) await rounds();
    expect(memory()).toMatchObject({ tensors, bytes });
  });
});
