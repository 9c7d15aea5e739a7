// SPDX-License-Identifier: Apache-2.0
// `capture` and runs of its plans over every kind of source: the bits of the eager loop, whatever happens between steps.
import { describe, expect, it } from 'vitest';
import {
  type BatchArrays,
  capture,
  crossEntropy,
  DataLoader,
  glyphs,
  info,
  LeNet5,
  manualSeed,
  memory,
  nn,
  optim,
  type Plan,
  type RunOptions,
  setNumThreads,
  type Tensor,
  tensor,
  tensorScope,
  weightsSha256,
} from '../../lib/index.js';
import { defaultGenerator } from '../../lib/tensor/random.js';

const BATCH = 4;
const STEPS = 12;
const SIZE = BATCH * 28 * 28;
const input = [BATCH, 28, 28, 1];

const arrays = {
  images: Float32Array.from({ length: STEPS * SIZE }, (_, i) => Math.sin(i * 0.37) * Math.cos(i)),
  labels: Int32Array.from({ length: STEPS * BATCH }, (_, i) => (i * 7) % 10),
};

function batch(step: number): { images: Float32Array; labels: Int32Array } {
  const s = step % STEPS;
  return {
    images: arrays.images.slice(s * SIZE, (s + 1) * SIZE),
    labels: arrays.labels.slice(s * BATCH, (s + 1) * BATCH),
  };
}

const models = {
  'LeNet-5': () => new LeNet5(),
  'a net with dropout': () =>
    new nn.Sequential(
      new nn.Conv2d(1, 4, { kernelSize: 3, stride: 2 }),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Flatten(),
      new nn.Linear(13 * 13 * 4, 10),
    ),
};

const optimizers = {
  SGD: (params: Tensor[]) => new optim.SGD(params, { lr: 0.05, momentum: 0.9 }),
  AdamW: (params: Tensor[]) => new optim.AdamW(params, { lr: 0.01 }),
};

type MakeModel = () => nn.Module;
type MakeOptimizer = (params: Tensor[]) => optim.SGD | optim.AdamW;
const lr = (step: number) => 0.02 / (1 + step);

/** All that training leaves behind. */
function stateOf(model: nn.Module, optimizer: optim.SGD | optim.AdamW) {
  return {
    hash: weightsSha256(model),
    numbers: [...optimizer.stateDict().numbers].filter(([name]) => name.endsWith('.step')),
    draws: defaultGenerator().state.step,
  };
}

function eager(steps: number, makeModel: MakeModel, makeOptimizer: MakeOptimizer) {
  manualSeed(3);
  using model = makeModel();
  using optimizer = makeOptimizer(model.parameters());
  const losses: number[] = [];
  for (let s = 0; s < steps; s++) {
    optimizer.lr = lr(s);
    const { images, labels } = batch(s);
    tensorScope(() => {
      const loss = crossEntropy(model.call(tensor(images, input)), tensor(labels));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    });
  }
  optimizer.zeroGrad();
  return { losses, ...stateOf(model, optimizer) };
}

interface Trained {
  readonly model: nn.Module;
  readonly optimizer: optim.SGD | optim.AdamW;
  readonly plan: Plan;
  readonly options: RunOptions;
}

/** Trains a fresh model by a plan, in whatever way `run` does it. */
async function captured(
  run: (trained: Trained) => Promise<void> | void,
  {
    makeModel = models['LeNet-5'] as MakeModel,
    makeOptimizer = optimizers.SGD as MakeOptimizer,
    threads = 1,
  } = {},
) {
  manualSeed(3);
  using model = makeModel();
  using optimizer = makeOptimizer(model.parameters());
  using plan = capture({ model, optimizer }, { input, threads });
  const losses: number[] = [];
  await run({
    model,
    optimizer,
    plan,
    options: {
      beforeStep: (step) => {
        optimizer.lr = lr(step);
      },
      onProgress: ({ outputs }) => void losses.push(...outputs.loss),
    },
  });
  return { losses, ...stateOf(model, optimizer) };
}

async function* slowly(steps: number): AsyncGenerator<BatchArrays> {
  for (let step = 0; step < steps; step++) {
    await new Promise((resolve) => setTimeout(resolve, step % 3));
    yield batch(step);
  }
}

function* quickly(steps: number): Generator<BatchArrays> {
  // One pair of arrays that is written again for each step: what was given out must have been copied.
  const images = new Float32Array(SIZE);
  const labels = new Int32Array(BATCH);
  for (let step = 0; step < steps; step++) {
    images.set(batch(step).images);
    labels.set(batch(step).labels);
    yield { images, labels };
  }
}

const noop = () => {};

describe('a plan', () => {
  for (const [modelName, makeModel] of Object.entries(models)) {
    for (const [optimizerName, makeOptimizer] of Object.entries(optimizers)) {
      it(`has the bits of the eager loop: ${modelName}, ${optimizerName}`, async () => {
        const wanted = eager(STEPS, makeModel, makeOptimizer);
        for (const threads of [1, 2, 3, 7]) {
          const options = { makeModel, makeOptimizer, threads };
          const found = await captured(
            async ({ plan, options }) => void (await plan.run(arrays, options)),
            options,
          );
          expect(found).toEqual(wanted);
        }
      });
    }
  }

  it('gives the same for every source and every prefetch', async () => {
    const wanted = eager(STEPS, models['LeNet-5'], optimizers.SGD);
    const sources = {
      arrays: () => arrays,
      generator: () => quickly(STEPS),
      array: () => Array.from({ length: STEPS }, (_, step) => batch(step)),
      asynchronous: () => slowly(STEPS),
      endless: () => slowly(1000),
    };
    for (const [name, source] of Object.entries(sources)) {
      for (const prefetch of [1, 4, undefined]) {
        const steps = name === 'endless' ? STEPS : undefined;
        const found = await captured(async ({ plan, options }) => {
          const result = await plan.run(source(), { ...options, prefetch, steps });
          expect(result).toMatchObject({ steps: STEPS, aborted: false });
          expect(Array.from(result.outputs.loss)).toEqual(wanted.losses);
        });
        expect(found).toEqual(wanted);
      }
    }
  });

  it('runs on this thread too', async () => {
    const wanted = eager(STEPS, models['a net with dropout'], optimizers.AdamW);
    const list = Array.from({ length: STEPS }, (_, step) => batch(step));
    for (const source of [arrays, quickly(STEPS), list]) {
      const found = await captured(
        ({ plan, options }) => {
          expect(plan.runSync(source, { ...options, prefetch: 5 }).steps).toBe(STEPS);
        },
        { makeModel: models['a net with dropout'], makeOptimizer: optimizers.AdamW },
      );
      expect(found).toEqual(wanted);
    }
  });

  it('takes typed arrays from the beginning again', async () => {
    const steps = STEPS + 5;
    const wanted = eager(steps, models['LeNet-5'], optimizers.SGD);
    for (const prefetch of [3, undefined]) {
      const found = await captured(async ({ plan, options }) => {
        await plan.run(arrays, { ...options, steps, prefetch });
      });
      expect(found).toEqual(wanted);
    }
  });

  it('is paused and resumed between two steps', async () => {
    const steps = 60;
    const wanted = eager(steps, models['a net with dropout'], optimizers.AdamW);
    let pauses = 0;
    const found = await captured(
      async ({ plan, options, model }) => {
        const running = plan.run(arrays, { ...options, steps, prefetch: 9 });
        for (let i = 0; i < 6 && plan.running; i++) {
          await plan.pause();
          expect(plan.paused).toBe(true);
          const [hash, done] = [weightsSha256(model), plan.stepsDone];
          await new Promise((resolve) => setTimeout(resolve, 3));
          expect([weightsSha256(model), plan.stepsDone]).toEqual([hash, done]);
          if (done < steps) pauses += 1;
          plan.resume();
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await running;
      },
      { makeModel: models['a net with dropout'], makeOptimizer: optimizers.AdamW },
    );
    expect(pauses).toBeGreaterThan(0);
    expect(found).toEqual(wanted);
  });

  it('goes on where it was aborted, the weights exact to the step', async () => {
    const steps = 40;
    const wanted = eager(steps, models['a net with dropout'], optimizers.AdamW);
    let first = 0;
    const found = await captured(
      async ({ plan, options, optimizer }) => {
        const shifted = {
          ...options,
          beforeStep: (step: number) => {
            optimizer.lr = lr(first + step);
          },
        };
        while (first < steps) {
          const controller = new AbortController();
          setTimeout(() => controller.abort(), 2);
          const rest = Array.from({ length: steps - first }, (_, step) => batch(first + step));
          const result = await plan.run(rest, { ...shifted, prefetch: 6, signal: controller.signal });
          // An iterable does not tell that it is at its end, so that a run may be aborted after its last step too.
          if (first + result.steps < steps) expect(result.aborted).toBe(true);
          first += result.steps;
          expect(plan.stepsDone).toBe(first);
        }
      },
      { makeModel: models['a net with dropout'], makeOptimizer: optimizers.AdamW },
    );
    expect(found).toEqual(wanted);
  });

  it('gathers from a data loader inside the step, over epochs with a short last batch', async () => {
    const { train } = glyphs({ seed: 5, trainSize: 22, testSize: 1 });
    const loaderOptions = { batchSize: BATCH, shuffle: true, seed: 9 };
    const byHand = () => {
      manualSeed(3);
      using model = new LeNet5();
      using optimizer = optimizers.SGD(model.parameters());
      using loader = new DataLoader(train, loaderOptions);
      for (let epoch = 0; epoch < 3; epoch++) {
        for (const { images, labels } of loader) {
          tensorScope(() => {
            optimizer.zeroGrad();
            crossEntropy(model.call(images), labels).backward();
            optimizer.step();
          });
          images.dispose();
          labels.dispose();
        }
      }
      optimizer.zeroGrad();
      return weightsSha256(model);
    };
    const wanted = byHand();
    // 6 batches an epoch: in one run, and in pieces that end within epochs
    for (const pieces of [[18], [4, 5, 1, 8], [undefined, 3, undefined, undefined]]) {
      manualSeed(3);
      using model = new LeNet5();
      using optimizer = optimizers.SGD(model.parameters());
      using loader = new DataLoader(train, loaderOptions);
      using plan = capture({ model, optimizer }, { inputs: loader });
      for (const [i, steps] of pieces.entries()) {
        if (i % 2 === 0) await plan.run(loader, { steps });
        else plan.runSync(loader, { steps });
      }
      expect(plan.stepsDone).toBe(18);
      expect(loader.state).toEqual({ epoch: 3, batch: 0 });
      expect(weightsSha256(model)).toBe(wanted);
    }
  });

  it('records any step, hands out whole tensors, inputs, parameters and constants', async () => {
    using weight = tensor(Float32Array.of(2, 3), [2]);
    using plan = capture(({ x }) => ({ x, weight, five: tensor([5]), doubled: x.clone(), same: x }), {
      inputs: { x: [2] },
      threads: 1,
    });
    const { outputs } = await plan.run({ x: Float32Array.of(1, 2, 3, 4) });
    expect(outputs).toEqual({
      x: Float32Array.of(1, 2, 3, 4),
      weight: Float32Array.of(2, 3, 2, 3),
      five: Float64Array.of(5, 5),
      doubled: Float32Array.of(1, 2, 3, 4),
      same: Float32Array.of(1, 2, 3, 4),
    });
    const none = await plan.run({ x: new Float32Array(2) }, { keepOutputs: false });
    expect(none.outputs.x).toHaveLength(0);
  });

  it('counts steps only for parameters that it updates, as the eager loop does', async () => {
    using used = new nn.Linear(2, 1);
    using idle = new nn.Linear(2, 1);
    using optimizer = new optim.AdamW([...used.parameters(), ...idle.parameters()], { lr: 0.1 });
    const step = ({ x }: Readonly<Record<string, Tensor>>) => {
      const loss = used.call(x);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return { loss };
    };
    tensorScope(() => step({ x: tensor([1, 2], [1, 2]) }));
    using plan = capture(step, { inputs: { x: [1, 2] } });
    await plan.run({ x: Float32Array.of(1, 2) }, { steps: 4 });
    const counts = [...optimizer.stateDict().numbers].filter(([name]) => name.endsWith('.step'));
    expect(counts).toEqual([
      ['state.0.step', 5],
      ['state.1.step', 5],
    ]);
    expect(used.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  it.each([1, 2, 3, 7])(
    'asks the system for no memory after its first step, with %i threads',
    async (threads) => {
      setNumThreads(threads);
      using model = new LeNet5();
      using optimizer = optimizers.SGD(model.parameters());
      using plan = capture({ model, optimizer }, { input });
      await plan.run(arrays, { steps: 1 });
      const before = memory();
      await plan.run(arrays, { steps: 500, prefetch: 16 });
      const after = memory();
      setNumThreads(info().defaultThreads);
      for (const field of ['allocations', 'tensors', 'bytes'] as const) {
        expect(after[field], field).toBe(before[field]);
      }
    },
  );

  it('describes itself', () => {
    using model = new LeNet5();
    using optimizer = optimizers.SGD(model.parameters());
    using plan = capture({ model, optimizer }, { input });
    const summary = plan.describe();
    expect(summary.operations).toHaveLength(summary.planned.instructions);
    expect(summary.operations).toContain('conv2d_forward');
    expect(summary.operations.indexOf('conv2d_forward')).toBeLessThan(
      summary.operations.indexOf('conv2d_winner_gradients'),
    );
    expect(summary.outputs.map(({ name }) => name).sort()).toEqual(['correct', 'loss']);
    expect(summary.peakBytes).toBeGreaterThan(0);
    const text = String(summary);
    expect(text).toContain('images float32 [4, 28, 28, 1], labels int32 [4]');
    expect(text).toContain(`peakBytes ${summary.peakBytes}`);
    expect(text).toContain(`buffers ${summary.planned.buffers}`);
    expect(text).toContain('microBatches 1');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('leaves nothing behind', async () => {
    const { tensors, bytes } = memory();
    await captured(async ({ plan }) => {
      await plan.run(slowly(3)).then(noop);
    });
    expect(memory()).toMatchObject({ tensors, bytes });
  });
});
