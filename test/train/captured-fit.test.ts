// SPDX-License-Identifier: Apache-2.0
// fit with and without capture: the same weights, the same history; and a free event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import {
  fit,
  glyphs,
  LeNet5,
  manualSeed,
  memory,
  nn,
  setNumThreads,
  type Tensor,
  weightsSha256,
} from '../../lib/index.js';

const { train, test } = glyphs({ seed: 5, trainSize: 150, testSize: 40 });

async function trained(capture: boolean, options: object = {}) {
  manualSeed(2);
  using model = new LeNet5();
  const result = await fit(model, train, {
    epochs: 2,
    batchSize: 32, // 150 images: four batches and 22 images left
    seed: 4,
    lr: 0.003,
    schedule: 'cosine',
    capture,
    ...options,
  });
  return { hash: weightsSha256(model), result };
}

/** Reads a value in the middle of forward, as a recording cannot. */
class Curious extends nn.Module {
  readonly inner = new LeNet5();
  override forward(x: Tensor): Tensor {
    const y = this.inner.call(x);
    y.data();
    return y;
  }
}

describe('fit with capture', () => {
  it('gives the weights and the history of fit without it, for any number of threads', async () => {
    const wanted = await trained(false, { validation: test });
    expect(wanted.result.captured).toBe(false);
    for (const threads of [1, 2, 3, 7]) {
      setNumThreads(threads);
      const { hash, result } = await trained(true, { validation: test });
      expect(result).toMatchObject({ captured: true, notCaptured: undefined, aborted: false, steps: 10 });
      expect(hash).toBe(wanted.hash);
      for (const [i, row] of result.history.entries()) {
        const { seconds, imagesPerSecond, ...same } = wanted.result.history[i];
        expect(row).toMatchObject(same);
        expect([row.seconds, row.imagesPerSecond].every((value) => value > 0)).toBe(
          seconds > 0 && imagesPerSecond > 0,
        );
      }
      expect(result.curve).toEqual(wanted.result.curve);
    }
    setNumThreads(2);
  });

  it('gives the same with a callback between the steps', async () => {
    const wanted = await trained(false);
    const steps: number[] = [];
    const { hash } = await trained(true, { onBatch: ({ step }: { step: number }) => steps.push(step) });
    expect(hash).toBe(wanted.hash);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('says why a model cannot be captured, and trains it all the same', async () => {
    manualSeed(2);
    using model = new Curious();
    const result = await fit(model, train, { epochs: 1, seed: 4 });
    expect(result.captured).toBe(false);
    expect(result.notCaptured).toMatch(/captured-fit\.test\.ts:\d+/);
    expect(result.history).toHaveLength(1);
  });

  it('leaves no tensor behind and the gradients empty', async () => {
    const before = memory();
    await trained(true);
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  it('leaves the event loop free', async () => {
    manualSeed(2);
    using model = new LeNet5();
    const larger = glyphs({ seed: 5, trainSize: 4000, testSize: 10 }).train;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    setNumThreads(1); // leaves the other core of a small machine to the event loop
    delay.enable();
    await fit(model, larger, { epochs: 1, batchSize: 250 });
    delay.disable();
    setNumThreads(2);
    // Eager steps hold the loop for 25 ms at a time, so that their median is above 10.
    expect(delay.percentile(50) / 1e6).toBeLessThan(8);
  });
});
