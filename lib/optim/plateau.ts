// SPDX-License-Identifier: Apache-2.0
// Learning rates that fall when a measurement stops getting better.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import { Optimizer } from './optimizer.js';
import { checkBetween, checkRate } from './schedule.js';
import { type OptimizerState, refuseState } from './state.js';

/** When rates fall, and how far. PyTorch's names and defaults. */
export interface PlateauOptions {
  /** 'min' (default): smaller is better. 'max': larger is. */
  readonly mode?: 'min' | 'max' | undefined;
  /** The factor of a fall, above 0 and below 1. Default 0.1. */
  readonly factor?: number | undefined;
  /** Measurements without progress that are let pass. Default 10. */
  readonly patience?: number | undefined;
  /** How much better counts as progress. Default 1e-4. */
  readonly threshold?: number | undefined;
  /** 'rel' (default): the threshold is a share of the best; 'abs': a difference. */
  readonly thresholdMode?: 'rel' | 'abs' | undefined;
  /** Measurements after a fall that do not count. Default 0. */
  readonly cooldown?: number | undefined;
  /** No rate falls below it. Default 0. */
  readonly minLr?: number | undefined;
  /** A fall by less is none. Default 1e-8. */
  readonly eps?: number | undefined;
}

const OPTIONS: readonly (keyof PlateauOptions)[] = [
  ...(['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps'] as const),
];

type FullOptions = { readonly [Name in keyof PlateauOptions]-?: NonNullable<PlateauOptions[Name]> };

function checked(op: string, options: PlateauOptions): FullOptions {
  checkOptions(op, options, OPTIONS);
  const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options;
  const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
  const names = { mode: ['min', 'max'], thresholdMode: ['rel', 'abs'] };
  for (const [name, value] of Object.entries({ mode, thresholdMode })) {
    const known = names[name as keyof typeof names];
    if (known.includes(value)) continue;
    const expected = `${name} to be one of ${known.join(', ')}`;
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(value) });
  }
  checkBetween(op, 'factor', factor, 0);
  if (factor >= 1) {
    throw fail('ERR_ARGUMENT', { op, expected: 'factor below 1', received: describe(factor) });
  }
  checkWhole(op, 'patience', patience, 0);
  checkWhole(op, 'cooldown', cooldown, 0);
  checkRate(op, 'threshold', threshold);
  checkRate(op, 'minLr', minLr);
  checkRate(op, 'eps', eps);
  return { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
}

/** What `fit` is given to let rates fall: the rule, for an optimizer that it makes or is given. Made by `plateau`. */
export class Plateau {
  /** @internal Use `plateau`. */
  constructor(readonly options: FullOptions) {}
}

/**
 * For `schedule` of `fit`: the rates fall when the loss of an epoch stops getting better, on the validation set where there is
 * one, else on the training images. With mode 'max' it is the accuracy. In a loop of one's own use `ReduceLROnPlateau`.
 */
export function plateau(options: PlateauOptions = {}): Plateau {
  return new Plateau(checked('plateau', options));
}

/** Lowers the rates of an optimizer by `factor` after more than `patience` measurements in a row without progress. */
export class ReduceLROnPlateau {
  readonly #optimizer: Optimizer;
  readonly #options: FullOptions;
  #best: number;
  #badEpochs = 0;
  #cooldown = 0;
  #lastEpoch = 0;

  /** Throws ERR_ARGUMENT for options that are none. */
  constructor(optimizer: Optimizer, options: PlateauOptions = {}) {
    if (!(optimizer instanceof Optimizer)) {
      const received = describe(optimizer);
      throw fail('ERR_ARGUMENT', { op: 'ReduceLROnPlateau', expected: 'an optimizer', received });
    }
    this.#optimizer = optimizer;
    this.#options = checked('ReduceLROnPlateau', options);
    this.#best = this.#worst;
  }

  get #worst(): number {
    return this.#options.mode === 'min' ? Infinity : -Infinity;
  }

  /**
   * Takes a measurement: call it after each evaluation, while no plan is running. NaN is no progress.
   *
   * @returns whether a rate has fallen
   */
  step(metric: number): boolean {
    if (typeof metric !== 'number') {
      const expected = 'a measurement, such as the loss on a validation set';
      throw fail('ERR_ARGUMENT', { op: 'ReduceLROnPlateau', expected, received: describe(metric) });
    }
    this.#lastEpoch += 1;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#badEpochs = 0;
    } else {
      this.#badEpochs += 1;
    }
    if (this.#cooldown > 0) {
      this.#cooldown -= 1;
      this.#badEpochs = 0;
    }
    if (this.#badEpochs <= this.#options.patience) return false;
    this.#cooldown = this.#options.cooldown;
    this.#badEpochs = 0;
    return this.#reduce();
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const sign = mode === 'min' ? -1 : 1;
    // Of infinity no share can be taken
    if (!Number.isFinite(this.#best)) return sign * metric > sign * this.#best;
    const goal =
      thresholdMode === 'rel' ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return sign * metric > sign * goal;
  }

  #reduce(): boolean {
    const { factor, minLr, eps } = this.#options;
    let hasFallen = false;
    for (const group of this.#optimizer.groups) {
      const lr = Math.max(group.lr * factor, minLr);
      if (group.lr - lr <= eps) continue;
      group.lr = lr;
      hasFallen = true;
    }
    return hasFallen;
  }

  /** `best` (where there was a measurement), `num_bad_epochs`, `cooldown_counter`, `last_epoch`; the rates are the optimizer's. */
  stateDict(): OptimizerState {
    const best: [string, number][] = Number.isFinite(this.#best) ? [['best', this.#best]] : [];
    const counts: [string, number][] = [
      ['num_bad_epochs', this.#badEpochs],
      ['cooldown_counter', this.#cooldown],
      ['last_epoch', this.#lastEpoch],
    ];
    return { tensors: new Map(), numbers: new Map([...best, ...counts]) };
  }

  /** Goes on from where another stood. Throws ERR_DATA for a state of something else, before anything is changed. */
  loadStateDict(state: OptimizerState): void {
    const { best = this.#worst, ...counts } = Object.fromEntries(
      state?.numbers instanceof Map ? (state.numbers as OptimizerState['numbers']) : [],
    );
    const names = ['num_bad_epochs', 'cooldown_counter', 'last_epoch'];
    const areThere = names.every((name) => Number.isSafeInteger(counts[name]) && counts[name] >= 0);
    if (!areThere || Object.keys(counts).length !== names.length || Number.isNaN(best)) {
      const received = JSON.stringify({ best, ...counts });
      throw refuseState('ReduceLROnPlateau', `best, and whole numbers for ${names.join(', ')}`, received);
    }
    this.#best = best;
    this.#badEpochs = counts.num_bad_epochs;
    this.#cooldown = counts.cooldown_counter;
    this.#lastEpoch = counts.last_epoch;
  }
}
