// SPDX-License-Identifier: Apache-2.0
// The recorded steps of a training, one for each size of batch: full ones, and what is left at the end of an epoch.
import { ReceptiveError } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { BatchParts } from '../ops/batch-part.js';
import type { BatchRows, Inputs } from './batch-rows.js';
import { recordDivided } from './micro-batches.js';
import { type CapturedStep, capturePlan, type StreamSpecs } from './plan.js';
import { inMode } from './slices.js';
import { type Learner, requireFinite, trainOn } from './train-step.js';

/** What a step reads, and what it makes of it. */
export interface StepInputs {
  readonly batchSize: number;
  readonly specs: (batch: number) => StreamSpecs;
  readonly rows: (inputs: Inputs) => BatchRows;
}

/** Records steps when they are asked for, and keeps them. */
export class RecordedSteps {
  readonly #learner: Learner;
  readonly #inputs: StepInputs;
  readonly #planning: PlanOptions;
  readonly #microBatches: number | true;
  /** Samples of a part, once a full batch has been divided. */
  #partSize: number | undefined;
  readonly #plans = new Map<number, CapturedStep>();
  #bytes = 0;

  constructor(learner: Learner, inputs: StepInputs, planning: PlanOptions, microBatches: number | true) {
    this.#learner = learner;
    this.#inputs = inputs;
    this.#planning = planning;
    this.#microBatches = microBatches;
  }

  /** Records steps of these sizes; returns why the model cannot be captured, if it cannot. */
  prepare(...batches: readonly number[]): string | undefined {
    try {
      for (const batch of batches) this.of(batch);
      return undefined;
    } catch (error) {
      this.dispose();
      if (error instanceof ReceptiveError && error.code === 'ERR_CAPTURE') return error.message;
      throw error;
    }
  }

  /** The step of a batch of so many samples. */
  of(batch: number): CapturedStep {
    const known = this.#plans.get(batch);
    if (known !== undefined) return known;
    const { model, optimizer } = this.#learner;
    optimizer.prepare();
    optimizer.zeroGrad();
    try {
      const plan = inMode(model, true, () => this.#record(batch));
      this.#plans.set(batch, plan);
      this.#bytes = Math.max(this.#bytes, plan.describe().peakBytes);
      return plan;
    } finally {
      optimizer.zeroGrad(); // the gradients of a recording have no values
    }
  }

  #record(batch: number): CapturedStep {
    const learner = this.#learner;
    const { specs, rows, batchSize } = this.#inputs;
    const record = (size: number, parts: BatchParts, planning: PlanOptions) =>
      capturePlan(
        (inputs) => ({ ...trainOn(learner, rows(inputs), batch, size, requireFinite, parts) }),
        specs(batch),
        [],
        planning,
      );
    if (this.#microBatches !== true) this.#partSize = batchSize / this.#microBatches;
    if (this.#partSize !== undefined) return record(this.#partSize, new BatchParts(), this.#planning);
    const divided = recordDivided(batch, true, this.#planning, record);
    this.#partSize = divided.size;
    return divided.plan;
  }

  /** What the buffers of the larger step take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frees the plans; a step that is asked for later is recorded anew. */
  dispose(): void {
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
  }
}
