// SPDX-License-Identifier: Apache-2.0
// Epochs of captured steps. The whole step is recorded: gathering the batch, forward, loss, backward, update, metrics. An
// epoch is one native run of full batches, and one step of what is left; the event loop is free meanwhile.
import type { DataLoader } from '../data/loader.js';
import type { PlanOptions } from '../native/addon.js';
import { tensor } from '../tensor/create.js';
import { gatheredRows, type Inputs } from './batch-rows.js';
import type { MannersOptions } from './manners.js';
import { type FailedStep, isNotFinite } from './not-finite.js';
import type { CapturedStep } from './plan.js';
import { RecordedSteps } from './recorded-steps.js';
import type { Learner } from './train-step.js';

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

/** Runs the epochs of a training natively. */
export interface EpochRunner {
  /** Records the steps. @returns why the model cannot be captured, if it cannot */
  prepare(): string | undefined;
  /** What the buffers of the larger step take. */
  readonly stepBytes: number;
  /** One epoch, or as much of it as the signal lets through; false in the second case. */
  epoch(options: CapturedEpochOptions): Promise<boolean>;
  /** The step that was refused because its numbers are not finite. */
  readonly refused: FailedStep | undefined;
  /** Ends the native run under way after its step, so that `between` comes. */
  pause(): void;
  /** What is trained has changed: steps that come are recorded anew. */
  recordAgain(): void;
  /** Frees the plans. */
  dispose(): void;
}

/** The training of a model on a data set. */
export class CapturedTraining implements EpochRunner {
  readonly #learner: Learner;
  readonly #loader: DataLoader;
  readonly #manners: MannersOptions;
  readonly #steps: RecordedSteps;
  #refused: FailedStep | undefined;
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
    const inputs = {
      batchSize: loader.batchSize,
      specs: (batch: number) => ({ indices: { shape: [batch], dtype: 'int32' } }) as const,
      rows: ({ indices }: Inputs) => gatheredRows(loader, indices),
    };
    this.#steps = new RecordedSteps(learner, inputs, planning, microBatches);
  }

  /**
   * Records the steps of a whole epoch.
   *
   * @returns why the model cannot be captured, if it cannot
   */
  prepare(): string | undefined {
    const { length } = this.#loader.dataset;
    const { batchSize, dropLast } = this.#loader;
    const rest = length % batchSize;
    const full = length >= batchSize ? [batchSize] : [];
    return this.#steps.prepare(...full, ...(rest > 0 && !dropLast ? [rest] : []));
  }

  get stepBytes(): number {
    return this.#steps.bytes;
  }

  get refused(): FailedStep | undefined {
    return this.#refused;
  }

  /** One epoch, or as much of it as the signal lets through. */
  async epoch(options: CapturedEpochOptions): Promise<boolean> {
    const indices = this.#loader.takeEpoch();
    const { batchSize } = this.#loader;
    const full = Math.floor(indices.length / batchSize);
    const isWhole = await this.#run(batchSize, indices.subarray(0, full * batchSize), 0, options);
    const rest = indices.subarray(full * batchSize);
    if (!isWhole || rest.length === 0) return isWhole;
    return this.#run(rest.length, rest, full, options);
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
    const plan = this.#steps.of(batch);
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
      const rows = indices.slice(done * batch, (done + 1) * batch);
      this.#refused = isNotFinite(error) ? failedStepOf(this.#learner, this.#loader, rows) : undefined;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  pause(): void {
    this.#running?.stop();
  }

  recordAgain(): void {
    this.#steps.dispose();
  }

  dispose(): void {
    this.#steps.dispose();
  }
}

/** A step on these images of a data set, for its error. */
export function failedStepOf({ model, loss }: Learner, loader: DataLoader, rows: Int32Array): FailedStep {
  return {
    model,
    images: () => loader.imagesAt(tensor(rows)),
    loss: (logits) => {
      const indices = tensor(rows);
      return loss(logits, loader.targetsAt(indices) ?? loader.labelsAt(indices));
    },
    imageAt: (row) => rows[row],
  };
}
