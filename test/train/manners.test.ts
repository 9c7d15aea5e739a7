// SPDX-License-Identifier: Apache-2.0
// How trainings behave beside each other and beside everything else: the same bits, their share of the machine, no more.
import { afterEach, describe, expect, it } from 'vitest';
import {
  ArrayDataset,
  evaluate,
  type FitOptions,
  type FitResult,
  fit,
  glyphs,
  info,
  LeNet5,
  manualSeed,
  predict,
  setNumThreads,
  weightsSha256,
} from '../../lib/index.js';
import type { MannersOptions } from '../../lib/train/manners.js';

const threads = info().threads;
afterEach(() => setNumThreads(threads));

const { train, test } = glyphs({ seed: 8, trainSize: 400, testSize: 64 });
const OPTIONS: FitOptions = { batchSize: 50, seed: 1, lr: 0.002 };
const ASK = { imageShape: [28, 28, 1] } as const;

function lenet(seed = 1): LeNet5 {
  manualSeed(seed);
  return new LeNet5();
}

async function trained(options: FitOptions = {}, seed = 1): Promise<string> {
  using model = lenet(seed);
  const result = await fit(model, train, { ...OPTIONS, ...options });
  expect(result.captured).toBe(true);
  return weightsSha256(model);
}

/** Trains without end, until `body` is over. */
async function during(options: FitOptions, body: () => Promise<unknown>, seed = 1): Promise<FitResult> {
  using model = lenet(seed);
  const stop = new AbortController();
  const training = fit(model, train, { ...OPTIONS, ...options, epochs: 1_000_000, signal: stop.signal });
  await body();
  stop.abort();
  return await training;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Processor time that the process takes while `body` runs, as a share of the time that passes. */
async function load(body: () => Promise<unknown>): Promise<number> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await body();
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000 / (performance.now() - start);
}

/** Times of two trainings or passes are compared: what other processes take in between may spoil one comparison. */
const TIMED = { retry: 2 };

describe('trainings at once', () => {
  it('give the weights of trainings alone, eight of them, in the background or held to a share', async () => {
    const alone = await Promise.all([1, 2].map(async (seed) => trained({}, seed)));
    expect(alone[0]).not.toBe(alone[1]);
    const kinds: FitOptions[] = [{}, { priority: 'background' }, { cpuShare: 0.6 }, { threads: 1 }];
    for (const count of [1, 2, 3]) {
      setNumThreads(count);
      const hashes = await Promise.all(
        [...kinds, ...kinds].map((kind, i) => trained(kind, 1 + Math.floor(i / 4))),
      );
      expect(hashes).toEqual([...Array(4).fill(alone[0]), ...Array(4).fill(alone[1])]);
    }
  });

  it('take turns: no more compute than there are threads, each gets its part', async () => {
    setNumThreads(1);
    let share = 0;
    const measured = load(() => pause(600)).then((value) => {
      share = value;
    });
    const results = await Promise.all([1, 2, 3, 4, 5].map((seed) => during({}, () => measured, seed)));
    const steps = results.map((result) => result.steps);
    expect(share).toBeLessThan(1.5); // five threads would fill both cores of the smallest machine
    expect(Math.min(...steps)).toBeGreaterThan(Math.max(...steps) / 3);
  });
});

describe('a training in the background', () => {
  it('waits while the foreground computes', TIMED, async () => {
    setNumThreads(1);
    const PERIOD = 400;
    const free = await during({ priority: 'background' }, () => pause(PERIOD));
    using model = lenet(5);
    const busy = await during({ priority: 'background' }, async () => {
      const end = performance.now() + PERIOD;
      while (performance.now() < end) await predict(model, test.images as Uint8Array, ASK);
    });
    expect(free.steps).toBeGreaterThan(10);
    expect(busy.steps).toBeLessThan(free.steps * 0.5);
    expect(busy.steps).toBeGreaterThan(0); // it is not starved
  });

  it('goes on with the bits of another when it was in the way', async () => {
    const alone = await trained({ epochs: 2 });
    setNumThreads(2);
    using model = lenet(5);
    let running = true;
    const training = trained({ epochs: 2, priority: 'background' }).finally(() => {
      running = false;
    });
    while (running) {
      await predict(model, test.images as Uint8Array, ASK);
      await pause(2);
    }
    expect(await training).toBe(alone);
  });
});

describe('cpuShare', () => {
  it('is kept', async () => {
    setNumThreads(1);
    for (const cpuShare of [0.2, 0.5]) {
      let share = 0;
      const result = await during({ cpuShare }, async () => {
        await pause(100);
        share = await load(() => pause(800));
      });
      expect(result.steps).toBeGreaterThan(3);
      expect(share).toBeLessThan(cpuShare + 0.1);
    }
  });

  it('holds for steps that are run one by one', async () => {
    setNumThreads(1);
    let share = 0;
    await during({ cpuShare: 0.2, onBatch: () => {} }, async () => {
      await pause(100);
      share = await load(() => pause(800));
    });
    expect(share).toBeLessThan(0.35);
  });
});

/** Images enough for some 0.1 s: the same ones again and again. */
const many = (() => {
  const [times, images] = [40, test.images as Uint8Array];
  const again = new Uint8Array(times * images.length);
  const labels = new Int32Array(times * test.length);
  for (let i = 0; i < times; i++) {
    again.set(images, i * images.length);
    labels.set(test.labels, i * test.length);
  }
  const { imageShape, classNames } = test;
  return new ArrayDataset({ images: again, labels, imageShape, classNames });
})();

const uses = {
  evaluate: async (model: LeNet5, options: MannersOptions) => {
    const { loss, confusion } = await evaluate(model, many, { ...options, batchSize: 64 });
    return { loss, confusion };
  },
  predict: async (model: LeNet5, options: MannersOptions) => {
    const { probabilities } = await predict(model, many.images, { ...options, ...ASK, batchSize: 64 });
    return { probabilities };
  },
};

describe.each(Object.entries(uses))('%s', (name, use) => {
  it('gives the same with any manners', async () => {
    using model = lenet(3);
    const wanted = await use(model, {});
    for (const options of [{ threads: 1 }, { priority: 'background' }, { cpuShare: 0.7 }] as const) {
      expect(await use(model, options)).toEqual(wanted);
    }
  });

  it('keeps to its share', async () => {
    setNumThreads(1);
    using model = lenet(3);
    const whole = await load(() => use(model, {}));
    const share = await load(() => use(model, { cpuShare: 0.1 }));
    expect(share).toBeLessThan(0.7 * whole);
    expect(share).toBeLessThan(0.3); // recording takes some ms of JavaScript
  });

  it('waits in the background while the foreground computes', TIMED, async () => {
    setNumThreads(1);
    using model = lenet(3);
    const times: number[] = [];
    await during({}, async () => {
      for (const priority of ['normal', 'background'] as const) {
        const start = performance.now();
        await use(model, { priority });
        times.push(performance.now() - start);
      }
    });
    expect(times[1]).toBeGreaterThan(2 * times[0]);
  });

  it('refuses manners that there are not', async () => {
    using model = lenet(3);
    for (const options of [{ threads: 0 }, { priority: 'low' }, { cpuShare: 2 }] as object[]) {
      await expect(use(model, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', op: name });
    }
  });
});

it('refuses manners that there are not, before anything is trained', async () => {
  using model = lenet();
  const hash = weightsSha256(model);
  const wrong: object[] = [
    ...[0, -1, 1.5, '2', Number.NaN].map((value) => ({ threads: value })),
    ...['low', 1, null].map((priority) => ({ priority })),
    ...[0, -0.5, 1.01, Number.NaN, '0.5', null].map((cpuShare) => ({ cpuShare })),
  ];
  for (const options of wrong) {
    await expect(fit(model, train, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', op: 'fit' });
  }
  expect(weightsSha256(model)).toBe(hash);
});
