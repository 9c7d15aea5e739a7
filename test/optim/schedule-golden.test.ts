// SPDX-License-Identifier: Apache-2.0
// Rates and 20 steps under each schedule, rates that fall on a plateau, and averages of weights, against PyTorch's.
import { describe, expect, it } from 'vitest';
import { Module } from '../../lib/nn/module.js';
import { Parameter } from '../../lib/nn/parameter.js';
import * as optim from '../../lib/optim/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative } from '../helpers/golden.js';
import { golden, placeAfter, type ScheduleCase, STEPS, TOLERANCE, Trajectory } from './trajectory.js';

const { schedules, plateaus, averages } = golden.cases;
const BASES = [0.1, 0.02];

function makeSchedule(kind: string, options: ScheduleCase['options']): optim.Schedule {
  const make = Reflect.get(optim, kind) as (options: object) => optim.Schedule;
  if (kind !== 'sequentialLR') return make(options);
  const parts = options.schedules as readonly [string, ScheduleCase['options']][];
  return optim.sequentialLR(
    parts.map(([part, its]) => makeSchedule(part, its)),
    options.milestones,
  );
}

/** Row `step` of a tensor of the golden file. */
function rowOf(name: string, step: number): number[] {
  const { data, shape } = golden.at(name);
  return Array.from(data.subarray(step * shape[1], (step + 1) * shape[1]));
}

describe("PyTorch's schedules", () => {
  it('are all there', () => {
    const own = Object.keys(optim).filter((name) => name.endsWith('LR') || name.endsWith('Restarts'));
    expect(new Set(schedules.map(({ kind }) => kind))).toEqual(new Set(own));
  });

  it.each(schedules.map((item) => [`${item.kind} ${JSON.stringify(item.options)}`, item] as const))(
    '%s',
    (_, item) => {
      const { name, kind, optimizer, momentum: options } = item;
      const groups = BASES.map((lr) => ({ lr }));
      for (const dtype of ['float64', 'float32'] as const) {
        using _scope = tensorScope();
        using run = new Trajectory({ name, kind: optimizer, options, groups }, dtype);
        const scheduler = new optim.LRScheduler(run.optimizer, makeSchedule(kind, item.options));
        const steps = golden.at(`${name}.lr`).shape[0];
        for (let step = 0; step < steps; step++) {
          expect(scheduler.lastEpoch).toBe(step);
          expectRelative(scheduler.getLastLr(), rowOf(`${name}.lr`, step), 1e-12, `lr of step ${step}`);
          const momenta = run.optimizer.groups.map((group) => {
            const { betas, momentum = 0 } = group as { betas?: number[]; momentum?: number };
            return betas?.[0] ?? momentum;
          });
          expectRelative(momenta, rowOf(`${name}.momentum`, step), 1e-12, `momentum of step ${step}`);
          if (step < STEPS) {
            run.step();
            run.expectPyTorch();
          }
          if (step < steps - 1) scheduler.step();
        }
      }
    },
  );
});

describe("PyTorch's plateaus", () => {
  it.each(plateaus.map((item) => [JSON.stringify(item.options), item] as const))('%s', (_, item) => {
    using a = tensor([0], [1], { requiresGrad: true });
    using b = tensor([0], [1], { requiresGrad: true });
    using sgd = new optim.SGD([a, b].map((param, i) => ({ params: [param], lr: BASES[i] })));
    let scheduler = new optim.ReduceLROnPlateau(sgd, item.options);
    golden.at('plateau.metrics').data.forEach((metric: number, i: number) => {
      const before = sgd.groups.map(({ lr }) => lr);
      const hasFallen = scheduler.step(metric);
      const rates = sgd.groups.map(({ lr }) => lr);
      expectRelative(rates, rowOf(`${item.name}.lr`, i), 1e-14, `after metric ${i}`);
      expect(hasFallen).toBe(rates.some((lr, group) => lr < before[group]));
      const next = new optim.ReduceLROnPlateau(sgd, item.options); // one that goes on from its state
      next.loadStateDict(scheduler.stateDict());
      scheduler = next;
    });
  });
});

class Two extends Module {
  readonly a = new Parameter([3, 7], 'float64');
  readonly b = new Parameter([2], 'float64');

  override forward(x: Tensor): Tensor {
    return x;
  }
}

describe("PyTorch's averages", () => {
  it.each(averages.map((item) => [item.decay, item] as const))('decay %d', (decay, { name }) => {
    for (const dtype of ['float64', 'float32'] as const) {
      using model = new Two().to(dtype);
      const weights = { a: model.a, b: model.b };
      const set = (key: 'a' | 'b', values: ArrayLike<number>) =>
        weights[key].write(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values));
      for (const key of ['a', 'b'] as const) set(key, placeAfter(name, key, -1));
      using ema = new optim.EMA(model, { decay });
      for (let step = 0; step < STEPS; step++) {
        for (const key of ['a', 'b'] as const) set(key, placeAfter(`${name}.weights`, key, step));
        ema.update();
        for (const key of ['a', 'b'] as const) {
          const own = ema.stateDict().tensors.get(`module.${key}`)?.data() ?? [];
          expectRelative(own, placeAfter(name, key, step), TOLERANCE[dtype], `${key} after update ${step}`);
        }
      }
      expect(ema.updates).toBe(STEPS);
    }
  });
});
