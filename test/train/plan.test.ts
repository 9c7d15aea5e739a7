// SPDX-License-Identifier: Apache-2.0
// A captured step gives the bits of the eager one, for any number of threads.
import { describe, expect, it } from 'vitest';
import {
  argmax,
  crossEntropy,
  LeNet5,
  manualSeed,
  memory,
  nn,
  optim,
  setNumThreads,
  type Tensor,
  tensor,
  tensorScope,
  weightsSha256,
} from '../../lib/index.js';
import { capturePlan, type StepOutputs } from '../../lib/train/plan.js';

const BATCH = 6;
const STEPS = 5;
const PIXELS = 28 * 28;

function data() {
  const images = Float32Array.from(
    { length: STEPS * BATCH * PIXELS },
    (_, i) => Math.sin(i * 0.37) * Math.cos(i),
  );
  const labels = Int32Array.from({ length: STEPS * BATCH }, (_, i) => (i * 7) % 10);
  return { images, labels };
}

const streams = {
  images: { shape: [BATCH, 28, 28, 1], dtype: 'float32' },
  labels: { shape: [BATCH], dtype: 'int32' },
} as const;

const models = {
  'LeNet-5': () => new LeNet5(),
  'LeNet-5 of 1998': () => new LeNet5({ variant: '1998' }),
  'a net with dropout': () =>
    new nn.Sequential(
      new nn.Conv2d(1, 4, { kernelSize: 3, stride: 2 }),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Flatten(),
      new nn.Linear(13 * 13 * 4, 32),
      new nn.Sigmoid(),
      new nn.Dropout(0.5),
      new nn.Linear(32, 10),
    ),
};

const optimizers = {
  SGD: (params: Tensor[]) =>
    new optim.SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
  AdamW: (params: Tensor[]) => new optim.AdamW(params, { lr: 0.01 }),
};

type Step = (inputs: Readonly<Record<string, Tensor>>) => { loss: Tensor };

function trainingStep(model: nn.Module, optimizer: optim.SGD | optim.AdamW): Step {
  return ({ images, labels }) => {
    const loss = crossEntropy(model.call(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return { loss };
  };
}

const lr = (step: number) => 0.02 / (1 + step);

function eager(makeModel: () => nn.Module, makeOptimizer: (params: Tensor[]) => optim.SGD | optim.AdamW) {
  manualSeed(3);
  using model = makeModel();
  using optimizer = makeOptimizer(model.parameters());
  const step = trainingStep(model, optimizer);
  const { images, labels } = data();
  const losses: number[] = [];
  for (let s = 0; s < STEPS; s++) {
    optimizer.lr = lr(s);
    tensorScope(() => {
      const x = tensor(images.slice(s * BATCH * PIXELS, (s + 1) * BATCH * PIXELS), [BATCH, 28, 28, 1]);
      const y = tensor(labels.slice(s * BATCH, (s + 1) * BATCH));
      losses.push(step({ images: x, labels: y }).loss.item());
    });
  }
  optimizer.zeroGrad();
  return { losses, hash: weightsSha256(model) };
}

async function captured(
  makeModel: () => nn.Module,
  makeOptimizer: (params: Tensor[]) => optim.SGD | optim.AdamW,
  runs: readonly number[],
) {
  manualSeed(3);
  using model = makeModel();
  using optimizer = makeOptimizer(model.parameters());
  optimizer.prepare();
  using plan = capturePlan(trainingStep(model, optimizer), streams, [optimizer]);
  optimizer.zeroGrad();
  const { images, labels } = data();
  const losses: number[] = [];
  let first = 0;
  for (const steps of runs) {
    const options = {
      steps,
      streams: {
        images: images.subarray(first * BATCH * PIXELS, (first + steps) * BATCH * PIXELS),
        labels: labels.subarray(first * BATCH, (first + steps) * BATCH),
      },
      beforeStep: (s: number) => {
        optimizer.lr = lr(first + s);
      },
    };
    const result = first === 0 ? await plan.run(options) : plan.runSync(options);
    losses.push(...result.outputs.loss);
    first += steps;
  }
  return { losses, hash: weightsSha256(model), plan: plan.describe() };
}

describe('a captured step', () => {
  for (const [modelName, makeModel] of Object.entries(models)) {
    for (const [optimizerName, makeOptimizer] of Object.entries(optimizers)) {
      it(`has the bits of the eager one: ${modelName}, ${optimizerName}`, async () => {
        const wanted = eager(makeModel, makeOptimizer);
        for (const threads of [1, 2, 3, 7]) {
          setNumThreads(threads);
          const once = await captured(makeModel, makeOptimizer, [STEPS]);
          expect(once.losses).toEqual(wanted.losses);
          expect(once.hash).toBe(wanted.hash);
        }
        setNumThreads(2);
        // In pieces, as a run that was stopped and went on
        const pieces = await captured(makeModel, makeOptimizer, [2, 1, 2]);
        expect(pieces.hash).toBe(wanted.hash);
      });
    }
  }

  it('shares memory between buffers, writes in place and lets convolutions do the ReLU', async () => {
    const { plan } = await captured(models['LeNet-5'], optimizers.SGD, [STEPS]);
    expect(plan.peakBytes).toBeLessThan(plan.unsharedBytes * 0.7);
    expect(plan.fusions).toEqual({
      'conv2d + relu': 2,
      'maxPool2d gradient + conv2d gradients': 2,
      'relu gradient + bias gradient': 2,
      'relu gradient at the pooled size': 2,
      'updates in one pass': 10,
    });
    expect(plan.inPlace).toBeGreaterThan(2);
  });

  it('leaves nothing behind', async () => {
    const { tensors, bytes } = memory();
    await captured(models['LeNet-5'], optimizers.AdamW, [STEPS]);
    expect(memory()).toMatchObject({ tensors, bytes });
  });

  it('cannot look at values, and says where it was asked', () => {
    const plan = () =>
      capturePlan(
        ({ images }) => ({ first: tensor([argmax(images.view([BATCH, PIXELS])).data()[0]]) }),
        streams,
      );
    expect(plan).toThrow(/plan\.test\.ts:\d+/);
    expect(plan).toThrow(expect.objectContaining({ code: 'ERR_CAPTURE' }));
  });

  it('reports progress in order and stops when it is told', async () => {
    using model = new LeNet5();
    using plan = capturePlan(
      ({ images, labels }) => ({ loss: crossEntropy(model.call(images), labels) }),
      streams,
    );
    const steps = 400;
    const images = new Float32Array(steps * BATCH * PIXELS);
    const labels = new Int32Array(steps * BATCH);
    const controller = new AbortController();
    const seen: [number, number, StepOutputs][] = [];
    const result = await plan.run({
      steps,
      streams: { images, labels },
      signal: controller.signal,
      onSteps: (first, end, outputs) => {
        seen.push([first, end, outputs]);
        controller.abort();
      },
    });
    expect(seen[0][0]).toBe(0);
    for (let i = 1; i < seen.length; i++) expect(seen[i][0]).toBe(seen[i - 1][1]);
    expect(result.steps).toBe(seen.at(-1)?.[1]);
    expect(result.aborted).toBe(result.steps < steps);
    expect(result.outputs.loss).toHaveLength(result.steps);
  });
});
