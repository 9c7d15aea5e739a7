// SPDX-License-Identifier: Apache-2.0
// What `fit` and `capture` make of names of optimizers and schedules, of clipping and averages.
import { describe, expect, it } from 'vitest';
import {
  capture,
  evaluate,
  type FitOptions,
  fit,
  optim,
  type Tensor,
  weightsSha256,
} from '../../lib/index.js';
import { OPTIMIZER_NAMES } from '../../lib/train/optimizers.js';
import type { BatchReport } from '../../lib/train/progress.js';
import { SCHEDULE_NAMES } from '../../lib/train/schedules.js';
import { halves, linearModel, someXo, weightsOf, xoModel } from './tiny.js';

/** The rates that the steps of a training have: four epochs of two steps. */
async function ratesOf(options: FitOptions): Promise<number[]> {
  const rates: number[] = [];
  const onBatch = ({ lr }: BatchReport) => rates.push(lr);
  await fit(linearModel(), halves(8), { batchSize: 4, epochs: 4, lr: 0.4, ...options, onBatch });
  return rates;
}

const times = (factors: readonly number[]) => factors.map((factor) => expect.closeTo(0.4 * factor, 10));

describe('optimizers by name', () => {
  it.each(OPTIMIZER_NAMES)('%s learns 32 images by heart', async (optimizer) => {
    const dataset = someXo(32);
    const model = xoModel();
    await fit(model, dataset, {
      epochs: 60,
      batchSize: 8,
      optimizer,
      ...(optimizer === 'lion' && { lr: 3e-4 }),
    });
    const { accuracy, loss } = await evaluate(model, dataset);
    expect(accuracy).toBe(1);
    expect(loss).toBeLessThan(0.05);
  });

  it('rmsprop takes a momentum', async () => {
    const [plain, moving] = [linearModel(), linearModel()];
    await fit(plain, halves(16), { optimizer: 'rmsprop', batchSize: 4 });
    await fit(moving, halves(16), { optimizer: 'rmsprop', batchSize: 4, momentum: 0.9 });
    expect(weightsOf(moving)).not.toEqual(weightsOf(plain));
  });
});

describe('schedules by name', () => {
  it.each([
    ['constant', [1, 1, 1, 1, 1, 1, 1, 1]],
    ['cosine', [0, 1, 2, 3, 4, 5, 6, 7].map((step) => (1 + Math.cos((Math.PI * step) / 8)) / 2)],
    ['step', [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01]],
    ['multi-step', [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]],
    ['exponential', [0, 1, 2, 3, 4, 5, 6, 7].map((step) => 0.01 ** (step / 8))],
    ['polynomial', [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]],
    ['warm-restarts', [1, 0.5, 1, 0.853553390593, 0.5, 0.146446609407, 1, 0.961939766256]],
    ['plateau', [1, 1, 1, 1, 1, 1, 1, 1]],
  ] as const)('%s', async (schedule, factors) => {
    expect(await ratesOf({ schedule })).toEqual(times(factors));
  });

  it('one-cycle, with the momentum or beta1 of optimizers that have one', async () => {
    const cycle = optim.oneCycleLR({ totalSteps: 8 });
    const wanted = times([0, 1, 2, 3, 4, 5, 6, 7].map((step) => cycle(step)));
    for (const optimizer of OPTIMIZER_NAMES) {
      expect(await ratesOf({ schedule: 'one-cycle', optimizer }), optimizer).toEqual(wanted);
    }
  });

  it('are all of these', () => {
    expect([...SCHEDULE_NAMES]).toHaveLength(10);
  });

  it('rise first where there is a warm-up', async () => {
    expect(await ratesOf({ warmup: 4 })).toEqual(times([0.25, 0.5, 0.75, 1, 1, 1, 1, 1]));
    expect(await ratesOf({ warmup: 4, schedule: 'polynomial' })).toEqual(
      times([0.25, 0.5, 0.75, 1, 1, 3 / 4, 2 / 4, 1 / 4]),
    );
  });

  it('are one training, eager or captured, step by step or not', async () => {
    for (const schedule of SCHEDULE_NAMES) {
      const hashes = await Promise.all(
        [{ capture: false }, {}, { onBatch: () => {} }].map(async (how) => {
          const model = linearModel();
          await fit(model, halves(12), {
            ...{ batchSize: 4, epochs: 3, optimizer: 'sgd', schedule },
            ...how,
          });
          return weightsSha256(model);
        }),
      );
      expect(new Set(hashes).size, schedule).toBe(1);
    }
  });
});

describe('schedules as objects', () => {
  it('move groups by their own rates', async () => {
    const model = linearModel();
    const [weight, bias] = model.parameters();
    using sgd = new optim.SGD([{ params: [weight] }, { params: [bias], lr: 0.01 }], {
      lr: 0.1,
      momentum: 0.7,
    });
    const seen: number[][] = [];
    const onBatch = () => seen.push(sgd.groups.flatMap(({ lr, momentum }) => [lr, momentum]));
    const schedule = optim.oneCycleLR({ totalSteps: 4 });
    await fit(model, halves(8), { batchSize: 2, optimizer: sgd, schedule, onBatch });
    seen.forEach((values, step) => {
      const momentum = schedule.momentum?.(step);
      expect(values).toEqual([schedule(step, 0.1), momentum, schedule(step, 0.01), momentum]);
    });
    expect(sgd.groups.map(({ lr, momentum }) => [lr, momentum])).toEqual([
      [0.1, 0.7],
      [0.01, 0.7],
    ]);
  });

  it('a plateau follows the validation, or the training where there is none', async () => {
    const model = linearModel();
    const options = { batchSize: 4, epochs: 4, lr: 0.4, optimizer: 'sgd' } as const;
    // Nothing is progress that is not better by all of the best
    const never = optim.plateau({ patience: 0, factor: 0.5, threshold: 10, thresholdMode: 'abs' });
    const { history } = await fit(model, halves(8), { ...options, schedule: never });
    expect(history.map(({ lr }) => lr)).toEqual([0.4, 0.4, 0.2, 0.1]);
    const validation = halves(8);
    const upwards = optim.plateau({ mode: 'max', patience: 0, factor: 0.5, threshold: 0 });
    const rows = (await fit(model, halves(8), { ...options, validation, schedule: upwards })).history;
    let best = -Infinity;
    let lr = 0.4;
    for (const row of rows) {
      expect(row.lr).toBe(lr);
      const accuracy = row.valAccuracy as number;
      if (accuracy > best) best = accuracy;
      else lr /= 2;
    }
    expect(lr).toBeLessThan(0.4);
  });
});

describe('clipping', () => {
  it.each([{ clipGradNorm: 0.01 }, { clipGradValue: 0.002 }])(
    '%j changes the training, the same eager, captured and in parts',
    async (clip) => {
      const hashOf = async (options: FitOptions) => {
        const model = linearModel();
        await fit(model, halves(16), { batchSize: 8, epochs: 2, optimizer: 'sgd', ...options });
        return weightsSha256(model);
      };
      const plain = await hashOf({});
      const eager = await hashOf({ ...clip, capture: false });
      expect(eager).not.toBe(plain);
      expect(await hashOf(clip)).toBe(eager);
      const parts = await hashOf({ ...clip, microBatches: 2, capture: false });
      expect(await hashOf({ ...clip, microBatches: 2 })).toBe(parts);
    },
  );

  it('by norm moves weights by no more than the rate times the norm', async () => {
    const model = linearModel();
    const before = weightsOf(model);
    await fit(model, halves(8), { optimizer: 'sgd', momentum: 0, lr: 2, clipGradNorm: 0.01, epochs: 1 });
    const moved = Math.hypot(...weightsOf(model).map((value, i) => value - before[i]));
    expect(moved).toBeGreaterThan(0.0199);
    expect(moved).toBeLessThan(0.020001);
  });
});

describe('averages', () => {
  const options = { batchSize: 4, epochs: 2, optimizer: 'sgd' } as const;

  it('by a decay: validated, and left in the model', async () => {
    for (const capture of [true, false]) {
      const [model, control] = [linearModel(), linearModel()];
      using ema = new optim.EMA(control, { decay: 0.5 });
      const validation = halves(6);
      const first = await fit(model, halves(16), { ...options, capture, validation, ema: 0.5 });
      const second = await fit(control, halves(16), { ...options, capture, validation, ema });
      expect(weightsSha256(model)).toBe(weightsSha256(ema.model));
      expect(weightsSha256(control)).not.toBe(weightsSha256(ema.model));
      expect(first.history.map(({ valLoss }) => valLoss)).toEqual(
        second.history.map(({ valLoss }) => valLoss),
      );
      expect(first.history[1].valLoss).toBe((await evaluate(ema.model, validation)).loss);
      expect(ema.updates).toBe(8);
      const plain = linearModel();
      await fit(plain, halves(16), { ...options, capture });
      expect(weightsSha256(control)).toBe(weightsSha256(plain)); // an average changes nothing of the training
    }
  });

  it('of a training that a signal ended are left in the model too', async () => {
    const control = new AbortController();
    const model = linearModel();
    const before = weightsOf(model);
    const onBatch = () => control.abort();
    const result = await fit(model, halves(16), { ...options, signal: control.signal, onBatch, ema: 0.5 });
    expect(result).toMatchObject({ aborted: true, steps: 1 });
    expect(weightsOf(model)).not.toEqual(before);
  });
});

describe('fit refuses', () => {
  const model = linearModel();
  const other = new optim.EMA(linearModel());
  it.each([
    [{ schedule: 'cosin' as never }, /constant, cosine, step/],
    [{ schedule: 3 as never }, /constant, cosine, step/],
    [{ schedule: () => NaN }, /at least 0 for step/],
    [{ schedule: optim.oneCycleLR({ totalSteps: 2 }), epochs: 4 }, /2 steps of the cycle/],
    [{ schedule: optim.oneCycleLR({ totalSteps: 9 }), optimizer: 'adagrad' }, /momentum or betas/],
    [{ warmup: 1 }, /warmup shorter/],
    [{ warmup: 0.5 }, /warmup to be a whole number/],
    [{ schedule: 'plateau', warmup: 1, epochs: 4 }, /no warmup/],
    [{ clipGradNorm: 0 }, /clipGradNorm above 0/],
    [{ clipGradValue: -1 }, /clipGradValue above 0/],
    [{ clipGradNorm: 1, clipGradValue: 1 }, /clipGradNorm or clipGradValue/],
    [{ ema: 1 }, /decay from 0 to below 1/],
    [{ ema: '0.9' as never }, /ema to be a decay/],
    [{ ema: other }, /EMA of the model/],
    [{ optimizer: 'adagrad', momentum: 0.9 }, /'sgd' or 'rmsprop'/],
    [{ optimizer: { step() {} } as never }, /optimizer to be one of/],
  ] as readonly [FitOptions, RegExp][])('%j', async (options, expected) => {
    const before = weightsOf(model);
    await expect(fit(model, halves(8), options)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: expect.stringMatching(expected),
    });
    expect(weightsOf(model)).toEqual(before);
  });

  it('a schedule too short, with the optimizer as it was', async () => {
    using sgd = new optim.SGD(model.parameters(), { lr: 0.3, momentum: 0.5 });
    const schedule = optim.oneCycleLR({ totalSteps: 2 });
    await expect(fit(model, halves(8), { optimizer: sgd, schedule, epochs: 9 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      hint: expect.stringContaining('totalSteps'),
    });
    expect(sgd.groups[0]).toMatchObject({ lr: 0.3, momentum: 0.5 });
  });
});

describe('capture refuses', () => {
  const model = linearModel();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const input = [4, 2, 2, 1];
  const stranger = new optim.SGD(linearModel().parameters());
  it.each([
    ['a misspelt part', { clipGradNorn: 1 }, /clipGradNorm/],
    ['a bound of 0', { clipGradNorm: 0 }, /clipGradNorm above 0/],
    ['both ways', { clipGradNorm: 1, clipGradValue: 1 }, /clipGradNorm or clipGradValue/],
    ['a schedule in place of a scheduler', { scheduler: optim.constant(1) }, /LRScheduler of this optimizer/],
    [
      'a scheduler of another optimizer',
      { scheduler: new optim.LRScheduler(stranger, optim.constant(1)) },
      /of this optimizer/,
    ],
    ['averages of another model', { ema: new optim.EMA(linearModel()) }, /EMA of this model/],
    ['a decay in place of averages', { ema: 0.9 }, /EMA of this model/],
  ])('%s', (_, parts, expected) => {
    expect(() => capture({ model, optimizer, ...parts } as never, { input })).toThrow(expected);
  });

  const step = (body: () => void) => (inputs: Readonly<Record<string, Tensor>>) => {
    body();
    return inputs;
  };

  it('a scheduler before the update, and twice; averages twice', () => {
    const scheduler = new optim.LRScheduler(optimizer, optim.constant(1));
    const ema = new optim.EMA(model);
    const inputs = { x: [1] };
    const early = step(() => scheduler.step());
    expect(() => capture(early, { inputs })).toThrow(/after step\(\) of the optimizer/);
    const twice = step(() => {
      optimizer.step();
      scheduler.step();
      scheduler.step();
    });
    expect(() => capture(twice, { inputs })).toThrow(/one call of step/);
    const averages = step(() => {
      ema.update();
      ema.update();
    });
    expect(() => capture(averages, { inputs })).toThrow(/one call of update/);
    expect([scheduler.lastEpoch, ema.updates]).toEqual([0, 0]);
  });
});

describe('a plan past the end of its schedule', () => {
  it('is refused before a step is done, and goes on within it', async () => {
    const model = linearModel();
    using optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const scheduler = new optim.LRScheduler(optimizer, optim.oneCycleLR({ totalSteps: 4 }));
    using plan = capture({ model, optimizer, scheduler }, { input: [4, 2, 2, 1] });
    const { images, labels } = halves(24);
    const source = { images: images as Float32Array, labels };
    const before = weightsOf(model);
    const { lr } = optimizer;
    await expect(plan.run(source)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', op: 'oneCycleLR' });
    expect(weightsOf(model)).toEqual(before);
    expect([scheduler.lastEpoch, optimizer.lr]).toEqual([0, lr]);
    await plan.run(source, { steps: 4 });
    expect(scheduler.lastEpoch).toBe(4);
    await plan.run(source, { steps: 1 }); // PyTorch's, too, gives one rate more
    await expect(plan.run(source, { steps: 1 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(plan.stepsDone).toBe(5);
  });
});
