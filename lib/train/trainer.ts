// SPDX-License-Identifier: Apache-2.0
// A training in several parts: one model, one optimizer that keeps its state, and listeners that are told of all of it.
import type { AnyDataset } from '../data/packed-dataset.js';
import type { StreamDataset, StreamSource } from '../data/stream.js';
import { checkListeners, checkNumber, checkOptions, describe, fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { saveRates } from '../optim/lr-scheduler.js';
import { Optimizer } from '../optim/optimizer.js';
import type { CheckpointReport } from './checkpoint-options.js';
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js';
import { checkFitOptions, FIT_OPTIONS, type FitOptions, type FitResult, fit } from './fit.js';
import type { FeatureReport } from './frozen-features.js';
import { makeOptimizer } from './optimizers.js';
import type { BatchReport, HistoryRow, ProgressReport } from './progress.js';

/** What a `Trainer` tells. The next step, epoch or end waits for what `onBatch`, `onEpoch` and `onEnd` return. */
export interface TrainerCallback {
  /** Before the first step of each `fit`. */
  readonly onStart?: (trainer: Trainer) => void | Promise<void>;
  /** After each step; leave it out where steps take microseconds. */
  readonly onBatch?: (report: BatchReport, trainer: Trainer) => void;
  /** After each epoch and its validation. */
  readonly onEpoch?: (row: HistoryRow, trainer: Trainer) => void | Promise<void>;
  /** About ten times a second. */
  readonly onProgress?: (report: ProgressReport, trainer: Trainer) => void;
  /** While features of frozen layers are computed. */
  readonly onFeatures?: (report: FeatureReport, trainer: Trainer) => void;
  /** When a checkpoint was written, could not be, or was gone on with. */
  readonly onCheckpoint?: (report: CheckpointReport, trainer: Trainer) => void;
  /** After each `fit` that did not throw. */
  readonly onEnd?: (result: FitResult, trainer: Trainer) => void | Promise<void>;
}

const LISTENERS = ['onBatch', 'onEpoch', 'onProgress', 'onFeatures', 'onCheckpoint'] as const;
const CALLBACK_NAMES: readonly (keyof TrainerCallback)[] = ['onStart', ...LISTENERS, 'onEnd'];

/** What is of one part alone: what is written, each part to a folder of its own, and what ends it. */
const OF_ONE_PART = ['checkpoint', 'resume', 'log', 'signal'] as const;
const OF_ANY_PART = [
  ...(['epochs', 'budget', 'validation', 'lr', 'schedule', 'warmup', 'augment', 'batchSize'] as const),
] as const;

/** Options of `fit` that hold for all parts of a training, and who is told of them. */
export interface TrainerOptions
  extends Omit<FitOptions, (typeof LISTENERS)[number] | (typeof OF_ONE_PART)[number]> {
  readonly callbacks?: readonly TrainerCallback[] | undefined;
}

/**
 * What is of one part of the training, or differs in it; `lr` takes the place of the first group's rate, and those of other groups
 * change by the same factor. Afterwards the rates are what they were.
 */
export type TrainerFitOptions = Pick<FitOptions, (typeof OF_ANY_PART)[number] | (typeof OF_ONE_PART)[number]>;
const PART_OPTIONS: readonly string[] = [...OF_ANY_PART, ...OF_ONE_PART];

/**
 * Trains a model in one part or several, such as a new head first and all layers then. The first `fit` leads to the weights of the
 * function `fit` with the same options; those that follow go on with the optimizer's state, and with other orders of the images. A part
 * that was stopped and is gone on with (`checkpoint` and `resume` of that part) has its own order again.
 *
 * ```js
 * using trainer = new Trainer(model, { optimizer: 'sgd', lr: 0.01, callbacks: [{ onEpoch: (row, trainer) => row.loss < 0.01 && trainer.stop() }] });
 * await trainer.fit(train, { epochs: 3, validation });
 * ```
 *
 * It owns its optimizer, unless it was given one: `dispose` frees it. Make another one after layers were replaced.
 *
 * Throws ERR_ARGUMENT for what `fit` would refuse, and callbacks that are none.
 */
export class Trainer {
  readonly model: Module;
  /** Its state is kept from part to part. */
  readonly optimizer: Optimizer;
  readonly #options: FitOptions;
  readonly #callbacks: readonly TrainerCallback[];
  readonly #ownsOptimizer: boolean;
  readonly #history: HistoryRow[] = [];
  /** Of the parts before the last. */
  #rowsBefore = 0;
  /** Those that came to their end. */
  #parts = 0;
  #stopping: AbortController | undefined;

  constructor(model: Module, options: TrainerOptions = {}) {
    checkModel('Trainer', model);
    checkOptions('Trainer', options, KNOWN_OPTIONS);
    const { callbacks = [], ...rest } = options;
    checkCallbacks(callbacks);
    checkFitOptions({ ...rest, validation: rest.validation ?? (LATER as AnyDataset) });
    this.model = model;
    this.#ownsOptimizer = !(rest.optimizer instanceof Optimizer);
    const { optimizer, release } = makeOptimizer(model, rest);
    if (!this.#ownsOptimizer) release();
    this.optimizer = optimizer;
    const { lr: _, momentum: __, weightDecay: ___, nesterov: ____, normLr: _____, ...training } = rest;
    this.#options = { ...training, optimizer };
    this.#callbacks = [...callbacks];
  }

  /** The rows of all parts that ended without an error, numbered through. */
  get history(): readonly HistoryRow[] {
    return this.#history;
  }

  /**
   * One part of the training.
   *
   * Throws what the function `fit` throws; ERR_BUSY while another part is under way.
   */
  async fit(
    dataset: AnyDataset | StreamDataset | StreamSource,
    options: TrainerFitOptions = {},
  ): Promise<FitResult> {
    checkOptions('Trainer.fit', options, PART_OPTIONS);
    checkListeners('Trainer.fit', options.signal);
    this.#checkIdle('fit');
    const restoreRates = this.#useRate(options.lr);
    const stopping = new AbortController();
    this.#stopping = stopping;
    try {
      for (const callback of this.#callbacks) await callback.onStart?.(this);
      const result = await fit(this.model, dataset, this.#optionsOf(options, stopping.signal));
      if (result.resumedAt === undefined) this.#rowsBefore = this.#history.length;
      this.#history.length = this.#rowsBefore; // a part that is gone on with tells all of its rows
      const before = this.#history.at(-1)?.epoch ?? 0;
      this.#history.push(...result.history.map((row) => ({ ...row, epoch: before + row.epoch })));
      if (!result.aborted) this.#parts += 1;
      for (const callback of this.#callbacks) await callback.onEnd?.(result, this);
      return result;
    } finally {
      this.#stopping = undefined;
      restoreRates();
    }
  }

  /** Lets a part have another rate; returns what puts the rates back. */
  #useRate(lr: number | undefined): () => void {
    if (lr !== undefined) checkNumber('Trainer.fit', 'lr', lr, 0);
    const restore = saveRates(this.optimizer);
    if (lr === undefined) return restore;
    const [{ lr: base }] = this.optimizer.groups;
    for (const group of this.optimizer.groups) group.lr = base > 0 ? (group.lr / base) * lr : lr;
    return restore;
  }

  #optionsOf(part: TrainerFitOptions, stop: AbortSignal): FitOptions {
    const { lr: _, ...own } = part;
    const given = Object.entries(own).filter(([, value]) => value !== undefined);
    const { epochs, budget, ...base } = this.#options; // of which a part has its own, and then only one
    const isTimed = part.budget !== undefined || part.epochs !== undefined;
    return {
      ...(isTimed ? {} : { epochs, budget }),
      ...base,
      ...Object.fromEntries(given),
      seed: (this.#options.seed ?? 0) + this.#parts,
      signal: part.signal === undefined ? stop : AbortSignal.any([stop, part.signal]),
      ...this.#listeners(),
    };
  }

  /** Only those that somebody has: a step waits for each. */
  #listeners(): FitOptions {
    const all = {
      onBatch: (report: BatchReport) => this.#tell('onBatch', report),
      onProgress: (report: ProgressReport) => this.#tell('onProgress', report),
      onFeatures: (report: FeatureReport) => this.#tell('onFeatures', report),
      onCheckpoint: (report: CheckpointReport) => this.#tell('onCheckpoint', report),
      onEpoch: async (row: HistoryRow) => {
        for (const callback of this.#callbacks) await callback.onEpoch?.(row, this);
      },
    };
    const heard = Object.entries(all).filter(([name]) =>
      this.#callbacks.some((callback) => callback[name as keyof TrainerCallback] !== undefined),
    );
    return Object.fromEntries(heard);
  }

  #tell<Name extends 'onBatch' | 'onProgress' | 'onFeatures' | 'onCheckpoint'>(
    name: Name,
    report: Parameters<NonNullable<TrainerCallback[Name]>>[0],
  ): void {
    for (const callback of this.#callbacks) {
      (callback[name] as ((report: unknown, trainer: Trainer) => void) | undefined)?.(report, this);
    }
  }

  /** Ends the part that is under way, after its step; its result says `aborted`. Nothing happens where none is. */
  stop(): void {
    this.#stopping?.abort();
  }

  /** `evaluate` of the model. */
  evaluate(dataset: AnyDataset, options: EvaluateOptions = {}): Promise<Evaluation> {
    return evaluate(this.model, dataset, options);
  }

  /** Frees the optimizer's state. Throws ERR_BUSY while a part is under way. */
  dispose(): void {
    this.#checkIdle('dispose');
    if (this.#ownsOptimizer) this.optimizer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkIdle(what: string): void {
    if (this.#stopping === undefined) return;
    throw fail('ERR_BUSY', {
      op: `Trainer.${what}`,
      expected: 'a trainer at rest',
      received: 'one whose fit is under way',
      hint: 'await it first, or stop it',
    });
  }
}

const OF_EACH_PART: readonly string[] = [...LISTENERS, ...OF_ONE_PART];
const KNOWN_OPTIONS = [...FIT_OPTIONS.filter((name) => !OF_EACH_PART.includes(name)), 'callbacks'];
/** Stands, where options are checked, for a validation set that comes with each part. */
const LATER: unknown = {};

function checkCallbacks(callbacks: readonly TrainerCallback[]): void {
  if (!Array.isArray(callbacks)) {
    const expected = 'callbacks to be an array of objects';
    throw fail('ERR_ARGUMENT', { op: 'Trainer', expected, received: describe(callbacks) });
  }
  for (const callback of callbacks) {
    checkOptions('Trainer', callback, CALLBACK_NAMES);
    checkListeners('Trainer', undefined, { ...callback });
  }
}
