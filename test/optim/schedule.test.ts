// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import * as optim from '../../lib/optim/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { refused } from '../helpers/refused.js';

const { constant, cosine } = optim;

describe('schedules', () => {
  it('constant stays', () => {
    expect([0, 5, 1e9].map(constant(0.25))).toEqual([0.25, 0.25, 0.25]);
  });

  it('cosine falls from lr to min by half a cosine, and stays there', () => {
    const at = cosine({ steps: 100, lr: 1, min: 0.2 });
    expect(at(0)).toBe(1);
    expect(at(50)).toBeCloseTo(0.6, 12);
    expect(at(25)).toBeCloseTo(0.2 + 0.4 * (1 + Math.SQRT1_2), 12);
    expect(at(100)).toBeCloseTo(0.2, 12);
    expect(at(1000)).toBeCloseTo(0.2, 12);
    for (let step = 1; step <= 100; step++) expect(at(step)).toBeLessThan(at(step - 1));
  });

  it('rises first: lr / warmup at the first step, lr when the warm-up is over', () => {
    const at = cosine({ steps: 20, lr: 0.8, warmup: 4 });
    expect([0, 1, 2, 3, 4].map(at)).toEqual([0.2, 0.4, 0.8 * 0.75, 0.8, 0.8]);
    expect(at(12)).toBeCloseTo(0.4, 12);
    expect(cosine({ steps: 4, lr: 1, warmup: 4, min: 0.1 })(4)).toBeCloseTo(0.1, 12);
  });

  it('cosine takes the rate of a group where none is given', () => {
    const at = cosine({ steps: 4, warmup: 2 });
    expect([0, 1, 2, 3, 4].map((step) => at(step, 3))).toEqual([1.5, 3, 3, 1.5, expect.closeTo(0, 12)]);
  });

  it('warm up before any other, which then counts from its own beginning', () => {
    const at = optim.warmup(4, optim.stepLR({ stepSize: 2, gamma: 0.5 }));
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((step) => at(step, 8))).toEqual([2, 4, 6, 8, 8, 8, 4, 4, 2]);
    expect(optim.warmup(0, constant(3))(0)).toBe(3);
    expect(optim.warmup(2, (step) => 10 - step)(3)).toBe(9);
    const { momentum } = optim.warmup(5, optim.oneCycleLR({ totalSteps: 10 }));
    expect([0, 5].map((step) => momentum?.(step))).toEqual([0.95, 0.95]);
  });

  it('a sequence moves the momentum where the schedule of the moment does', () => {
    const at = optim.sequentialLR([constant(1), optim.oneCycleLR({ totalSteps: 10 })], [3]);
    expect(at.momentum?.(2)).toBeUndefined();
    expect(at.momentum?.(3)).toBe(0.95);
    expect(optim.sequentialLR([constant(1), constant(2)], [3]).momentum).toBeUndefined();
  });

  it('past the end: one cycle is refused, the others stay, go on or rise again', () => {
    const cycle = optim.oneCycleLR({ totalSteps: 10, annealStrategy: 'linear' });
    expect(cycle(10)).toBe(cycle(9));
    const error = refused(() => cycle(11));
    expect(error).toMatchObject({
      code: 'ERR_ARGUMENT',
      op: 'oneCycleLR',
      received: 'step 11, counted from 0',
    });
    expect(error.expected).toContain('10 steps');
    expect(error.hint).toContain('totalSteps');
    expect(refused(() => cycle.momentum?.(11)).code).toBe('ERR_ARGUMENT');
    expect(optim.polynomialLR({ totalIters: 3 })(1e6)).toBe(0);
    expect(optim.linearLR({ totalIters: 3 })(1e6)).toBe(1);
    expect(optim.multiStepLR({ milestones: [1] })(1e6)).toBe(0.1);
    expect(optim.cosineAnnealingLR({ tMax: 5 })(10)).toBeCloseTo(1, 12);
    expect(optim.cosineAnnealingWarmRestarts({ t0: 5 })(1e9)).toBe(1);
    expect(cosine({ steps: 5 })(1e9)).toBeCloseTo(0, 12);
  });

  it.each([
    ['no steps', () => cosine({ steps: 0, lr: 1 })],
    ['half a step', () => cosine({ steps: 1.5, lr: 1 })],
    ['a warm-up beyond the end', () => cosine({ steps: 3, lr: 1, warmup: 4 })],
    ['a negative warm-up', () => cosine({ steps: 3, lr: 1, warmup: -1 })],
    ['a negative lr', () => cosine({ steps: 3, lr: -1 })],
    ['a min that is no number', () => cosine({ steps: 3, lr: 1, min: NaN })],
    ['a constant below 0', () => constant(-1)],
    ['no stepSize', () => optim.stepLR({} as never)],
    ['a factor of 0', () => optim.stepLR({ stepSize: 1, gamma: 0 })],
    ['milestones that fall', () => optim.multiStepLR({ milestones: [5, 3] })],
    ['milestones that are none', () => optim.multiStepLR({ milestones: 5 as never })],
    ['a milestone at 0', () => optim.multiStepLR({ milestones: [0, 3] })],
    ['no gamma', () => optim.exponentialLR({} as never)],
    ['a power of 0', () => optim.polynomialLR({ power: 0 })],
    ['half an iteration', () => optim.polynomialLR({ totalIters: 0.5 })],
    ['a start factor of 0', () => optim.linearLR({ startFactor: 0 })],
    ['an end factor above 1', () => optim.linearLR({ endFactor: 1.5 })],
    ['tMax 0', () => optim.cosineAnnealingLR({ tMax: 0 })],
    ['a negative etaMin', () => optim.cosineAnnealingLR({ tMax: 5, etaMin: -1 })],
    ['half a multiple', () => optim.cosineAnnealingWarmRestarts({ t0: 5, tMult: 1.5 })],
    ['no totalSteps', () => optim.oneCycleLR({} as never)],
    ['pctStart above 1', () => optim.oneCycleLR({ totalSteps: 5, pctStart: 1.1 })],
    ['an unknown strategy', () => optim.oneCycleLR({ totalSteps: 5, annealStrategy: 'cosine' as never })],
    ['a momentum of 1', () => optim.oneCycleLR({ totalSteps: 5, maxMomentum: 1 })],
    ['a divFactor of 0', () => optim.oneCycleLR({ totalSteps: 5, divFactor: 0 })],
    ['PyTorch names', () => optim.oneCycleLR({ total_steps: 5 } as never)],
    ['a schedule too few', () => optim.sequentialLR([constant(1)], [3])],
    ['what is no schedule', () => optim.sequentialLR([constant(1), 0.1 as never], [3])],
    ['a warm-up of no schedule', () => optim.warmup(3, 0.1 as never)],
    ['half a warm-up', () => optim.warmup(0.5, constant(1))],
    ['a plateau of an unknown mode', () => optim.plateau({ mode: 'least' as never })],
    ['a plateau that rises', () => optim.plateau({ factor: 1 })],
    ['half a patience', () => optim.plateau({ patience: 0.5 })],
    ['an unknown threshold mode', () => optim.plateau({ thresholdMode: 'relative' as never })],
    ['a plateau of no optimizer', () => new optim.ReduceLROnPlateau({} as never)],
  ])('refuses %s', (_, body) => {
    expect(refused(body).code).toBe('ERR_ARGUMENT');
  });
});

describe('LRScheduler', () => {
  const setUp = (make = (params: optim.ParameterGroup<optim.SGDGroupOptions>[]) => new optim.SGD(params)) => {
    const [a, b] = [1, 2].map((value) => tensor([value], [1], { requiresGrad: true }));
    return make([
      { params: [a], lr: 1 },
      { params: [b], lr: 0.1 },
    ]);
  };

  it('keeps the ratio of the groups, unless a function has it otherwise', () => {
    const sgd = setUp();
    const scheduler = new optim.LRScheduler(sgd, optim.exponentialLR({ gamma: 0.5 }));
    expect(scheduler.getLastLr()).toEqual([1, 0.1]);
    scheduler.step();
    scheduler.step();
    expect([scheduler.getLastLr(), scheduler.lastEpoch]).toEqual([[0.25, 0.025], 2]);
    scheduler.set(0);
    expect(sgd.groups.map(({ lr }) => lr)).toEqual([1, 0.1]);
    expect(new optim.LRScheduler(sgd, (step) => 3 - step).getLastLr()).toEqual([3, 3]);
  });

  it('goes on from its state', () => {
    const [one, other] = [
      setUp(),
      setUp((params) => new optim.SGD(params.map((group) => ({ ...group, lr: 9 })))),
    ];
    const schedule = optim.oneCycleLR({ totalSteps: 20 });
    const scheduler = new optim.LRScheduler(one, schedule);
    for (let i = 0; i < 7; i++) scheduler.step();
    const again = new optim.LRScheduler(other, schedule);
    again.loadStateDict(scheduler.stateDict());
    for (const each of [scheduler, again]) each.step();
    expect(again.getLastLr()).toEqual(scheduler.getLastLr());
    expect(other.groups.map(({ momentum }) => momentum)).toEqual(one.groups.map(({ momentum }) => momentum));
    expect([...again.stateDict().numbers]).toEqual([...scheduler.stateDict().numbers]);
    expect(again.stateDict().numbers.get('last_epoch')).toBe(8);
  });

  it('refuses states of something else, and stays where it is', () => {
    const scheduler = new optim.LRScheduler(setUp(), optim.stepLR({ stepSize: 1 }));
    scheduler.step();
    const { tensors, numbers } = scheduler.stateDict();
    const cycle = new optim.LRScheduler(setUp(), optim.oneCycleLR({ totalSteps: 20 })).stateDict();
    for (const state of [
      undefined,
      { tensors, numbers: new Map() },
      { tensors, numbers: new Map([...numbers, ['last_epoch', 1.5]]) },
      { tensors, numbers: new Map([...numbers, ['base_lrs.0', -1]]) },
      { tensors, numbers: new Map([...numbers, ['base_lrs.2', 1]]) },
      cycle,
    ]) {
      expect(refused(() => scheduler.loadStateDict(state as never)).code).toBe('ERR_DATA');
    }
    expect(scheduler.getLastLr()).toEqual([0.1, expect.closeTo(0.01, 12)]);
  });

  it('refuses rates that are none, and what it cannot move, before anything is changed', () => {
    const sgd = setUp();
    const rates = () => sgd.groups.map(({ lr }) => lr);
    expect(refused(() => new optim.LRScheduler(sgd, () => NaN)).received).toBe('NaN');
    const falling = new optim.LRScheduler(sgd, (step, base) => (step > 1 && base < 1 ? -1 : base));
    falling.step();
    expect(refused(() => falling.step()).expected).toContain('step 2');
    expect([rates(), falling.lastEpoch]).toEqual([[1, 0.1], 1]);
    expect(refused(() => falling.set(0.5)).code).toBe('ERR_ARGUMENT');
    expect(refused(() => new optim.LRScheduler(sgd, 0.1 as never)).code).toBe('ERR_ARGUMENT');
    expect(refused(() => new optim.LRScheduler({} as never, constant(1))).code).toBe('ERR_ARGUMENT');
    using adagrad = new optim.Adagrad(sgd.groups[0].params, { lr: 0.5 });
    const error = refused(() => new optim.LRScheduler(adagrad, optim.oneCycleLR({ totalSteps: 5 })));
    expect(error).toMatchObject({
      received: 'Adagrad',
      hint: expect.stringContaining('cycleMomentum: false'),
    });
    expect(adagrad.lr).toBe(0.5);
  });
});

describe('ReduceLROnPlateau', () => {
  const setUp = () => {
    const sgd = new optim.SGD([tensor([1], [1], { requiresGrad: true })], { lr: 1 });
    return { sgd, reduce: new optim.ReduceLROnPlateau(sgd, { patience: 0, factor: 0.5 }) };
  };

  it('lowers the rate, and says so', () => {
    const { sgd, reduce } = setUp();
    expect([3, 2, 2, NaN, 1].map((metric) => reduce.step(metric))).toEqual([false, false, true, true, false]);
    expect(sgd.lr).toBe(0.25);
    expect(Object.fromEntries(reduce.stateDict().numbers)).toEqual({
      ...{ best: 1, num_bad_epochs: 0, cooldown_counter: 0, last_epoch: 5 },
    });
  });

  it('refuses what is no measurement, and states of something else', () => {
    const { sgd, reduce } = setUp();
    expect(refused(() => reduce.step('2' as never)).code).toBe('ERR_ARGUMENT');
    const { tensors, numbers } = reduce.stateDict();
    for (const wrong of [
      [],
      [['best', 1]],
      [...numbers, ['other', 1]],
      [...numbers, ['num_bad_epochs', -1]],
    ]) {
      const state = { tensors, numbers: new Map(wrong as [string, number][]) };
      expect(refused(() => reduce.loadStateDict(state)).code).toBe('ERR_DATA');
    }
    expect(refused(() => reduce.loadStateDict(undefined as never)).code).toBe('ERR_DATA');
    expect(sgd.lr).toBe(1);
  });
});
