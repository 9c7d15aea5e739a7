// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { constant, cosine } from '../../lib/optim/schedule.js';
import { refused } from '../helpers/refused.js';

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

  it.each([
    ['no steps', () => cosine({ steps: 0, lr: 1 })],
    ['half a step', () => cosine({ steps: 1.5, lr: 1 })],
    ['a warm-up beyond the end', () => cosine({ steps: 3, lr: 1, warmup: 4 })],
    ['a negative warm-up', () => cosine({ steps: 3, lr: 1, warmup: -1 })],
    ['a negative lr', () => cosine({ steps: 3, lr: -1 })],
    ['a min that is no number', () => cosine({ steps: 3, lr: 1, min: NaN })],
    ['a constant below 0', () => constant(-1)],
  ])('refuses %s', (_, body) => {
    expect(refused(body).code).toBe('ERR_ARGUMENT');
  });
});
