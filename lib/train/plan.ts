// SPDX-License-Identifier: Apache-2.0
// A captured step: recorded once, planned, and replayed natively, many steps a call, on threads of the library's own. The
// event loop is free meanwhile.
import { describe, fail } from '../errors.js';
import type { PlanDescription, ProfiledInstruction } from '../native/addon.js';
import {
  type DType,
  explain,
  free,
  makePlan,
  type NativePlan,
  type PlanOptions,
  record,
  type TypedArray,
} from '../native/bindings.js';
import type { Place } from '../native/place.js';
import type { Advancing, Recording } from '../native/recorder.js';
import type { Varying } from '../native/varying.js';
import { type DrawCount, type Generator, recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { arrayFor, Tensor } from '../tensor/tensor.js';
import { mayHoldThread } from './brief-runs.js';
import type { MannersOptions } from './manners.js';
import { copyOutputs, OutputArrays, type OutputSpec, type StepOutputs } from './plan-outputs.js';

export type { Advancing } from '../native/recorder.js';
export type { OutputSpec, StepOutputs } from './plan-outputs.js';

/** Inputs of a step that each step reads another slice of. */
export type StreamSpecs = Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;

/**
 * What a step computes from its inputs: tensors that are read after each step, by name. It is called once, to be recorded,
 * and cannot look at values.
 */
export type StepFunction = (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;

/** How to run a plan. */
export interface PlanRunOptions extends MannersOptions {
  readonly steps: number;
  /** For each stream, the slices of all steps, one after another. They must not change during the run. */
  readonly streams: Readonly<Record<string, TypedArray>>;
  /** Ends the run after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each step before the run, to set what differs from step to step, such as a learning rate. */
  readonly beforeStep?: ((step: number) => void) | undefined;
  /** Called now and then, in order, with the steps that are done since the last call and copies of their outputs. */
  readonly onSteps?: ((first: number, end: number, outputs: StepOutputs) => void) | undefined;
}

/** How a run ended. */
export interface PlanRunResult {
  /** Steps done. */
  readonly steps: number;
  readonly aborted: boolean;
  readonly outputs: StepOutputs;
}

/** Records one call of `step`. Nothing is computed; a refusal changes nothing. */
export function capturePlan(
  step: StepFunction,
  streams: StreamSpecs,
  advancing: readonly Advancing[] = [],
  options: PlanOptions = {},
): CapturedStep {
  const { result: recorded, draws } = recordDraws(() =>
    record((recording) => tensorScope(() => outputsOf(recording, step, streams))),
  );
  const { recording, result: outputs } = recorded;
  const parts = [...new Set([...advancing, ...recording.advancing])];
  return new CapturedStep(recording, Object.keys(streams), outputs, draws, parts, options);
}

/** Runs the step on inputs without memory and marks what comes in and what goes out. */
function outputsOf(recording: Recording, step: StepFunction, streams: StreamSpecs): OutputSpec[] {
  const inputs: Record<string, Tensor> = {};
  for (const [name, { shape, dtype }] of Object.entries(streams)) {
    inputs[name] = Tensor.empty(checkShape('capture', shape), dtype);
    recording.setRole(inputs[name].handle, 'stream');
  }
  const outputs = checkOutputs(step(inputs)).map(([name, output]) => {
    // An input, a parameter, a constant or another output is handed out as a copy.
    const { handle } = recording.isInternal(output.handle) ? output : output.clone();
    recording.setRole(handle, 'output');
    return { handle, spec: { name, size: output.size, dtype: output.dtype } };
  });
  // Native code hands outputs out in the order in which their buffers were made.
  return outputs.sort((a, b) => a.handle - b.handle).map(({ spec }) => spec);
}

function checkOutputs(outputs: unknown): [string, Tensor][] {
  if (typeof outputs !== 'object' || outputs === null || outputs instanceof Promise) {
    if (outputs instanceof Promise) outputs.catch(() => {});
    throw fail('ERR_CAPTURE', {
      op: 'capture',
      expected: 'a synchronous step that returns { name: tensor }',
      received: describe(outputs),
    });
  }
  return Object.entries(outputs).map(([name, output]): [string, Tensor] => {
    if (output instanceof Tensor && output.size > 0) return [name, output];
    throw fail('ERR_CAPTURE', {
      op: 'capture',
      expected: `output ${name} of the step to be a tensor`,
      received: output instanceof Tensor ? String(output) : describe(output),
    });
  });
}

/** A recorded step and its native plan. */
export class CapturedStep {
  readonly #plan: NativePlan;
  readonly #variables: readonly Varying[];
  readonly #constants: readonly number[];
  readonly #streams: readonly string[];
  /** What the step hands out, in native order. */
  readonly outputs: readonly OutputSpec[];
  readonly #draws: ReadonlyMap<Generator, DrawCount>;
  readonly #advancing: readonly Advancing[];
  readonly #places: readonly Place[];
  #stepsDone = 0;
  /** What a step of the last run took, in ms. */
  #stepTime = Infinity;
  #isDisposed = false;

  /** @internal Use `capturePlan`. */
  constructor(
    recording: Recording,
    streams: readonly string[],
    outputs: readonly OutputSpec[],
    draws: ReadonlyMap<Generator, DrawCount>,
    advancing: readonly Advancing[],
    options: PlanOptions,
  ) {
    const program = recording.encode();
    this.#constants = recording.constants;
    this.#variables = program.variables;
    this.#streams = streams;
    this.outputs = outputs;
    this.#draws = draws;
    this.#advancing = advancing;
    this.#places = recording.places;
    this.#plan = makePlan(program, options);
  }

  /** What the planner found: instructions, and the exact bytes that the step's buffers take. */
  describe(): PlanDescription {
    return this.#plan.describe();
  }

  /** Names of the operations, in the order in which they run. */
  operations(): string[] {
    return this.#plan.operations();
  }

  /** Times the instructions of the steps to come, or not; tells of the last step, empty where it was not timed. */
  profile(timed: boolean): (ProfiledInstruction & Place)[] {
    const nowhere = { layer: '', isBackward: false };
    return this.#plan.profile(timed).map((row) => ({ ...row, ...(this.#places[row.origin] ?? nowhere) }));
  }

  /** Steps that were replayed since the step was recorded. */
  get stepsDone(): number {
    return this.#stepsDone;
  }

  /**
   * Replays the step, on the plan's own thread, or on this one where that takes less time than to hand it over. State that moves with the steps (optimizer, random generators) is moved on at the end, by the steps
   * that were done, also where an error ended the run.
   */
  async run(options: PlanRunOptions): Promise<PlanRunResult> {
    const { steps, signal, onSteps, priority, cpuShare = 1 } = options;
    const yields = signal?.aborted === true || priority === 'background' || cpuShare < 1;
    if (!yields && mayHoldThread(steps * this.#stepTime)) {
      const { failure, ...result } = this.#runHere(options);
      if (result.steps > 0) onSteps?.(0, result.steps, copyOutputs(result.outputs));
      if (failure !== undefined) throw explain('plan', failure);
      return result;
    }
    const table = this.#variableTable(options);
    const outputs = new OutputArrays(this.outputs, steps);
    const stop = () => this.stop();
    let reported = 0;
    const began = performance.now();
    const done = await new Promise<number>((resolve, reject) => {
      let failure: { readonly thrown: unknown } | undefined;
      const report = (done: number) => {
        if (done === reported || failure !== undefined) return;
        const first = reported;
        reported = done;
        try {
          onSteps?.(first, done, outputs.copy(first, done));
        } catch (thrown) {
          failure = { thrown };
          stop();
        }
      };
      const onReport = (done: number, finished: boolean, error?: unknown) => {
        if (finished) {
          this.#stepTime = (performance.now() - began) / done;
          signal?.removeEventListener('abort', stop);
          this.#advance(done);
        }
        report(done);
        if (!finished) return;
        if (failure !== undefined) reject(failure.thrown);
        else if (error !== undefined) reject(explain('plan', error));
        else resolve(done);
      };
      try {
        if (signal?.aborted) return resolve(0);
        const { numbers, arrays } = outputs;
        const streams = this.#orderedStreams(options);
        const { threads = 0 } = options;
        this.#plan.setManners(priority === 'background', cpuShare);
        this.#plan.run(steps, table, streams, numbers, arrays, threads, onReport);
        signal?.addEventListener('abort', stop, { once: true });
      } catch (error) {
        reject(explain('plan', error));
      }
    });
    return { steps: done, aborted: done < steps, outputs: outputs.slice(0, done) };
  }

  /** `run` on this thread, holding the event loop: for scripts and tests. The signal and `onSteps` have no say. */
  runSync(options: PlanRunOptions): PlanRunResult {
    const { failure, ...result } = this.#runHere(options);
    if (failure !== undefined) throw explain('plan', failure);
    return result;
  }

  #runHere(options: PlanRunOptions): PlanRunResult & { readonly failure: unknown } {
    const { steps } = options;
    const table = this.#variableTable(options);
    const outputs = new OutputArrays(this.outputs, steps);
    const { numbers, arrays } = outputs;
    let failure: unknown;
    let done = 0;
    const began = performance.now();
    try {
      const streams = this.#orderedStreams(options);
      this.#plan.runSync(steps, table, streams, numbers, arrays, options.threads ?? 0, (count, _, error) => {
        done = count;
        failure = error;
      });
    } catch (error) {
      throw explain('plan', error);
    }
    this.#stepTime = (performance.now() - began) / done;
    this.#advance(done);
    return { steps: done, aborted: done < steps, outputs: outputs.slice(0, done), failure };
  }

  /** Ends a run after the step that is under way. */
  stop(): void {
    this.#plan.stop();
  }

  #variableTable({ steps, beforeStep }: PlanRunOptions): Float64Array {
    const width = this.#variables.length;
    const table = arrayFor('float64', steps * width) as Float64Array;
    try {
      for (let step = 0; step < steps; step++) {
        beforeStep?.(step);
        for (let v = 0; v < width; v++) table[step * width + v] = this.#variables[v].at(step);
      }
    } catch (error) {
      this.#advance(0); // a schedule that looked ahead, and found its end, is where it was again
      throw error;
    }
    return table;
  }

  #orderedStreams({ streams }: PlanRunOptions): TypedArray[] {
    return this.#streams.map((name) => streams[name]);
  }

  #advance(steps: number): void {
    this.#stepsDone += steps;
    for (const part of this.#advancing) part.advance(steps);
    for (const [generator, { perStep }] of this.#draws) generator.advance(perStep * steps);
  }

  /** Frees the plan's memory. Throws ERR_BUSY while it runs. */
  dispose(): void {
    if (this.#isDisposed) return;
    try {
      this.#plan.dispose();
    } catch (error) {
      throw explain('plan', error);
    }
    this.#isDisposed = true;
    for (const constant of this.#constants) free(constant);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
