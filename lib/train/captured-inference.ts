// SPDX-License-Identifier: Apache-2.0
// Forward passes over rows of a data set in native memory, captured: one recorded step for full batches, one for what is
// left, without gradients. The event loop is free meanwhile.
import { noGrad } from '../autograd/grad-mode.js';
import { ReceptiveError } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';
import type { MannersOptions } from './manners.js';
import { type CapturedStep, capturePlan, type StepOutputs } from './plan.js';
import { inMode } from './slices.js';

/** What is computed of some rows: int32 [b], where they lie in the data set. */
export type RowsFunction = (rows: Tensor) => Readonly<Record<string, Tensor>>;

/** Takes the outputs of some batches in a row: the first of their rows, as counted in the pass, and rows a batch. */
export type TakeOutputs = (first: number, batch: number, outputs: StepOutputs) => void;

/** One pass over rows. It is recorded when it is made; if that is not possible, `notCaptured` says why. */
export class CapturedPass {
  readonly notCaptured: string | undefined;
  readonly #rows: Int32Array;
  readonly #batchSize: number;
  readonly #plans = new Map<number, CapturedStep>();

  /** @param training the mode that the model is in; default: evaluation mode */
  constructor(
    model: Module,
    rows: Int32Array,
    batchSize: number,
    planning: PlanOptions,
    body: RowsFunction,
    training = false,
  ) {
    this.#rows = rows;
    this.#batchSize = batchSize;
    try {
      for (const size of new Set(this.#parts().map(({ batch }) => batch))) {
        const streams = { rows: { shape: [size], dtype: 'int32' } } as const;
        const record = () => capturePlan(({ rows }) => body(rows), streams, [], planning);
        this.#plans.set(
          size,
          inMode(model, training, () => noGrad(record)),
        );
      }
    } catch (error) {
      this.dispose();
      if (!(error instanceof ReceptiveError) || error.code !== 'ERR_CAPTURE') throw error;
      this.notCaptured = error.message;
    }
  }

  /** Full batches, and the last one where it is shorter. */
  #parts(): { readonly first: number; readonly end: number; readonly batch: number }[] {
    const { length } = this.#rows;
    const full = length - (length % this.#batchSize);
    return [
      { first: 0, end: full, batch: this.#batchSize },
      { first: full, end: length, batch: length - full },
    ].filter(({ first, end }) => end > first);
  }

  /**
   * Runs the pass.
   *
   * @param inOneGo batches between two calls of `take`; default: as many as there are of one size
   * @returns the rows that were done, which are fewer than all if the signal ended it
   */
  async run(
    signal: AbortSignal | undefined,
    take: TakeOutputs,
    manners: MannersOptions,
    inOneGo = Infinity,
  ): Promise<number> {
    let done = 0;
    for (const { first, end, batch } of this.#parts()) {
      const plan = this.#plans.get(batch) as CapturedStep;
      for (let from = first; from < end; from += inOneGo * batch) {
        const rows = this.#rows.subarray(from, Math.min(end, from + inOneGo * batch));
        const steps = rows.length / batch;
        const result = await plan.run({ ...manners, steps, streams: { rows }, signal });
        take(from, batch, result.outputs);
        done += result.steps * batch;
        if (result.aborted) return done;
      }
    }
    return done;
  }

  /** Frees what was recorded. */
  dispose(): void {
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
