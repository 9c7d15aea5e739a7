// SPDX-License-Identifier: Apache-2.0
// A step in parts: the gradients of the whole batch within rounding, less memory, the same bits in every way of running it.
import { afterAll, describe, expect, it } from 'vitest';
import {
  type CaptureOptions,
  capture,
  crossEntropy,
  type FitOptions,
  fit,
  manualSeed,
  nn,
  optim,
  setNumThreads,
  type Tensor,
  tensor,
  weightsSha256,
  xo,
} from '../../lib/index.js';
import { nativeInfo } from '../../lib/native/bindings.js';
import { BatchParts } from '../../lib/ops/batch-part.js';
import { dropout } from '../../lib/ops/dropout.js';
import { givenRows } from '../../lib/train/batch-rows.js';
import { trainOn } from '../../lib/train/train-step.js';
import { pattern } from '../helpers/pattern.js';

const { threads } = nativeInfo();
afterAll(() => setNumThreads(threads));

const BATCH = 12;
const STEPS = 3;
const SHAPE = [BATCH, 9, 9, 2] as const;
const images = Float32Array.from(pattern(1, STEPS * BATCH * 9 * 9 * 2));
const labels = Int32Array.from({ length: STEPS * BATCH }, (_, i) => (i * 7) % 5);

function makeNet(): nn.Module {
  manualSeed(3);
  return new nn.Sequential(
    new nn.Conv2d(2, 5, { kernelSize: 3 }),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(45, 11),
    new nn.Tanh(),
    new nn.Dropout(0.5),
    new nn.Linear(11, 5),
  );
}

function firstBatch() {
  const size = images.length / STEPS;
  return { images: tensor(images.slice(0, size), SHAPE), labels: tensor(labels.slice(0, BATCH)) };
}

/** Gradients after one step of parts of `size` samples; the rate is 0, so that weights stay. */
function gradients(size: number, loss?: (outputs: Tensor, labels: Tensor) => Tensor) {
  using model = makeNet();
  using optimizer = new optim.SGD(model.parameters(), { lr: 0 });
  const seen: number[] = [];
  const learner = { model, optimizer, loss: loss ?? crossEntropy, countsCorrect: loss === undefined };
  const told = trainOn(learner, givenRows(firstBatch()), BATCH, size, (value) => {
    seen.push(value.item());
  });
  return {
    loss: told.loss.item(),
    correct: told.correct?.item(),
    parts: seen,
    gradients: model.parameters().map((parameter) => Array.from((parameter.grad as Tensor).data())),
  };
}

async function captured(options: Omit<CaptureOptions, 'input'>) {
  using model = makeNet();
  using optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  using plan = capture({ model, optimizer }, { input: SHAPE, ...options });
  const { outputs } = await plan.run({ images, labels });
  const summary = plan.describe();
  return { hash: weightsSha256(model), outputs, peak: summary.peakBytes, summary };
}

describe('the gradients of parts', () => {
  const whole = gradients(BATCH);

  it.each([6, 4, 3, 1, 5, 7])('of %i samples are those of the whole batch', (size) => {
    const divided = gradients(size);
    expect(divided.parts).toHaveLength(Math.ceil(BATCH / size));
    expect(divided.loss).toBeCloseTo(whole.loss, 6);
    expect(divided.correct).toBe(whole.correct);
    divided.gradients.forEach((values, p) => {
      const largest = Math.max(...whole.gradients[p].map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      values.forEach((value, i) => {
        expect(Math.abs(value - whole.gradients[p][i])).toBeLessThan(2e-6 * largest + 1e-9);
      });
    });
  });

  it('weigh a loss of one’s own by the samples of each part', () => {
    const divided = gradients(5, crossEntropy); // 5, 5 and 2 of 12
    const [a, b, c] = divided.parts;
    expect(divided.loss).toBeCloseTo((5 * a + 5 * b + 2 * c) / 12, 6);
    expect(divided.loss).toBeCloseTo(whole.loss, 6);
    expect(divided.correct).toBeUndefined();
  });
});

it('draws in parts what the whole batch would draw, wherever they begin', () => {
  const ones = tensor(new Float32Array(7 * 5).fill(1), [7, 5]);
  manualSeed(9);
  const wholes = [dropout(ones, 0.4).data(), dropout(ones, 0.4).data()];
  for (const size of [1, 2, 3, 4]) {
    manualSeed(9);
    const parts = new BatchParts();
    const found: number[][] = [[], []];
    for (let first = 0; first < 7; first += size) {
      const rows = Math.min(size, 7 - first);
      const part = tensor(new Float32Array(rows * 5).fill(1), [rows, 5]);
      parts.run(first, rows, () => {
        for (const values of found) values.push(...dropout(part, 0.4).data());
      });
    }
    expect(found).toEqual(wholes.map((values) => [...values]));
  }
});

describe('a captured step', () => {
  it('has the same bits on any number of threads, and less memory', async () => {
    const whole = await captured({});
    const divided = await captured({ microBatches: 4 });
    expect(divided.peak).toBeLessThan(0.6 * whole.peak);
    expect([...divided.outputs.correct]).toEqual([...whole.outputs.correct]);
    divided.outputs.loss.forEach((loss, step) => {
      expect(loss).toBeCloseTo(whole.outputs.loss[step], 5);
    });
    for (const count of [1, 2, 3, 7]) {
      setNumThreads(count);
      expect((await captured({ microBatches: 4 })).hash).toBe(divided.hash);
    }
    expect((await captured({ microBatches: 1 })).hash).toBe(whole.hash);
    expect((await captured({ microBatches: false })).hash).toBe(whole.hash);
  });

  it('takes as few parts as the budget allows', async () => {
    const peaks = await Promise.all([1, 2, 3].map((microBatches) => captured({ microBatches })));
    for (const wanted of peaks) {
      const chosen = await captured({ microBatches: true, maxMemory: wanted.peak });
      expect(chosen.peak).toBe(wanted.peak);
      expect(chosen.hash).toBe(wanted.hash);
    }
  });

  it('tells its parts', async () => {
    const { summary: whole } = await captured({});
    expect(whole.microBatches).toBe(1);
    expect(String(whole)).toMatch(/microBatches 1$/m);
    const { summary: divided } = await captured({ microBatches: 4 });
    expect(divided.microBatches).toBe(4);
    expect(String(divided)).toMatch(/microBatches 4 of 3 samples$/m);
    const { peakBytes } = (await captured({ microBatches: 3 })).summary;
    const { summary: chosen } = await captured({ microBatches: true, maxMemory: peakBytes });
    expect(chosen.microBatches).toBe(3);
  });

  it('computes twice in small parts, or refuses, where parts are not enough', async () => {
    const error = await captured({ microBatches: true, maxMemory: 1000 }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_OUT_OF_MEMORY', received: '1000' });
    const smallest = Number(/at least (\d+) bytes/.exec(String(error))?.[1]);
    expect((await captured({ microBatches: true, maxMemory: smallest })).peak).toBeLessThanOrEqual(smallest);
  });

  it('refuses what cannot be divided', async () => {
    for (const microBatches of [5, 24, 0, -2, 1.5, 'two' as never]) {
      await expect(captured({ microBatches })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await expect(captured({ microBatches: 5 })).rejects.toThrow(/6 would do/);
    await expect(captured({ microBatches: true })).rejects.toThrow(/maxMemory/);
    expect(() => capture(({ x }) => ({ x }), { inputs: { x: [4, 2] }, microBatches: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('a net with batch normalisation', () => {
  const make = () => {
    manualSeed(2);
    return new nn.Sequential(
      new nn.Conv2d(2, 4, { kernelSize: 3 }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.GlobalAvgPool2d(),
      new nn.Linear(4, 5),
    );
  };
  const plan = (options: Omit<CaptureOptions, 'input'>) => {
    const model = make();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
    try {
      using made = capture({ model, optimizer }, { input: SHAPE, ...options });
      return made.describe();
    } finally {
      for (const part of [model, optimizer]) part.dispose();
    }
  };

  it('is refused with the name of the layer', () => {
    expect(() => plan({ microBatches: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', op: 'batchNorm2d', path: '1' }),
    );
  });

  it('computes its activations twice instead where parts were left to the budget', () => {
    const whole = plan({});
    const tight = plan({ microBatches: true, maxMemory: whole.peakBytes - 1 });
    expect(tight.planned.recomputed).toBeGreaterThan(0);
    expect(tight.peakBytes).toBeLessThan(whole.peakBytes);
  });
});

describe('fit', () => {
  const { train } = xo({ seed: 1, trainSize: 22, testSize: 2 });
  const trained = async (options: FitOptions) => {
    manualSeed(1);
    using model = new nn.Sequential(
      new nn.Conv2d(1, 4, { kernelSize: 3, stride: 2 }),
      new nn.ReLU(),
      new nn.Dropout(0.2),
      new nn.GlobalAvgPool2d(),
      new nn.Linear(4, 2),
    );
    const { history, captured } = await fit(model, train, { batchSize: 8, epochs: 2, ...options });
    return { hash: weightsSha256(model), losses: history.map(({ loss }) => loss), captured };
  };

  it('trains in parts, also the last batch, with the same bits captured or not', async () => {
    const whole = await trained({});
    const divided = await trained({ microBatches: 2 });
    const eager = await trained({ microBatches: 2, capture: false });
    expect(divided.captured).toBe(true);
    expect(eager.captured).toBe(false);
    expect(eager.hash).toBe(divided.hash);
    expect(eager.losses).toEqual(divided.losses);
    divided.losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(whole.losses[i], 4);
    });
  });

  it('lets the budget decide, and refuses what does not divide the batch', async () => {
    expect((await trained({ microBatches: true, maxMemory: 1e9 })).hash).toBe((await trained({})).hash);
    await expect(trained({ microBatches: 3 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(trained({ microBatches: true })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
