// SPDX-License-Identifier: Apache-2.0
// Training leaves nothing behind: handles and bytes of native memory stay exactly where they were, and so, within
// 10 MiB, does the process.
import { describe, expect, it } from 'vitest';
import { memory } from '../../lib/tensor/scope.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { predict } from '../../lib/train/predict.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const WARM_UP = 50; // steps

describe('memory', () => {
  it('is flat over 2,000 training steps', async () => {
    const model = xoModel();
    const dataset = someXo(160);
    let first: { tensors: number; bytes: number; rss: number } | undefined;
    let growth = 0;
    const { steps } = await fit(model, dataset, {
      batchSize: 16,
      epochs: 205,
      optimizer: 'sgd',
      lr: 1e-3,
      onBatch: ({ step }) => {
        if (step < WARM_UP) return;
        const { tensors, bytes } = memory();
        if (first === undefined) {
          first = { tensors, bytes, rss: process.memoryUsage.rss() };
          return;
        }
        if (tensors !== first.tensors || bytes !== first.bytes) {
          expect({ step, tensors, bytes }).toEqual({ step, tensors: first.tensors, bytes: first.bytes });
        }
        if (step % 100 === 0) growth = Math.max(growth, process.memoryUsage.rss() - first.rss);
      },
    });
    expect(steps).toBe(2_050);
    expect(first).toBeDefined();
    expect(growth / 2 ** 20).toBeLessThan(10);
  });

  it('is back where it was after fit, evaluate and predict, and after their errors', async () => {
    const model = linearModel();
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
