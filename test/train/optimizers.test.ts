// SPDX-License-Identifier: Apache-2.0
// Every optimizer, with groups, clipping, a schedule and averages: one result for eager steps, recorded ones, any number of
// threads, interrupted and resumed from state dicts or not.
import { afterAll, describe, expect, it } from 'vitest';
import {
  capture,
  crossEntropy,
  info,
  manualSeed,
  nn,
  optim,
  type Plan,
  setNumThreads,
  type Tensor,
  tensor,
  tensorScope,
} from '../../lib/index.js';
import { pattern } from '../helpers/pattern.js';

const threads = info().threads;
afterAll(() => setNumThreads(threads));

const STEPS = 8;
const BATCH = 4;
const SHAPE = [BATCH, 8, 8, 1] as const;
const PIXELS = BATCH * 64;
const images = Float32Array.from(pattern(5, STEPS * PIXELS));
const labels = Int32Array.from({ length: STEPS * BATCH }, (_, i) => (i * 3) % 4);

/** Its second weight is more than one task of an update. */
const makeModel = () => {
  manualSeed(8);
  return new nn.Sequential(
    new nn.Conv2d(1, 8, { kernelSize: 3 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(288, 256),
    new nn.Tanh(),
    new nn.Linear(256, 4),
  );
};

interface Setup {
  readonly optimizer: (params: readonly Tensor[]) => optim.Optimizer;
  readonly schedule?: () => optim.Schedule;
  readonly clip?: { readonly clipGradNorm?: number; readonly clipGradValue?: number };
  readonly ema?: optim.EMAOptions;
}

/** Weights in one group, biases and what normalizes in another. */
const split = <Options extends object>(params: readonly Tensor[], weights: Options, others: Options) => [
  { params: params.filter(({ shape }) => shape.length > 1), ...weights },
  { params: params.filter(({ shape }) => shape.length === 1), ...others },
];

const setups: Record<string, Setup> = {
  SGD: {
    optimizer: (params) => new optim.SGD(params, { lr: 0.05 }),
    clip: { clipGradValue: 0.01 },
    ema: { decay: 0.9, buffers: true },
  },
  'SGD with momentum in groups, one cycle, clipped by norm': {
    optimizer: (params) =>
      new optim.SGD(split(params, { momentum: 0.9, weightDecay: 1e-3 }, { lr: 0.2, nesterov: true }), {
        lr: 0.1,
        momentum: 0.8,
      }),
    schedule: () => optim.oneCycleLR({ totalSteps: STEPS }),
    clip: { clipGradNorm: 0.5 },
    ema: { decay: 0.8, warmup: true },
  },
  'Adam with amsgrad, a warm-up, then a cosine': {
    optimizer: (params) => new optim.Adam(params, { lr: 0.01, amsgrad: true, weightDecay: 1e-3 }),
    schedule: () => optim.warmup(3, optim.cosine({ steps: STEPS - 3 })),
    clip: { clipGradNorm: 100 },
  },
  'AdamW in groups, one cycle of beta1': {
    optimizer: (params) =>
      new optim.AdamW(
        split<optim.AdamOptions>(params, { amsgrad: true }, { weightDecay: 0, maximize: true }),
      ),
    schedule: () => optim.oneCycleLR({ totalSteps: STEPS, maxLr: 0.01 }),
    ema: {},
  },
  'RMSprop with everything, in steps': {
    optimizer: (params) =>
      new optim.RMSprop(split(params, { centered: true }, { momentum: 0 }), { lr: 1e-3, momentum: 0.9 }),
    schedule: () => optim.stepLR({ stepSize: 2, gamma: 0.5 }),
    clip: { clipGradNorm: 0.1 },
  },
  'Adagrad with its own decay, a function': {
    optimizer: (params) =>
      new optim.Adagrad(params, { lr: 0.05, lrDecay: 0.1, initialAccumulatorValue: 0.1 }),
    schedule: () => (step, base) => base / (1 + step),
  },
  'Lion, polynomial': {
    optimizer: (params) => new optim.Lion(params, { lr: 1e-3, weightDecay: 0.1 }),
    schedule: () => optim.polynomialLR({ totalIters: 6, power: 2 }),
    clip: { clipGradValue: 0.02 },
    ema: { decay: 0.5 },
  },
};

/** A model and what trains it; all that has a state. */
class Training implements Disposable {
  readonly model = makeModel();
  readonly optimizer: optim.Optimizer;
  readonly scheduler: optim.LRScheduler | undefined;
  readonly ema: optim.EMA | undefined;
  readonly losses: number[] = [];

  constructor(readonly setup: Setup) {
    this.optimizer = setup.optimizer(this.model.parameters());
    this.scheduler = setup.schedule && new optim.LRScheduler(this.optimizer, setup.schedule());
    this.ema = setup.ema && new optim.EMA(this.model, setup.ema);
  }

  /** The loop by hand. */
  readonly step = ({ images, labels }: Readonly<Record<string, Tensor>>): { loss: Tensor } => {
    const { optimizer, setup } = this;
    const loss = crossEntropy(this.model.call(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    const params = this.model.parameters();
    if (setup.clip?.clipGradNorm) optim.clipGradNorm(params, setup.clip.clipGradNorm);
    if (setup.clip?.clipGradValue) optim.clipGradValue(params, setup.clip.clipGradValue);
    optimizer.step();
    this.scheduler?.step();
    this.ema?.update();
    return { loss };
  };

  eager(first: number, end: number): void {
    for (let step = first; step < end; step++) {
      tensorScope(() => {
        const x = tensor(images.slice(step * PIXELS, (step + 1) * PIXELS), SHAPE);
        const y = tensor(labels.slice(step * BATCH, (step + 1) * BATCH));
        this.losses.push(this.step({ images: x, labels: y }).loss.item());
      });
    }
    this.optimizer.zeroGrad();
  }

  captured(first: number, end: number, make: (training: Training) => Plan, chunk = end - first): void {
    using plan = make(this);
    for (let from = first; from < end; from += chunk) {
      const to = Math.min(from + chunk, end);
      const part = {
        images: images.slice(from * PIXELS, to * PIXELS),
        labels: labels.slice(from * BATCH, to * BATCH),
      };
      this.losses.push(...plan.runSync(part, { steps: to - from }).outputs.loss);
    }
  }

  /** Where another one stood, in a fresh process's hands. */
  load(from: Training): void {
    this.model.loadStateDict(from.model.stateDict());
    this.scheduler?.loadStateDict(from.scheduler?.stateDict() as optim.OptimizerState);
    this.optimizer.loadStateDict(from.optimizer.stateDict());
    this.ema?.loadStateDict(from.ema?.stateDict() as optim.OptimizerState);
    this.losses.push(...from.losses);
  }

  /** All bits there are, in plain data. */
  state(): object {
    const parts = [this.optimizer, this.scheduler, this.ema].map((part) => part?.stateDict());
    const model = [...this.model.stateDict()];
    return {
      losses: this.losses,
      numbers: parts.map((part) => [...(part?.numbers ?? [])]),
      tensors: [model, ...parts.map((part) => [...(part?.tensors ?? [])])].map((tensors) =>
        tensors.map(([name, value]) => [name, Buffer.from(value.data().buffer).toString('base64')]),
      ),
    };
  }

  [Symbol.dispose](): void {
    for (const part of [this.ema, this.optimizer, this.model]) part?.dispose();
  }
}

const inputs = { images: SHAPE, labels: { shape: [BATCH], dtype: 'int32' } } as const;
const ofFunction = ({ model, step }: Training) => {
  model.train();
  return capture(step, { inputs });
};
const ofParts = ({ model, optimizer, scheduler, ema, setup }: Training) =>
  capture({ model, optimizer, scheduler, ema, ...setup.clip }, { inputs });

const ways: Record<string, (training: Training) => void> = {
  'eager steps': (training) => training.eager(0, STEPS),
  'a recorded function': (training) => training.captured(0, STEPS, ofFunction),
  'a recorded function, three steps at a time': (training) => training.captured(0, STEPS, ofFunction, 3),
  'a recorded training step': (training) => training.captured(0, STEPS, ofParts),
  'eager steps, then recorded ones': (training) => {
    training.eager(0, 3);
    training.captured(3, STEPS, ofParts);
  },
};

describe.each(Object.entries(setups))('%s', (_, setup) => {
  const wanted = (() => {
    setNumThreads(1);
    using training = new Training(setup);
    training.eager(0, STEPS);
    return training.state();
  })();

  it.each(Object.entries(ways))('%s: the same bits with 1, 2 and 3 threads', (_, run) => {
    for (const count of [1, 2, 3]) {
      setNumThreads(count);
      using training = new Training(setup);
      run(training);
      expect(training.state()).toEqual(wanted);
    }
  });

  it('goes on from state dicts half-way, eager or recorded', () => {
    for (const [first, second] of [
      ['eager', 'captured'],
      ['captured', 'eager'],
      ['captured', 'captured'],
    ]) {
      using before = new Training(setup);
      using after = new Training(setup);
      if (first === 'eager') before.eager(0, 5);
      else before.captured(0, 5, ofParts);
      after.load(before);
      if (second === 'eager') after.eager(5, STEPS);
      else after.captured(5, STEPS, ofFunction);
      expect(after.state()).toEqual(wanted);
    }
  });
});

describe('the planner', () => {
  it('runs all updates of a rule in one pass, those of the averages too', () => {
    const setup = setups['SGD with momentum in groups, one cycle, clipped by norm'];
    using training = new Training(setup);
    using plan = ofParts(training);
    const count = training.model.parameters().length;
    const { operations, planned } = plan.describe();
    expect(planned.fusions).toMatchObject({ 'updates in one pass': 2 * count });
    const kinds = ['sgd_update', 'ema_update', 'square_sum', 'clip'];
    const counts = kinds.map((kind) => operations.filter((operation) => operation.startsWith(kind)).length);
    expect(counts).toEqual([count, count, count, 0]); // clipping is part of the update
  });
});
