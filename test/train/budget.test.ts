// SPDX-License-Identifier: Apache-2.0
// A training that ends on time, with its schedule.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type BatchReport, type FitOptions, fit } from '../../lib/index.js';
import { Budget } from '../../lib/train/budget.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel, someXo, xoModel } from './tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-budget-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const SECONDS = 1.2;
const budget = { minutes: SECONDS / 60 };
const data = someXo(200);

async function timed(options: FitOptions) {
  const rates: number[] = [];
  const onBatch = ({ lr }: BatchReport) => rates.push(lr);
  const began = performance.now();
  const listening = options.capture === false ? {} : { onBatch };
  const result = await fit(xoModel(), data, { batchSize: 10, lr: 0.1, budget, ...listening, ...options });
  return { result, rates, seconds: (performance.now() - began) / 1000 };
}

/** Other processes may take a second of this one's time: a wall clock is looked at up to three times. */
describe('a budget of time', { retry: 2 }, () => {
  it('ends the training, and a cosine with it', async () => {
    const { result, rates, seconds } = await timed({ schedule: 'cosine', validation: someXo(50) });
    expect(seconds).toBeGreaterThan(0.9 * SECONDS);
    expect(seconds).toBeLessThan(1.5 * SECONDS);
    expect(result).toMatchObject({ aborted: false, steps: rates.length });
    expect(result.history.at(-1)).toHaveProperty('valLoss');
    expect(result.history).toHaveLength(Math.ceil(result.steps / 20));
    expect(rates[0]).toBe(0.1);
    expect(rates.at(-1)).toBeLessThan(0.002);
    expect(rates.every((rate, i) => i === 0 || rate <= rates[i - 1])).toBe(true);
    const half = rates.findIndex((rate) => rate <= 0.05) / rates.length;
    expect(half).toBeGreaterThan(0.2); // in the middle where every step took as long
    expect(half).toBeLessThan(0.8);
  });

  it.each([{ capture: false }, { warmup: 5, schedule: 'one-cycle' }] as FitOptions[])(
    'with %j',
    async (options) => {
      const { result, rates, seconds } = await timed(options);
      expect(seconds).toBeGreaterThan(0.9 * SECONDS);
      expect(seconds).toBeLessThan(1.5 * SECONDS);
      expect(result.aborted).toBe(false);
      if (options.warmup)
        expect(rates.slice(0, 4)).toEqual(
          [1, 2, 3, 4].map((step) => expect.closeTo((rates[4] * step) / 5, 10)),
        );
    },
  );

  it('has what was left of it after an interruption', async () => {
    const checkpoint = { dir: mkdtempSync(join(place, 'kept-')) };
    const signal = AbortSignal.timeout(700);
    const first = await timed({ schedule: 'cosine', checkpoint, signal });
    expect(first.result.aborted).toBe(true);
    const { result, rates, seconds } = await timed({ schedule: 'cosine', checkpoint, resume: true });
    expect(seconds).toBeLessThan(1.4 * (SECONDS - first.seconds) + 0.3);
    expect(result).toMatchObject({ aborted: false, resumedAt: first.result.steps });
    expect(rates[0]).toBeLessThanOrEqual(first.rates.at(-1) as number);
    expect(rates.at(-1)).toBeLessThan(0.002);
    const again = await timed({ schedule: 'cosine', checkpoint, resume: true });
    expect(again.result.steps).toBe(result.steps);
  });

  it('plans from the speed of the last steps', () => {
    const plan = new Budget(100, 10);
    expect([plan.isOver(1e9), plan.stepsAfter(0), plan.shareOf(0)]).toEqual([false, 1, 0]);
    plan.plan(1, 5); // the first, and slow
    plan.plan(2, 5.1);
    expect(plan.isOver(900)).toBe(false);
    expect(plan.isOver(1010)).toBe(true);
    expect(plan.shareOf(502)).toBeCloseTo(0.5, 2);
    expect(plan.stepsAfter(2)).toBe(10);
    const before = plan.shareOf(102);
    plan.noteValidation(1); // as long as an epoch
    plan.plan(102, 15.1);
    expect(plan.shareOf(102)).toBeCloseTo(before, 6);
    expect([plan.isOver(590), plan.isOver(610)]).toEqual([false, true]);
  });

  it.each<[string, FitOptions]>([
    ['no time', { budget: { minutes: 0 } }],
    ['an unknown option', { budget: { hours: 1 } as never }],
    ['epochs as well', { budget, epochs: 2 }],
    ['a schedule of its own', { budget, schedule: () => 0.1 }],
  ])('is refused with %s', async (_, options) => {
    expect((await refusedLater(fit(linearModel(), halves(8), options))).code).toBe('ERR_ARGUMENT');
  });
});
