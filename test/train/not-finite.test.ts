// SPDX-License-Identifier: Apache-2.0
// Numbers that are not finite: the step they turn up in changes nothing, the error says where they began, and everything
// can go on.
import { describe, expect, it } from 'vitest';
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import { DataLoader } from '../../lib/data/loader.js';
import type { ReceptiveError } from '../../lib/errors.js';
import { memoryInfo } from '../../lib/native/bindings.js';
import { BatchNorm2d } from '../../lib/nn/batch-norm.js';
import { Conv2d } from '../../lib/nn/conv2d.js';
import { Dropout } from '../../lib/nn/dropout.js';
import { Flatten } from '../../lib/nn/flatten.js';
import { Linear } from '../../lib/nn/linear.js';
import { Module } from '../../lib/nn/module.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { record } from '../../lib/ops/record.js';
import { sum } from '../../lib/ops/reduce.js';
import { SGD } from '../../lib/optim/sgd.js';
import { full } from '../../lib/tensor/create.js';
import { defaultGenerator, manualSeed } from '../../lib/tensor/random.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

/** A net with all that a step moves besides weights: running statistics and draws. */
function fullNet(seed = 3): Sequential {
  manualSeed(seed);
  return new Sequential(
    new Conv2d(1, 4, { kernelSize: 2 }),
    new BatchNorm2d(4),
    new Dropout(0.25),
    new Flatten(),
    new Linear(4, 2),
  );
}

/** All of a model's state and the position of the random numbers. */
function stateOf(model: Module) {
  const tensors = [...model.stateDict()].map(([name, tensor]) => [name, [...tensor.data()]]);
  return { tensors, draws: defaultGenerator().state };
}

/** `halves` with one bad pixel. */
function halvesWith(bad: number, at: number, count = 16): Dataset {
  const set = halves(count);
  const images = Float32Array.from(set.images);
  images[at * 4] = bad;
  return new ArrayDataset({ ...set, images });
}

async function refusalOf(run: () => Promise<unknown>): Promise<ReceptiveError> {
  const error = await run().then(
    () => undefined,
    (error: ReceptiveError) => error,
  );
  expect(error).toMatchObject({ code: 'ERR_NUMERICS' });
  return error as ReceptiveError;
}

/** Calls an operation whose gradient is `factor` times too large. */
class BadGradient extends Module {
  constructor(readonly factor: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return record('bad', x.clone(), [x], [], (dy) => [multiply(dy, full(dy.shape, this.factor))]);
  }
}

/** Multiplies between two layers, by no layer of its own. */
class BadMiddle extends Module {
  readonly fc1 = new Linear(4, 4);
  readonly fc2 = new Linear(4, 2);
  readonly flatten = new Flatten();
  override forward(x: Tensor): Tensor {
    const y = this.fc1.call(this.flatten.call(x));
    return this.fc2.call(multiply(y, full(y.shape, Number.NaN)));
  }
}

for (const mode of ['captured', 'eager'] as const) {
  describe(`${mode} fit stops at numbers that are not finite`, () => {
    const common = { capture: mode === 'captured', batchSize: 4, shuffle: false } as const;

    it('in the data: names the image; weights, running statistics and draws are those before the step', async () => {
      const good = fullNet();
      await fit(good, halves(12), { ...common, optimizer: 'sgd' }); // the steps before the bad one
      const wanted = stateOf(good);
      const model = fullNet();
      const running = () => fit(model, halvesWith(Infinity, 13), { ...common, optimizer: 'sgd' });
      const error = await refusalOf(running);
      expect(error.received).toMatch(
        /^NaN at step 4 \(epoch 1, batch 4\), lr 0.01; first Infinity in image 13 of/,
      );
      expect(error.path).toBeUndefined();
      expect(stateOf(model)).toEqual(wanted);
      await fit(model, halves(8), common); // and it can go on
      expect((await evaluate(model, halves(8))).images).toBe(8);
    });

    it('in a weight: names the parameter', async () => {
      const model = fullNet();
      const weight = model.stateDict().get('0.weight') as Tensor;
      const values = weight.data() as Float32Array;
      weight.write(values.map((value, i) => (i === 5 ? Number.NaN : value)));
      const before = stateOf(model);
      const error = await refusalOf(() => fit(model, halves(8), common));
      expect(error.received).toContain('first NaN in the parameter 0.weight');
      expect(stateOf(model)).toEqual(before);
    });

    it('made by a rate that is too high: names the layer and the operation', async () => {
      const model = xoModel();
      const error = await refusalOf(() =>
        fit(model, someXo(64), { ...common, optimizer: 'sgd', lr: 1e15, epochs: 4 }),
      );
      expect(error.path).toMatch(/^\w+/);
      expect(error.received).toMatch(/; first (NaN|-?Infinity) in the output of (conv2d|linear)$/);
      for (const [name, tensor] of model.stateDict()) {
        expect([...tensor.data()].every(Number.isFinite), name).toBe(true);
      }
      expect(error.hint).toContain('smaller learning rate');
    });

    it('made between two layers: names the operation, and the layer around it', async () => {
      manualSeed(1);
      const model = new BadMiddle();
      const error = await refusalOf(() => fit(model, halves(8), common));
      expect(error.received).toContain('first NaN in the output of multiply');
      expect(error.path).toBeUndefined();
      const outer = new Sequential(new BadMiddle());
      expect((await refusalOf(() => fit(outer, halves(8), common))).path).toBe('0');
    });

    it('in a gradient, with a finite loss: names the layer, and does not update', async () => {
      manualSeed(1);
      const model = new Sequential(
        new Flatten(),
        new Linear(4, 4),
        new BadGradient(Infinity),
        new Linear(4, 2),
      );
      const before = stateOf(model);
      const error = await refusalOf(() => fit(model, halves(8), common));
      expect(error).toMatchObject({ expected: 'finite gradients', path: '2' });
      expect(error.received).toMatch(
        /at step 1 .*; first (NaN|-?Infinity) in the gradient that bad gives back/,
      );
      expect(stateOf(model)).toEqual(before);
      expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
    });

    it('leaves no tensors behind', async () => {
      const model = fullNet();
      const { tensors } = memoryInfo();
      const bad = halvesWith(Number.NaN, 2);
      for (let i = 0; i < 3; i++) await refusalOf(() => fit(model, bad, common));
      expect(memoryInfo().tensors).toBe(tensors);
    });
  });
}

describe('a plan stops at numbers that are not finite', () => {
  const images = (value: number) => Float32Array.from({ length: 8 }, (_, i) => value * (1 + (i % 3)));
  const batch = (value = 1) => ({ images: images(value), labels: Int32Array.of(0, 1) });

  it('and names the layer, from arrays and iterables, in run and runSync', async () => {
    const model = fullNet();
    using optimizer = new SGD(model.parameters(), { lr: 0.01 });
    using plan = capture({ model, optimizer }, { input: [2, 2, 2, 1] });
    await plan.run([batch(), batch()]);
    const before = stateOf(model);
    for (const run of [() => plan.run([batch(Infinity)]), async () => plan.runSync(batch(Infinity))]) {
      const error = await refusalOf(run);
      expect(error.received).toContain(
        'at step 0 of this run, counted from 0; first Infinity in image 0 of the batch',
      );
      expect(stateOf(model)).toEqual(before);
    }
    const weight = model.stateDict().get('4.weight') as Tensor;
    const good = weight.data();
    weight.write(new Float32Array(8).fill(3e38));
    const error = await refusalOf(() => plan.run([batch(0.5), batch(2)]));
    expect(error).toMatchObject({ path: '4', received: expect.stringContaining('in the output of linear') });
    weight.write(good);
    expect((await plan.run([batch()])).steps).toBe(1);
  });

  it('from a loader, with a loss of its own', async () => {
    const model = linearModel();
    using optimizer = new SGD(model.parameters(), { lr: 0.01 });
    using loader = new DataLoader(halvesWith(Number.NaN, 5), { batchSize: 4 });
    const loss = (outputs: Tensor) => scale(sum(multiply(outputs, outputs)), 0.1);
    using plan = capture({ model, optimizer, loss }, { inputs: loader });
    const error = await refusalOf(() => plan.run(loader));
    expect(error.received).toContain('step 1 of this run, counted from 0; first NaN in image 1 of the batch');
    expect(plan.stepsDone).toBe(1);
    expect(loader.state).toEqual({ epoch: 0, batch: 1 });
  });

  it('recorded from a function: says which gradient, and leaves running statistics alone', async () => {
    const model = fullNet();
    using optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const step = ({ x }: Readonly<Record<string, Tensor>>) => {
      optimizer.zeroGrad();
      const loss = sum(add(model.call(x), full([2, 2], 1)));
      loss.backward();
      optimizer.step();
      return { loss };
    };
    using plan = capture(step, { inputs: { x: [2, 2, 2, 1] } });
    await plan.run({ x: Float32Array.from({ length: 8 }, (_, i) => i) });
    const before = stateOf(model);
    const error = await refusalOf(() => plan.run({ x: images(Number.NaN) }));
    expect(error).toMatchObject({
      expected: 'finite gradients',
      received: expect.stringMatching(/parameter \d+ at/),
    });
    expect(stateOf(model)).toEqual(before);
  });
});
