// SPDX-License-Identifier: Apache-2.0
// Epochs of captured steps. The whole step is recorded: gathering the batch, forward, loss, backward, update, metrics. An
// epoch is one native run of full batches, and one step of what is left; the event loop is free meanwhile.
import type { DataLoader } from '../data/loader.js';
import { ReceptiveError } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { BatchParts } from '../ops/batch-part.js';
import { gatheredRows } from './batch-rows.js';
import type { MannersOptions } from './manners.js';
import { recordDivided } from './micro-batches.js';
import { isNotFinite } from './not-finite.js';
import { type CapturedStep, capturePlan } from './plan.js';
import { inMode } from './slices.js';
import { type Learner, requireFinite, trainOn } from './train-step.js';

/** What an epoch is told and tells. */
export interface CapturedEpochOptions {
  readonly signal: AbortSignal | undefined;
  /** Sets what differs from step to step; steps are counted from the epoch's first. */
  readonly beforeStep: (step: number) => void;
  /** Steps that may be done before `between` is called; 1 makes each wait for `onStep` of the one before. */
  readonly stepsInOneGo: () => number;
  /** While no step is running; the next one waits for it, and comes only if this says so. */
  readonly between: () => Promise<boolean>;
  /** After each step, in order; of several in one go some time later. */
  readonly onStep: (loss: number, correct: number, images: number) => void;
  /** After the calls of `onStep` that came together. */
  readonly onReport: () => void;
}

/** Records the training of a model, per size of batch. */
export class CapturedTraining {
  readonly #learner: Learner;
  readonly #loader: DataLoader;
  readonly #manners: MannersOptions;
  readonly #planning: PlanOptions;
  readonly #microBatches: number | true;
  /** Samples of a part, once a full batch has been divided. */
  #partSize: number | undefined;
  readonly #plans = new Map<number, CapturedStep>();
  #refused: Int32Array | undefined;
  #running: CapturedStep | undefined;

  constructor(
    learner: Learner,
    loader: DataLoader,
    manners: MannersOptions = {},
    planning: PlanOptions = {},
    microBatches: number | true = 1,
  ) {
    this.#learner = learner;
    this.#loader = loader;
    this.#manners = manners;
    this.#planning = planning;
    this.#microBatches = microBatches;
  }

  /**
   * Records the steps of a whole epoch.
   *
   * @returns why the model cannot be captured, if it cannot
   */
  prepare(): string | undefined {
    const { length } = this.#loader.dataset;
    const { batchSize, dropLast } = this.#loader;
    try {
      if (length >= batchSize) this.#planFor(batchSize);
      if (length % batchSize > 0 && !dropLast) this.#planFor(length % batchSize);
      return undefined;
    } catch (error) {
      this.dispose();
      if (error instanceof ReceptiveError && error.code === 'ERR_CAPTURE') return error.message;
      throw error;
    }
  }

  #planFor(batch: number): CapturedStep {
    const known = this.#plans.get(batch);
    if (known !== undefined) return known;
    const { model, optimizer } = this.#learner;
    optimizer.prepare();
    optimizer.zeroGrad();
    try {
      const plan = inMode(model, true, () => this.#record(batch));
      this.#plans.set(batch, plan);
      return plan;
    } finally {
      optimizer.zeroGrad(); // the gradients of a recording have no values
    }
  }

  #record(batch: number): CapturedStep {
    const specs = { indices: { shape: [batch], dtype: 'int32' } } as const;
    const learner = this.#learner;
    const record = (size: number, parts: BatchParts, planning: PlanOptions) =>
      capturePlan(
        ({ indices }) => ({
          ...trainOn(learner, gatheredRows(this.#loader, indices), batch, size, requireFinite, parts),
        }),
        specs,
        [],
        planning,
      );
    const { batchSize } = this.#loader;
    if (this.#microBatches !== true) this.#partSize = batchSize / this.#microBatches;
    if (this.#partSize !== undefined) return record(this.#partSize, new BatchParts(), this.#planning);
    const divided = recordDivided(batch, true, this.#planning, record);
    this.#partSize = divided.size;
    return divided.plan;
  }

  /** What the buffers of the larger step take. */
  get stepBytes(): number {
    return Math.max(...[...this.#plans.values()].map((plan) => plan.describe().peakBytes));
  }

  /** The images of the step that was refused because its numbers are not finite. */
  get refused(): Int32Array | undefined {
    return this.#refused;
  }

  /** One epoch, or as much of it as the signal lets through. */
  async epoch(options: CapturedEpochOptions): Promise<void> {
    const indices = this.#loader.takeEpoch();
    const { batchSize } = this.#loader;
    const full = Math.floor(indices.length / batchSize);
    const isWhole = await this.#run(batchSize, indices.subarray(0, full * batchSize), 0, options);
    const rest = indices.subarray(full * batchSize);
    if (isWhole && rest.length > 0) await this.#run(rest.length, rest, full, options);
  }

  /** Runs the steps over these indices; false if something ended them. */
  async #run(
    batch: number,
    indices: Int32Array,
    first: number,
    options: CapturedEpochOptions,
  ): Promise<boolean> {
    const steps = indices.length / batch;
    for (let done = 0; done < steps; ) {
      const end = Math.min(steps, done + options.stepsInOneGo());
      done += await this.#runInOneGo(
        batch,
        indices.subarray(done * batch, end * batch),
        first + done,
        options,
      );
      if (!(await options.between())) return false;
    }
    return true;
  }

  /** One native run; returns the steps that were done, fewer where `pause` was called. */
  async #runInOneGo(
    batch: number,
    indices: Int32Array,
    first: number,
    options: CapturedEpochOptions,
  ): Promise<number> {
    const plan = this.#planFor(batch);
    const before = plan.stepsDone;
    this.#running = plan;
    try {
      const { steps } = await plan.run({
        ...this.#manners,
        steps: indices.length / batch,
        streams: { indices },
        signal: options.signal,
        beforeStep: (step) => options.beforeStep(first + step),
        onSteps: (from, end, { loss, correct }) => {
          for (let i = 0; i < end - from; i++) options.onStep(loss[i], correct[i], batch);
          options.onReport();
        },
      });
      return steps;
    } catch (error) {
      const done = plan.stepsDone - before;
      this.#refused = isNotFinite(error) ? indices.slice(done * batch, (done + 1) * batch) : undefined;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends the native run under way after its step, so that `between` comes. */
  pause(): void {
    this.#running?.stop();
  }

  /** Frees the plans. */
  dispose(): void {
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
  }
}
