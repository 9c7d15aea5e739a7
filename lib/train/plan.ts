// SPDX-License-Identifier: Apache-2.0
// A captured step: recorded once, planned, and replayed natively, many steps a call, on threads of the library's own. The
// event loop is free meanwhile.
import { fail } from '../errors.js';
import type { PlanDescription } from '../native/addon.js';
import {
  type DType,
  explain,
  free,
  makePlan,
  type NativePlan,
  record,
  type TypedArray,
} from '../native/bindings.js';
import type { Recording } from '../native/recorder.js';
import type { Varying } from '../native/varying.js';
import { type DrawCount, type Generator, recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** Inputs of a step that each step reads another slice of. */
export type StreamSpecs = Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;

/** What a step computes from its inputs: numbers (tensors with one element) that are read after each step. */
export type StepFunction = (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;

/** What state a replay moves on, besides the tensors that the step writes. */
export interface Advancing {
  /** @internal */
  advance(steps: number): void;
}

/** How to run a plan. */
export interface PlanRunOptions {
  readonly steps: number;
  /** For each stream, the slices of all steps, one after another. They must not change during the run. */
  readonly streams: Readonly<Record<string, TypedArray>>;
  /** Threads that compute. Default: as many as the process uses. */
  readonly threads?: number | undefined;
  /** Ends the run after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each step before the run, to set what differs from step to step, such as a learning rate. */
  readonly beforeStep?: ((step: number) => void) | undefined;
  /** Called now and then, in order, with the steps that are done since the last call. */
  readonly onSteps?: ((first: number, end: number, outputs: StepOutputs) => void) | undefined;
}

/** The numbers that came out, by step: a column for each output. */
export type StepOutputs = Readonly<Record<string, Float64Array>>;

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
): CapturedStep {
  const { result: recorded, draws } = recordDraws(() =>
    record((recording) => tensorScope(() => outputsOf(recording, step, streams))),
  );
  return new CapturedStep(recorded.recording, Object.keys(streams), recorded.result, draws, advancing);
}

/** Runs the step on inputs without memory and marks what comes in and what goes out; the names of the outputs. */
function outputsOf(recording: Recording, step: StepFunction, streams: StreamSpecs): string[] {
  const inputs: Record<string, Tensor> = {};
  for (const [name, { shape, dtype }] of Object.entries(streams)) {
    inputs[name] = Tensor.empty(checkShape('capture', shape), dtype);
    recording.setRole(inputs[name].handle, 'stream');
  }
  const outputs = step(inputs);
  for (const [name, output] of Object.entries(outputs)) {
    if (!(output instanceof Tensor) || output.size !== 1) {
      throw fail('ERR_CAPTURE', {
        op: 'capture',
        expected: `output ${name} of the step to be a tensor with one element`,
        received: String(output),
      });
    }
    recording.setRole(output.handle, 'output');
  }
  // Native code hands outputs out in the order in which their buffers were made.
  return Object.entries(outputs)
    .sort(([, a], [, b]) => a.handle - b.handle)
    .map(([name]) => name);
}

/** A recorded step and its native plan. */
export class CapturedStep {
  readonly #plan: NativePlan;
  readonly #variables: readonly Varying[];
  readonly #constants: readonly number[];
  readonly #streams: readonly string[];
  readonly #outputs: readonly string[];
  readonly #draws: ReadonlyMap<Generator, DrawCount>;
  readonly #advancing: readonly Advancing[];
  #isDisposed = false;

  /** @internal Use `capturePlan`. */
  constructor(
    recording: Recording,
    streams: readonly string[],
    outputs: readonly string[],
    draws: ReadonlyMap<Generator, DrawCount>,
    advancing: readonly Advancing[],
  ) {
    const program = recording.encode();
    this.#constants = recording.constants;
    this.#variables = program.variables;
    this.#streams = streams;
    this.#outputs = outputs;
    this.#draws = draws;
    this.#advancing = advancing;
    this.#plan = makePlan(program);
  }

  /** What the planner found: instructions, and the exact bytes that the step's buffers take. */
  describe(): PlanDescription {
    return this.#plan.describe();
  }

  /** Replays the step. State that moves with the steps (optimizer, random generators) is moved on at the end. */
  async run(options: PlanRunOptions): Promise<PlanRunResult> {
    const { steps, signal, onSteps } = options;
    const table = this.#variableTable(options);
    const outputs = new Float64Array(steps * this.#outputs.length);
    const stop = () => this.#plan.stop();
    let reported = 0;
    const report = (done: number) => {
      if (done > reported) onSteps?.(reported, done, this.#columns(outputs, done));
      reported = done;
    };
    const done = await new Promise<number>((resolve, reject) => {
      let failure: unknown;
      const onReport = (done: number, finished: boolean, error?: unknown) => {
        try {
          report(done);
        } catch (thrown) {
          failure ??= { thrown };
          stop();
        }
        if (!finished) return;
        signal?.removeEventListener('abort', stop);
        this.#advance(done);
        if (failure !== undefined) reject((failure as { thrown: unknown }).thrown);
        else if (error !== undefined) reject(explain('plan', error));
        else resolve(done);
      };
      try {
        const streams = this.#orderedStreams(options);
        if (signal?.aborted) return resolve(0);
        this.#plan.run(steps, table, streams, outputs, options.threads ?? 0, onReport);
        signal?.addEventListener('abort', stop, { once: true });
      } catch (error) {
        reject(explain('plan', error));
      }
    });
    return { steps: done, aborted: done < steps, outputs: this.#columns(outputs, done) };
  }

  /** `run` on this thread, holding the event loop: for scripts and tests. */
  runSync(options: PlanRunOptions): PlanRunResult {
    const { steps } = options;
    const table = this.#variableTable(options);
    const outputs = new Float64Array(steps * this.#outputs.length);
    let done: number;
    try {
      done = this.#plan.runSync(steps, table, this.#orderedStreams(options), outputs, options.threads ?? 0);
    } catch (error) {
      throw explain('plan', error);
    }
    this.#advance(done);
    return { steps: done, aborted: done < steps, outputs: this.#columns(outputs, done) };
  }

  #variableTable({ steps, beforeStep }: PlanRunOptions): Float64Array {
    const width = this.#variables.length;
    const table = new Float64Array(steps * width);
    for (let step = 0; step < steps; step++) {
      beforeStep?.(step);
      for (let v = 0; v < width; v++) table[step * width + v] = this.#variables[v].at(step);
    }
    return table;
  }

  #orderedStreams({ streams }: PlanRunOptions): TypedArray[] {
    return this.#streams.map((name) => streams[name]);
  }

  /** Views, one for each output: native code writes them one after another. */
  #columns(outputs: Float64Array, done: number): StepOutputs {
    const steps = outputs.length / this.#outputs.length;
    const column = (index: number) => outputs.subarray(index * steps, index * steps + done);
    return Object.fromEntries(this.#outputs.map((name, index) => [name, column(index)]));
  }

  #advance(steps: number): void {
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
