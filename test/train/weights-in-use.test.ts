// SPDX-License-Identifier: Apache-2.0
// Weights, statistics and optimizer memory that a running plan writes: nothing else may, until the run is over.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  capture,
  crossEntropy,
  fit,
  glyphs,
  memory,
  nn,
  optim,
  type Plan,
  type PlanResult,
  tensor,
  weightsSha256,
} from '../../lib/index.js';
import { refused, refusedLater } from '../helpers/refused.js';

const STEPS = 400;
const source = {
  images: Float32Array.from({ length: STEPS * 64 }, (_, i) => (i % 7) / 7),
  labels: Int32Array.from({ length: STEPS * 4 }, (_, i) => i % 3),
};
let model: nn.Sequential;
let optimizer: optim.AdamW;
let plan: Plan;

beforeAll(() => {
  model = network();
  optimizer = new optim.AdamW(model.parameters(), { lr: 0.001 });
  plan = capture({ model, optimizer }, { input: [4, 4, 4, 1], threads: 1 });
  plan.runSync(source, { steps: 1 }); // from here on the optimizer has a state
});
afterAll(() => {
  for (const owner of [plan, optimizer, model]) owner.dispose();
});

function network(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 3 }),
    new nn.BatchNorm2d(4),
    new nn.Flatten(),
    new nn.Linear(16, 3),
  );
}

/** Lets a run begin that was asked for; it cannot end meanwhile, because the event loop does not turn. */
async function begun(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

/** Runs the plan, and `body` in the middle of a native run. */
async function whileRunning(body: () => unknown): Promise<PlanResult> {
  const running = plan.run(source, { prefetch: STEPS });
  await begun();
  expect(plan.running).toBe(true);
  try {
    await body();
  } finally {
    await running;
  }
  return running;
}

/** What can be compared of everything that a training changes. */
function everything(): unknown {
  return {
    weights: weightsSha256(model),
    state: [...optimizer.stateDict().tensors].map(([name, slot]) => [name, [...slot.data()]]),
    numbers: [...optimizer.stateDict().numbers],
  };
}

describe('while a plan runs', () => {
  const zero = () => nn.init.constant_(model.parameters()[0], 0);
  const cases: [string, () => unknown][] = [
    ['a parameter is filled', zero],
    ['a parameter is written', () => model.parameters()[0].write(new Float32Array(36))],
    ['a statistic is written', () => model.namedBuffers()[0][1].write(new Float32Array(4))],
    ['a state is loaded', () => model.loadStateDict(other.stateDict())],
    ['a state of one name is loaded', () => model.loadStateDict(new Map([lastOf(other)]), { strict: false })],
    ['the model is converted', () => model.to('float64')],
    ['the model is disposed', () => model.dispose()],
    ['the optimizer steps', () => withGradients(() => optimizer.step())],
    [
      'a state of the optimizer is loaded',
      () => optimizer.loadStateDict({ tensors: new Map(), numbers: new Map() }),
    ],
    ['the optimizer is disposed', () => optimizer.dispose()],
    [
      'the model sees a batch in training mode',
      () => model.call(tensor(source.images.slice(0, 64), [4, 4, 4, 1])),
    ],
  ];
  let other: nn.Sequential;
  beforeAll(() => {
    other = network();
  });
  afterAll(() => other.dispose());

  const lastOf = (module: nn.Module) => {
    const [last] = [...module.stateDict()].slice(-1);
    return last;
  };

  /** Gives every parameter a gradient of zeros for the length of a call. */
  function withGradients(body: () => unknown): void {
    for (const parameter of model.parameters())
      parameter.grad = tensor(new Float32Array(parameter.size), parameter.shape);
    try {
      body();
    } finally {
      model.zeroGrad();
    }
  }

  it.each(cases)('%s: refused, and nothing is changed', async (_, change) => {
    const start = [...model.stateDict()].map(([name, value]) => [name, value.clone()] as const);
    const numbers = optimizer.stateDict();
    const tensors = new Map([...numbers.tensors].map(([name, slot]) => [name, slot.clone()]));
    const undisturbed = await whileRunning(() => {});
    const wanted = everything();
    model.loadStateDict(new Map(start));
    optimizer.loadStateDict({ tensors, numbers: numbers.numbers });
    for (const copy of [...start.map(([, copy]) => copy), ...tensors.values()]) copy.dispose();
    const { outputs, steps } = await whileRunning(() => {
      const error = refused(change);
      expect(error.code).toBe('ERR_BUSY');
      expect(error.hint).toContain('await the run');
    });
    expect(steps).toBe(STEPS);
    expect(outputs).toEqual(undisturbed.outputs);
    expect(everything()).toEqual(wanted);
  });

  it('reading stays allowed', async () => {
    await whileRunning(async () => {
      for (const value of model.stateDict().values()) {
        expect(value.data()).toHaveLength(value.size);
        value.clone().dispose();
      }
      model
        .eval()
        .call(tensor(source.images.slice(0, 64), [4, 4, 4, 1]))
        .dispose();
      model.train();
      (await model.snapshot()).dispose();
    });
  });

  it('no other plan writes the same weights', async () => {
    using second = capture({ model, optimizer }, { input: [4, 4, 4, 1], threads: 1 });
    const step = { images: source.images.slice(0, 64), labels: source.labels.slice(0, 4) };
    await whileRunning(async () => {
      expect((await refusedLater(second.run(step))).code).toBe('ERR_BUSY');
      expect(refused(() => second.runSync(step)).code).toBe('ERR_BUSY');
      expect(second.stepsDone).toBe(0);
    });
    expect((await second.run(step)).steps).toBe(1);
  });
});

it('indices that a plan relies on stay what they were', async () => {
  using labels = tensor(Int32Array.of(0, 1, 2, 0), [4]);
  using weight = tensor(new Float32Array(12), [4, 3], { requiresGrad: true });
  using reading = capture(() => ({ loss: crossEntropy(weight, labels) }), { inputs: { x: [1] } });
  const running = reading.run({ x: new Float32Array(5000) }, { prefetch: 5000 });
  await begun();
  expect(refused(() => labels.write(Int32Array.of(2 ** 30, 0, 0, 0))).code).toBe('ERR_BUSY');
  weight.write(new Float32Array(12)); // numbers may change under a plan that only reads them
  expect((await running).steps).toBe(5000);
  labels.write(Int32Array.of(1, 1, 1, 1));
});

it('at rest everything may change: in a pause, in callbacks of fit, after an error', async () => {
  const running = plan.run(source);
  await plan.pause();
  nn.init.constant_(model.parameters()[0], 0.5);
  plan.resume();
  await running;
  const bad = { ...source, images: source.images.slice().fill(Number.NaN, 640) };
  await expect(plan.run(bad)).rejects.toMatchObject({ code: 'ERR_NUMERICS' });
  nn.init.constant_(model.parameters()[0], 0.25);
  const { train } = glyphs({ seed: 1, trainSize: 32, testSize: 1 });
  using net = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
  using best = await net.snapshot();
  const before = memory().tensors;
  const change = () => net.loadStateDict(best.stateDict());
  const { captured } = await fit(net, train, { batchSize: 8, onBatch: change, onEpoch: () => void change() });
  expect(captured).toBe(true);
  expect(weightsSha256(net)).toBe(weightsSha256(best));
  const { signal } = new AbortController();
  const training = fit(net, train, { batchSize: 1, epochs: 40, signal });
  await begun();
  expect(refused(change).code).toBe('ERR_BUSY');
  await training;
  expect(memory().tensors).toBe(before);
});
