// SPDX-License-Identifier: Apache-2.0
// A schedule at work on an optimizer: it sets the rates of all groups, each from the rate that the group began with.
import { describe, fail } from '../errors.js';
import { isRecordingNow, noteAdvancing } from '../native/bindings.js';
import { Optimizer } from './optimizer.js';
import { checkSchedule, type Schedule } from './schedule.js';
import { type OptimizerState, refuseState } from './state.js';

/** The options of a group that schedules move. */
interface MovableGroup {
  lr: number;
  momentum?: number;
  betas?: readonly [number, number];
}

/** What a group began with. */
interface Base {
  readonly lr: number;
  readonly momentum: number | undefined;
}

function momentumOf({ momentum, betas }: MovableGroup): number | undefined {
  return betas?.[0] ?? momentum;
}

/**
 * Sets the learning rates of an optimizer step by step. When it is made, they become those of step 0.
 *
 * In a loop of one's own, `step()` comes after the optimizer's. Where both are called in a step that is recorded (`capture`),
 * each replayed step has the rate that it would have had in the loop. For the steps of a plan that does not know the scheduler
 * there is `set`, in `beforeStep`.
 */
export class LRScheduler {
  readonly #optimizer: Optimizer;
  readonly #schedule: Schedule;
  #bases: readonly Base[];
  #lastEpoch = 0;

  /**
   * Throws ERR_ARGUMENT for a schedule that moves the momentum of an optimizer that has none, and for rates that are none.
   */
  constructor(optimizer: Optimizer, schedule: Schedule) {
    if (!(optimizer instanceof Optimizer)) {
      const received = describe(optimizer);
      throw fail('ERR_ARGUMENT', { op: 'LRScheduler', expected: 'an optimizer', received });
    }
    checkSchedule('LRScheduler', schedule);
    this.#optimizer = optimizer;
    this.#schedule = schedule;
    this.#bases = this.#groups.map((group) => ({ lr: group.lr, momentum: momentumOf(group) }));
    if (schedule.momentum !== undefined && this.#bases.some(({ momentum }) => momentum === undefined)) {
      throw fail('ERR_ARGUMENT', {
        op: 'LRScheduler',
        expected: 'an optimizer with momentum or betas, for a schedule that moves them',
        received: optimizer.constructor.name,
        hint: 'make the schedule with cycleMomentum: false',
      });
    }
    this.set(0);
  }

  get #groups(): readonly MovableGroup[] {
    return this.#optimizer.groups;
  }

  /** The step that the rates are those of: how often `step` was called. */
  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  /** The rates of the groups as they were set last. */
  getLastLr(): number[] {
    return this.#groups.map(({ lr }) => lr);
  }

  /** @internal Whether it sets the rates of this optimizer. */
  isOf(optimizer: Optimizer): boolean {
    return this.#optimizer === optimizer;
  }

  /**
   * Goes on to the next step: call it once after each update. Throws ERR_ARGUMENT past the end of a schedule that has one;
   * ERR_CAPTURE in a recorded step without an update before it, and for a second call.
   */
  step(): void {
    if (!isRecordingNow()) {
      this.set(this.#lastEpoch + 1);
      return;
    }
    if (!this.#optimizer.followSchedule((step) => this.#apply(this.#lastEpoch + step))) {
      throw fail('ERR_CAPTURE', {
        op: 'LRScheduler',
        expected: 'one call of step() in the step that is recorded, after step() of the optimizer',
        received: 'a second one, or no update before it',
      });
    }
    noteAdvancing(this);
  }

  /** Sets the rates to those of a step, counted from 0. Throws ERR_ARGUMENT, and changes nothing, where there are none. */
  set(step: number): void {
    if (!(Number.isSafeInteger(step) && step >= 0)) {
      const expected = 'a step, a whole number of at least 0';
      throw fail('ERR_ARGUMENT', { op: 'LRScheduler', expected, received: describe(step) });
    }
    this.#apply(step);
    this.#lastEpoch = step;
  }

  #apply(step: number): void {
    const momentum = this.#schedule.momentum?.(step);
    const rates = this.#bases.map(({ lr }) => this.#rate(step, lr));
    this.#groups.forEach((group, i) => {
      group.lr = rates[i];
      if (this.#schedule.momentum !== undefined) setMomentum(group, momentum ?? this.#bases[i].momentum);
    });
  }

  #rate(step: number, base: number): number {
    const rate = this.#schedule(step, base);
    if (Number.isFinite(rate) && rate >= 0) return rate;
    throw fail('ERR_ARGUMENT', {
      op: 'LRScheduler',
      expected: `the schedule to give a learning rate of at least 0 for step ${step}`,
      received: describe(rate),
    });
  }

  /** @internal Recorded steps were replayed. Where there is no rate for the next one, that is said when it is wanted. */
  advance(steps: number): void {
    this.#lastEpoch += steps;
    try {
      this.#apply(this.#lastEpoch);
    } catch {
      // the rates stay those of the last step
    }
  }

  /** Where the scheduler stands: `last_epoch`, `base_lrs.<group>`, and `base_momentums.<group>` where it moves the momentum. */
  stateDict(): OptimizerState {
    const numbers = new Map([['last_epoch', this.#lastEpoch]]);
    this.#bases.forEach(({ lr, momentum }, i) => {
      numbers.set(`base_lrs.${i}`, lr);
      if (this.#schedule.momentum !== undefined) numbers.set(`base_momentums.${i}`, momentum as number);
    });
    return { tensors: new Map(), numbers };
  }

  /**
   * Goes on from where another scheduler with the same schedule stood, and sets the rates. Throws ERR_DATA for a state of
   * something else, before anything is changed.
   */
  loadStateDict(state: OptimizerState): void {
    const numbers = state?.numbers instanceof Map ? (state.numbers as OptimizerState['numbers']) : new Map();
    const expected = [...this.stateDict().numbers.keys()];
    const isWhole = Number.isSafeInteger(numbers.get('last_epoch'));
    const fits = expected.every((name) => Number(numbers.get(name)) >= 0) && numbers.size === expected.length;
    if (!isWhole || !fits) {
      const received = [...numbers].map(([name, value]) => `${name} ${value}`).join(', ') || describe(state);
      throw refuseState('LRScheduler', `numbers of at least 0 for ${expected.join(', ')}`, received);
    }
    const before = this.#bases;
    this.#bases = before.map((_, i) => ({
      lr: numbers.get(`base_lrs.${i}`) as number,
      momentum: numbers.get(`base_momentums.${i}`) ?? before[i].momentum,
    }));
    try {
      this.set(numbers.get('last_epoch') as number);
    } catch (error) {
      this.#bases = before;
      throw error;
    }
  }
}

/** What schedules move, to be put back by the function that is returned. */
export function saveRates(optimizer: Optimizer): () => void {
  const groups: readonly MovableGroup[] = optimizer.groups;
  const saved = groups.map((group) => ({ lr: group.lr, momentum: momentumOf(group) }));
  return () => {
    groups.forEach((group, i) => {
      group.lr = saved[i].lr;
      setMomentum(group, saved[i].momentum);
    });
  };
}

function setMomentum(group: MovableGroup, momentum: number | undefined): void {
  if (momentum === undefined) return;
  if (group.betas === undefined) group.momentum = momentum;
  else group.betas = [momentum, group.betas[1]];
}
