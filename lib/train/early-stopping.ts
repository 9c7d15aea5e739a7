// SPDX-License-Identifier: Apache-2.0
// The end of a training that no longer gets better, and the weights of its best epoch.
import { checkBooleans, checkNumber, checkOptions, checkWhole } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkMeasurement, isBetter, type Measurement } from './checkpoint-options.js';
import type { HistoryRow } from './progress.js';

/** When a training ends before its last epoch. */
export interface EarlyStoppingOptions {
  /** What has to get better. Default: 'valLoss' where there is a validation set, else 'loss'. */
  readonly monitor?: Measurement | undefined;
  /** The training ends after so many epochs in a row without progress. Default 5. */
  readonly patience?: number | undefined;
  /** How much better counts as progress. Default 0. */
  readonly minDelta?: number | undefined;
  /**
   * Whether the model has the weights and buffers of the best epoch in the end, averages where `ema` is a number; also where all
   * epochs were done, but not where the signal or an error ended the training. Default true.
   */
  readonly restoreBest?: boolean | undefined;
}

/** What a checkpoint keeps of it, besides the weights. */
export interface StoppingState {
  /** Of the best epoch; 0 before there is one. */
  readonly epoch: number;
  readonly value: number;
  /** Epochs without progress since. */
  readonly waited: number;
}

const OPTIONS: readonly (keyof EarlyStoppingOptions)[] = ['monitor', 'patience', 'minDelta', 'restoreBest'];

type FullOptions = {
  readonly [Name in keyof EarlyStoppingOptions]-?: NonNullable<EarlyStoppingOptions[Name]>;
};

/** The options with their defaults. Throws ERR_ARGUMENT. */
export function checkStopping(
  options: EarlyStoppingOptions | undefined,
  hasValidation: boolean,
): FullOptions | undefined {
  if (options === undefined) return undefined;
  checkOptions('fit', options, OPTIONS);
  const { patience = 5, minDelta = 0, restoreBest = true } = options;
  checkBooleans('fit', { restoreBest });
  return {
    monitor: checkMeasurement(
      'monitor',
      options.monitor ?? (hasValidation ? 'valLoss' : 'loss'),
      hasValidation,
    ),
    patience: checkWhole('fit', 'patience', patience),
    minDelta: checkNumber('fit', 'minDelta', minDelta, 0),
    restoreBest,
  };
}

/** Watches the epochs of one training. */
export class EarlyStopping {
  readonly #options: FullOptions;
  /** What is measured: the model, or its averages. */
  readonly #measured: Module;
  #state: StoppingState = { epoch: 0, value: 0, waited: 0 };
  /** Of the best epoch. */
  #best: Map<string, Tensor> | undefined;

  constructor(options: FullOptions, measured: Module) {
    this.#options = options;
    this.#measured = measured;
  }

  /** Takes the row of an epoch, while no step is running. */
  afterEpoch(row: HistoryRow): void {
    const { monitor, minDelta, restoreBest } = this.#options;
    const { epoch, value, waited } = this.#state;
    if (!isBetter(row, monitor, epoch === 0 ? undefined : value, minDelta)) {
      this.#state = { epoch, value, waited: waited + 1 };
      return;
    }
    this.#state = { epoch: row.epoch, value: row[monitor] as number, waited: 0 };
    if (restoreBest) this.#keep(this.#measured.stateDict());
  }

  #keep(state: ReadonlyMap<string, Tensor>): void {
    const copies = new Map<string, Tensor>();
    for (const [name, own] of state) {
      copies.set(name, own.clone().keep());
    }
    this.dispose();
    this.#best = copies;
  }

  /** Whether the training is to end. */
  get isOver(): boolean {
    return this.#state.waited >= this.#options.patience;
  }

  /** The best epoch, where there was one. */
  get bestEpoch(): number | undefined {
    return this.#state.epoch || undefined;
  }

  /** Gives a model the weights of the best epoch, where they were kept. */
  restore(model: Module): void {
    if (this.#best !== undefined) model.loadStateDict(this.#best);
  }

  get state(): StoppingState {
    return this.#state;
  }

  /** The weights that were kept, by the names of the model. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#best ?? new Map();
  }

  /** Whether a saved state lacks weights that are to be restored in the end. */
  lacksWeights(state: StoppingState, tensors: ReadonlyMap<string, Tensor>): boolean {
    return this.#options.restoreBest && state.epoch > 0 && tensors.size === 0;
  }

  /** Goes on from a saved state; `tensors` are none, or as many as the model has. */
  load(state: StoppingState, tensors: ReadonlyMap<string, Tensor>): void {
    this.#state = { epoch: state.epoch, value: state.value, waited: state.waited };
    if (tensors.size > 0 && this.#options.restoreBest) this.#keep(tensors);
  }

  /** Frees the weights that were kept. */
  dispose(): void {
    for (const copy of this.#best?.values() ?? []) copy.dispose();
    this.#best = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
