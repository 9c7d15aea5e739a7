// SPDX-License-Identifier: Apache-2.0
// A training that ends on time: how many steps are left follows from how fast they are, and is planned anew as long as it runs.
import { checkNumber, checkOptions } from '../errors.js';
import type { Schedule } from '../optim/schedule.js';

/** How long a training may take. */
export interface BudgetOptions {
  /**
   * Trains for so long, validation included, in place of `epochs`: the schedule, one by name, ends with the time. How far it is after
   * a step depends on the speed of the machine, so the weights do too. The last epoch may be a part of one. A training that is
   * resumed has what was left. Default: none.
   */
  readonly budget?: { readonly minutes: number } | undefined;
}

/** What a checkpoint keeps of a budget. */
export interface BudgetState {
  /** Spent so far. */
  readonly seconds: number;
  /** From this step on, which was this share of the schedule, the plan goes on in equal parts to its last step. */
  readonly step: number;
  readonly share: number;
  readonly total: number;
}

/** Positions of a schedule that is spread over a time: fine enough for any training. */
export const BUDGET_STEPS = 2 ** 20;
/** Within an epoch the plan is made anew about so often, not more than every 50 ms, nor less than every second. */
const PLANS = 50;
/** The speed is that of so many plans before. */
const REMEMBERED = 8;

/** The option in seconds. Throws ERR_ARGUMENT. */
export function checkBudget({ budget }: BudgetOptions): number | undefined {
  if (budget === undefined) return undefined;
  checkOptions('fit', budget, ['minutes']);
  return 60 * checkNumber('fit', 'minutes', budget.minutes, 0.001, 1e6);
}

/** The time of one training. It begins when it is made. */
export class Budget {
  readonly #seconds: number;
  /** Batches an epoch. */
  readonly #batches: number;
  /** Steps before the schedule begins. */
  readonly #rise: number;
  readonly #began = performance.now();
  #before = 0;
  #from = { step: 0, share: 0 };
  #total = Infinity;
  #next = 0;
  #validation = 0;
  #marks: { readonly step: number; readonly seconds: number }[] = [];

  constructor(seconds: number, batches: number, rise = 0) {
    this.#seconds = seconds;
    this.#batches = batches;
    this.#rise = rise;
  }

  get secondsLeft(): number {
    return Math.max(0, this.#seconds - this.#spent);
  }

  get #spent(): number {
    return this.#before + (performance.now() - this.#began) / 1000;
  }

  /** Whether the time is up after so many steps, as far as has been planned. */
  isOver(step: number): boolean {
    return step >= this.#total;
  }

  /** Steps that may be done before the next plan. */
  stepsAfter(step: number): number {
    return Math.max(1, this.#next - step);
  }

  /** Whether a plan is to be made after so many steps. */
  isDue(step: number): boolean {
    return step >= this.#next;
  }

  /** How long the last validation took: one comes after each epoch, and at the end. */
  noteValidation(seconds: number): void {
    this.#validation = seconds;
  }

  /** Plans anew, after `step` steps. @param seconds that they took alone */
  plan(step: number, seconds: number): void {
    this.#marks.push({ step, seconds });
    if (this.#marks.length > REMEMBERED) this.#marks.shift();
    const [first] = this.#marks;
    const steps = step - first.step;
    if (steps <= 0 || seconds <= first.seconds) {
      this.#next = step + 1; // the first step of all is slower than those that follow
      if (this.secondsLeft === 0) this.#total = step;
      return;
    }
    const each = (seconds - first.seconds) / steps;
    const left = (this.secondsLeft - this.#validation) / (each + this.#validation / this.#batches);
    const share = this.shareOf(step);
    this.#from = step < this.#rise ? { step: this.#rise, share: 0 } : { step, share };
    this.#total = step + Math.max(0, Math.round(left));
    const interval = Math.min(1, Math.max(0.05, this.#seconds / PLANS));
    this.#next = Math.min(this.#total, step + Math.max(1, Math.floor(interval / each)));
  }

  /** How much of the schedule is over before a step, from 0 to 1. */
  shareOf(step: number): number {
    const { step: first, share } = this.#from;
    if (step <= first || this.#total === Infinity) return share;
    return Math.min(1, share + ((1 - share) * (step - first)) / Math.max(1, this.#total - first));
  }

  /** A schedule over `BUDGET_STEPS` steps, spread over the time; its own steps begin behind the rise. */
  spread(schedule: Schedule): Schedule {
    const position = (step: number) =>
      Math.min(BUDGET_STEPS - 1, Math.floor(this.shareOf(step + this.#rise) * BUDGET_STEPS));
    const { momentum } = schedule;
    const rate: Schedule = (step, base) => schedule(position(step), base);
    return momentum === undefined
      ? rate
      : Object.assign(rate, { momentum: (step: number) => momentum(position(step)) });
  }

  get state(): BudgetState {
    return { seconds: this.#spent, ...this.#from, total: this.#total };
  }

  /** Goes on with what was left. */
  load({ seconds, step, share, total }: BudgetState): void {
    this.#before = seconds;
    this.#from = { step, share };
    this.#total = this.#seconds > seconds ? Math.max(total, step + 1) : total;
  }
}
