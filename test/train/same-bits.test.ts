// SPDX-License-Identifier: Apache-2.0
// One seed, one result: every way of training a network, for any number of threads, ends with the same weights.
import { afterAll, describe, expect, it } from 'vitest';
import {
  ArrayDataset,
  type BatchArrays,
  capture,
  createModel,
  DataLoader,
  type FitOptions,
  fit,
  fitMany,
  info,
  manualSeed,
  nn,
  optim,
  type Plan,
  setNumThreads,
  weightsSha256,
} from '../../lib/index.js';

const before = info().threads;
afterAll(() => setNumThreads(before));

const IMAGES = 16;
const BATCH = 4;
const EPOCHS = 2;
const STEPS = (EPOCHS * IMAGES) / BATCH;
const SEED = 6;
const SGD = { lr: 0.02, momentum: 0.9 };
const OPTIONS: FitOptions = { epochs: EPOCHS, batchSize: BATCH, seed: SEED, optimizer: 'sgd', ...SGD };

/** Images in all their values, of ten classes. */
function dataset(imageShape: readonly [number, number, number]): ArrayDataset {
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  return new ArrayDataset({
    name: 'waves',
    images: Uint8Array.from({ length: IMAGES * size }, (_, i) => 128 + 127 * Math.sin(i * i * 0.013)),
    labels: Int32Array.from({ length: IMAGES }, (_, i) => (i * 7) % 10),
    imageShape,
    classNames: [...'0123456789'],
  });
}

const networks = {
  'LeNet-5': { imageShape: [28, 28, 1], build: () => createModel('lenet5').model },
  'a net with dropout': {
    imageShape: [11, 11, 1],
    build: () =>
      new nn.Sequential(
        new nn.Conv2d(1, 6, { kernelSize: 3, stride: 2 }),
        new nn.ReLU(),
        new nn.Dropout(0.3),
        new nn.Flatten(),
        new nn.Linear(150, 20),
        new nn.Tanh(),
        new nn.Dropout(0.5),
        new nn.Linear(20, 10),
      ),
  },
  'ResNet-20': {
    imageShape: [8, 8, 3],
    build: () => createModel('resnet20-cifar', { inputShape: [8, 8, 3] }).model,
  },
} as const;

/** A network that all ways of training begin with, and its images. */
interface Start {
  readonly model: nn.Module;
  readonly images: ArrayDataset;
}

/** The loader of `fit`, so that all see the same batches. */
const loaderOf = (images: ArrayDataset) =>
  new DataLoader(images, { batchSize: BATCH, seed: SEED, shuffle: true });

async function* batches(images: ArrayDataset): AsyncGenerator<BatchArrays> {
  using loader = loaderOf(images);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (const batch of loader) {
      yield { images: batch.images.data() as Float32Array, labels: batch.labels.data() as Int32Array };
      batch.images.dispose();
      batch.labels.dispose();
    }
  }
}

async function withPlan({ model, images }: Start, run: (plan: Plan) => Promise<{ steps: number }>) {
  using optimizer = new optim.SGD(model.parameters(), SGD);
  using plan = capture({ model, optimizer }, { input: [BATCH, ...images.imageShape] });
  expect((await run(plan)).steps).toBe(STEPS);
}

/** Holds the plan again and again until its run is over. */
async function interrupted(plan: Plan, run: Promise<{ steps: number }>) {
  let stops = 0;
  while (plan.running) {
    await plan.pause();
    if (plan.stepsDone < STEPS) stops += 1;
    plan.resume();
    await new Promise((resolve) => setTimeout(resolve, stops % 2));
  }
  expect(stops).toBeGreaterThan(0);
  return run;
}

async function fitted({ model, images }: Start, options: FitOptions) {
  const { captured, steps } = await fit(model, images, { ...OPTIONS, ...options });
  expect({ captured, steps }).toEqual({ captured: options.capture !== false, steps: STEPS });
}

const fromIterable = (start: Start, prefetch: number) =>
  withPlan(start, (plan) => plan.run(batches(start.images), { prefetch }));

const ways: Readonly<Record<string, (start: Start) => Promise<void>>> = {
  'fit, eager': (start) => fitted(start, { capture: false }),
  'fit, captured': (start) => fitted(start, {}),
  'fit, captured, step by step': (start) => fitted(start, { onBatch: () => {} }),
  'fit, captured, in the background': (start) => fitted(start, { priority: 'background', cpuShare: 0.9 }),
  'a plan over a loader': (start) =>
    withPlan(start, async (plan) => {
      using loader = loaderOf(start.images);
      return await plan.run(loader, { steps: STEPS });
    }),
  'a plan, batches prefetched': (start) => fromIterable(start, 3),
  'a plan, no batch prefetched': (start) => fromIterable(start, 0),
  'a plan, paused and resumed': (start) =>
    withPlan(start, (plan) => interrupted(plan, plan.run(batches(start.images), { prefetch: 2 }))),
};

describe.each(Object.entries(networks))('%s', (_, { imageShape, build }) => {
  const images = dataset([...imageShape]);
  const fresh = (): Start => {
    manualSeed(2);
    return { model: build(), images };
  };
  const hashOf = async (train: (start: Start) => Promise<void>): Promise<string> => {
    const start = fresh();
    using model = start.model;
    await train(start);
    return weightsSha256(model);
  };
  let wanted: string | undefined;
  const expected = async () => {
    setNumThreads(1);
    wanted ??= await hashOf(ways['fit, eager']);
    return wanted;
  };

  it.each(Object.entries(ways))(
    'has the same weights after %s, with 1, 2, 3 and 7 threads',
    async (_, train) => {
      const hash = await expected();
      for (const threads of [1, 2, 3, 7]) {
        setNumThreads(threads);
        expect(await hashOf(train), `${threads} threads`).toBe(hash);
      }
    },
  );

  it('has them beside 31 others', async () => {
    const hash = await expected();
    const others = Array.from({ length: 31 }, (_, i) => {
      manualSeed(100 + i);
      return new nn.Sequential(
        new nn.Flatten(),
        new nn.Dropout(0.1),
        new nn.Linear(images.imageShape[0] ** 2 * images.imageShape[2], 10),
      );
    });
    for (const threads of [1, 2, 3, 7]) {
      for (const capture of [true, false]) {
        setNumThreads(threads);
        const { model } = fresh();
        const models: nn.Module[] = [...others];
        models.splice(5, 0, model);
        const jobs = models.map((model) => ({ model, dataset: images, options: { ...OPTIONS, capture } }));
        const results = await fitMany(jobs);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(32);
        expect(weightsSha256(model), `${threads} threads, capture ${capture}`).toBe(hash);
        model.dispose();
      }
    }
    for (const other of others) other.dispose();
  });

  it('has others from another seed', async () => {
    const hash = await expected();
    expect(await hashOf((start) => fitted(start, { seed: SEED + 1 }))).not.toBe(hash);
  });
});
