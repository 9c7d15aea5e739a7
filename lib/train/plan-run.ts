// SPDX-License-Identifier: Apache-2.0
// One run of a captured plan over a source: what it may be told, what it tells, and what comes out.
import { checkBooleans, checkListeners, checkOptions, checkWhole } from '../errors.js';
import type { TypedArray } from '../native/bindings.js';
import { arrayFor } from '../tensor/tensor.js';
import type { MannersOptions } from './manners.js';
import type { OutputSpec, StepOutputs } from './plan-outputs.js';

/** How to run a plan over a source. */
export interface RunOptions extends MannersOptions {
  /**
   * Steps to run. Default: what typed arrays hold, one epoch of a `DataLoader`, an iterable to its end. Typed arrays begin
   * again and loaders go on with the next epoch where there are more; an iterable that ends earlier is an error.
   */
  readonly steps?: number | undefined;
  /** Ends the run after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Now and then, in order, with the steps that were done since the last call. */
  readonly onProgress?: ((progress: PlanProgress) => void) | undefined;
  /**
   * Called before each step, counted from the run's first, to set what differs from step to step, such as a learning rate.
   * It is called some steps ahead; after a pause, once more for the steps that were not done.
   */
  readonly beforeStep?: ((step: number) => void) | undefined;
  /**
   * Steps staged for one native run of an iterable or of typed arrays; of an iterable, as many more are pulled meanwhile. 0
   * stages one, and pulls the next when its step is done. Default: 4 to 256, about 4 MiB. Results do not depend on it.
   */
  readonly prefetch?: number | undefined;
  /** Keep the outputs of all steps for the result. Default true. */
  readonly keepOutputs?: boolean | undefined;
}

/** How far a run is. */
export interface PlanProgress {
  /** The first of the steps that this report is about; the first of the run is 0. */
  readonly first: number;
  /** Steps done. */
  readonly done: number;
  /** Steps there will be, where that is known. */
  readonly steps: number | undefined;
  /** Of steps `first` to `done` - 1. */
  readonly outputs: StepOutputs;
  readonly stepsPerSecond: number;
}

/** How a run ended. */
export interface PlanResult {
  /** Steps done. */
  readonly steps: number;
  /** True if the signal ended the run. */
  readonly aborted: boolean;
  /** Of all steps; empty where `keepOutputs` is false. */
  readonly outputs: StepOutputs;
  readonly seconds: number;
}

const KNOWN_OPTIONS: readonly (keyof RunOptions)[] = [
  ...(['steps', 'signal', 'onProgress', 'beforeStep', 'prefetch', 'keepOutputs'] as const),
  ...(['threads', 'priority', 'cpuShare'] as const),
];

/** Refuses options that are no sizes, no signal, no functions. */
export function checkRunOptions(options: RunOptions): void {
  checkOptions('plan', options, KNOWN_OPTIONS);
  const { steps, prefetch, signal, onProgress, beforeStep, keepOutputs } = options;
  checkBooleans('plan', { keepOutputs });
  checkListeners('plan', signal, { onProgress, beforeStep });
  for (const [name, value, least] of [
    ['steps', steps, 1],
    ['prefetch', prefetch, 0],
  ] as const) {
    if (value !== undefined) checkWhole('plan', name, value, least);
  }
}

/** Joins the outputs of consecutive steps. */
export class Collected {
  readonly #specs: readonly OutputSpec[];
  readonly #parts: StepOutputs[] = [];

  constructor(specs: readonly OutputSpec[]) {
    this.#specs = specs;
  }

  add(outputs: StepOutputs): void {
    this.#parts.push(outputs);
  }

  whole(): StepOutputs {
    const columns: Record<string, TypedArray> = {};
    for (const { name, size, dtype } of this.#specs) {
      const parts = this.#parts.map((part) => part[name]);
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      const column = arrayFor(size > 1 ? dtype : 'float64', length);
      let first = 0;
      for (const part of parts) {
        column.set(part, first);
        first += part.length;
      }
      columns[name] = column;
    }
    return columns;
  }
}
