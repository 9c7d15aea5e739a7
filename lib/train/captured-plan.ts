// SPDX-License-Identifier: Apache-2.0
// A plan as users hold it: a recorded step, and runs of it over sources, which can be paused, resumed and aborted between
// two steps.
import { DataLoader } from '../data/loader.js';
import { describe, fail } from '../errors.js';
import type { TypedArray } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { type MannersOptions, mannersOfRun } from './manners.js';
import { explainNotFinite, type FailedStep, isNotFinite } from './not-finite.js';
import type { CapturedStep } from './plan.js';
import { copyOutputs } from './plan-outputs.js';
import { Collected, checkRunOptions, type PlanResult, type RunOptions } from './plan-run.js';
import { PlanSummary } from './plan-summary.js';
import type { RecordedInputs } from './recorded-inputs.js';
import { type BatchArrays, type Chunk, defaultPrefetch, type Feed } from './sources.js';
import { BatchesInTurn, BatchPump } from './sources-batches.js';
import { ArrayFeed, LoaderFeed } from './sources-memory.js';
import { untilAborted } from './until-aborted.js';

/**
 * Where the inputs of steps come from: a `DataLoader`, whose batches are gathered inside the recorded step; typed arrays with
 * the inputs of one step or more; or an iterable, asynchronous or not, of the inputs of one step each. Typed arrays are
 * copied shortly before their steps: during the run they must not be changed.
 */
export type PlanSource = DataLoader | BatchArrays | Iterable<BatchArrays> | AsyncIterable<BatchArrays>;

/** From the inputs of a step to how it is computed again; present where the plan knows its model. */
export type Training = (inputs: () => Readonly<Record<string, Tensor>>) => FailedStep;

/** A recorded step that can be run over and over. Made by `capture`. */
export class Plan {
  readonly #recorded: RecordedInputs;
  readonly #manners: MannersOptions;
  readonly #training: Training | undefined;
  #state: 'idle' | 'running' | 'disposed' = 'idle';
  #stepsDone = 0;
  /** The step that is being replayed. */
  #active: CapturedStep | undefined;
  /** Present while paused: what goes on when `resume` is called. */
  #pause: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #atRest: (() => void)[] = [];

  /** @internal Use `capture`. */
  constructor(recorded: RecordedInputs, manners: MannersOptions, training: Training | undefined) {
    this.#recorded = recorded;
    this.#manners = manners;
    this.#training = training;
  }

  /** Steps done since the plan was made, also in runs that ended with an error. */
  get stepsDone(): number {
    return this.#stepsDone;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get paused(): boolean {
    return this.#pause !== undefined;
  }

  get disposed(): boolean {
    return this.#state === 'disposed';
  }

  /** What was recorded and planned; `String(plan.describe())` is made to be read. Throws ERR_DISPOSED. */
  describe(): PlanSummary {
    this.#checkAlive();
    const { specs, main, microBatches } = this.#recorded;
    return new PlanSummary(specs, main, microBatches);
  }

  /**
   * Runs the step over a source, on threads of the library's own: the event loop is free. Weights, optimizer and random
   * generators move on by the steps that were done, however the run ends.
   *
   * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT for inputs that do not fit, with their name, after the steps before them;
   * ERR_NUMERICS in the first step whose loss or gradients are not finite, which then changed nothing; for a training step,
   * model and loss are called once more, to say where that began; ERR_DATA where an iterable ends before `steps`; ERR_BUSY while another run is on; ERR_DISPOSED; what the source, a
   * callback or a step throws.
   */
  async run(source: PlanSource, options: RunOptions = {}): Promise<PlanResult> {
    const run = this.#begin(options);
    try {
      const { feed, steps } = this.#open(source, options);
      try {
        while (run.done < steps && options.signal?.aborted !== true) {
          const chunk = await untilAborted(feed.next(steps - run.done), options.signal);
          if (chunk === undefined) break;
          await this.#runChunk(chunk, feed, run, steps);
        }
      } catch (error) {
        await Promise.resolve(feed.close()).catch(() => {}); // the first error is the one to be told
        throw error;
      }
      await feed.close();
      return this.#end(run, steps, options);
    } finally {
      this.#state = 'idle';
      this.#rest();
    }
  }

  /**
   * `run` on this thread, holding the event loop until all is done: for scripts. Asynchronous iterables are refused; a signal
   * that is aborted, by `onProgress` for example, ends the run between two stagings.
   */
  runSync(source: Exclude<PlanSource, AsyncIterable<BatchArrays>>, options: RunOptions = {}): PlanResult {
    const run = this.#begin(options);
    try {
      const { feed, steps } = this.#openSync(source, options);
      try {
        while (run.done < steps && options.signal?.aborted !== true) {
          const chunk = feed.next(steps - run.done);
          if (chunk === undefined) break;
          this.#runChunkSync(chunk, feed, run, steps);
        }
      } finally {
        feed.close();
      }
      return this.#end(run, steps, options);
    } finally {
      this.#state = 'idle';
    }
  }

  /**
   * Holds the run, and any that begins, before its next step.
   *
   * @returns when the step under way is done: weights are at rest until `resume`
   */
  pause(): Promise<void> {
    this.#checkAlive();
    if (this.#pause === undefined) {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.#pause = { over, end };
    }
    if (this.#active === undefined) return Promise.resolve();
    this.#active.stop();
    return new Promise((resolve) => this.#atRest.push(resolve));
  }

  /** Lets a paused run go on; does nothing where none is. */
  resume(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }

  /** Frees what was recorded; model and optimizer stay. Throws ERR_BUSY while a run is on. Twice is harmless. */
  dispose(): void {
    if (this.#state === 'running') throw busy();
    this.#state = 'disposed';
    this.resume();
    this.#recorded.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkAlive(): void {
    if (this.#state !== 'disposed') return;
    throw fail('ERR_DISPOSED', { op: 'plan', expected: 'a live plan', received: 'one that was disposed' });
  }

  #begin(options: RunOptions): Run {
    this.#checkAlive();
    if (this.#state === 'running') throw busy();
    checkRunOptions(options);
    mannersOfRun(this.#manners, options);
    this.#state = 'running';
    return new Run(this.#recorded.main.outputs, options);
  }

  #open(source: PlanSource, options: RunOptions): { feed: Feed<Awaitable>; steps: number } {
    const iterator = iteratorOf(source);
    if (iterator === undefined) return this.#openSync(source as DataLoader | BatchArrays, options);
    const steps = options.steps ?? Infinity;
    return { feed: new BatchPump(this.#batches(iterator, steps, options)), steps };
  }

  #openSync(source: Exclude<PlanSource, AsyncIterable<BatchArrays>>, options: RunOptions) {
    const steps = options.steps ?? Infinity;
    if (source instanceof DataLoader) {
      const feed: Feed = new LoaderFeed(source, this.#recorded.gatheringFrom(source));
      return { feed, steps: options.steps ?? source.length - (source.state.batch % source.length) };
    }
    const iterator = iteratorOf(source);
    if (iterator !== undefined && Symbol.asyncIterator in source) {
      throw fail('ERR_ARGUMENT', {
        op: 'runSync',
        expected: 'a DataLoader, typed arrays or a synchronous iterable',
        received: 'an asynchronous iterable',
        hint: 'use run',
      });
    }
    if (iterator !== undefined) {
      const feed: Feed = new BatchesInTurn(this.#batches(iterator as Iterator<BatchArrays>, steps, options));
      return { feed, steps };
    }
    const { specs, given } = this.#recorded;
    const feed = new ArrayFeed(source, given, specs, options.prefetch ?? defaultPrefetch(specs));
    return { feed: feed as Feed, steps: options.steps ?? feed.length };
  }

  #batches<Source>(iterator: Source, steps: number, options: RunOptions) {
    const { specs, given } = this.#recorded;
    const prefetch = Math.min(options.prefetch ?? defaultPrefetch(specs), steps);
    return { iterator, plan: given, specs, prefetch, steps };
  }

  /** Replays the steps of a chunk, with as many pauses as are wanted. */
  async #runChunk(chunk: Chunk, feed: Feed<Awaitable>, run: Run, total: number): Promise<void> {
    const { signal, beforeStep } = run.options;
    let ran = 0;
    while (ran < chunk.steps) {
      if (this.#pause !== undefined) await untilAborted(this.#pause.over, signal);
      if (signal?.aborted === true) return;
      if (this.#pause !== undefined) continue;
      const before = chunk.plan.stepsDone;
      const first = run.done;
      this.#active = chunk.plan;
      try {
        await chunk.plan.run({
          steps: chunk.steps - ran,
          streams: sliceOf(chunk, ran, chunk.steps),
          ...mannersOfRun(this.#manners, run.options),
          signal,
          beforeStep: beforeStep && ((step) => beforeStep(first + step)),
          onSteps: (from, end, outputs) => run.report(first + from, first + end, outputs, total),
        });
      } catch (error) {
        const steps = chunk.plan.stepsDone - before;
        throw this.#explained(error, chunk, ran + steps, first + steps);
      } finally {
        const steps = chunk.plan.stepsDone - before;
        this.#account(steps, feed, run, first);
        ran += steps;
        this.#rest();
      }
    }
  }

  #runChunkSync(chunk: Chunk, feed: Feed, run: Run, total: number): void {
    const { beforeStep } = run.options;
    const before = chunk.plan.stepsDone;
    const first = run.done;
    try {
      const { outputs } = chunk.plan.runSync({
        steps: chunk.steps,
        streams: chunk.streams,
        ...mannersOfRun(this.#manners, run.options),
        beforeStep: beforeStep && ((step) => beforeStep(first + step)),
      });
      run.report(first, first + chunk.steps, outputs, total);
    } catch (error) {
      const steps = chunk.plan.stepsDone - before;
      throw this.#explained(error, chunk, steps, first + steps);
    } finally {
      this.#account(chunk.plan.stepsDone - before, feed, run, first);
    }
  }

  /** An error of step `step` of a chunk, `number` of the run; where numbers were not finite, with where that began. */
  #explained(error: unknown, chunk: Chunk, step: number, number: number): unknown {
    if (!isNotFinite(error)) return error;
    const inputs = () => this.#recorded.inputsOf(chunk.plan, sliceOf(chunk, step, step + 1));
    const where = `step ${number} of this run, counted from 0`;
    return explainNotFinite('plan', error, where, this.#training?.(inputs));
  }

  #account(steps: number, feed: Feed<Awaitable>, run: Run, first: number): void {
    run.done = first + steps;
    this.#stepsDone += steps;
    feed.ran(steps);
  }

  /** Nothing is replayed now: tells those who asked for a pause. */
  #rest(): void {
    this.#active = undefined;
    const waiting = this.#atRest;
    this.#atRest = [];
    for (const resolve of waiting) resolve();
  }

  /** The result; an iterable that ended before the steps that were asked for is refused. */
  #end(run: Run, total: number, { steps, signal }: RunOptions): PlanResult {
    const aborted = signal?.aborted === true && run.done < total;
    if (steps === undefined || aborted || run.done === steps) return run.result(aborted);
    throw fail('ERR_DATA', {
      op: 'plan',
      expected: `a source of ${steps} steps`,
      received: `one that ended after ${run.done}`,
    });
  }
}

type Awaitable = Chunk | undefined | Promise<Chunk | undefined>;

/** Counts and outputs of one run. */
class Run {
  readonly options: RunOptions;
  readonly #collected: Collected;
  readonly #began = performance.now();
  done = 0;

  constructor(specs: CapturedStep['outputs'], options: RunOptions) {
    this.options = options;
    this.#collected = new Collected(specs);
  }

  /** Takes steps `first` to `done` - 1 of the run and their outputs. The callback may do with its copy what it likes. */
  report(first: number, done: number, outputs: PlanResult['outputs'], total: number): void {
    if (this.options.keepOutputs !== false) this.#collected.add(outputs);
    this.options.onProgress?.({
      first,
      done,
      steps: Number.isFinite(total) ? total : undefined,
      outputs: copyOutputs(outputs),
      stepsPerSecond: (1000 * done) / (performance.now() - this.#began),
    });
  }

  result(aborted: boolean): PlanResult {
    const seconds = (performance.now() - this.#began) / 1000;
    return { steps: this.done, aborted, outputs: this.#collected.whole(), seconds };
  }
}

function busy() {
  return fail('ERR_BUSY', {
    op: 'plan',
    expected: 'a plan that is not running',
    received: 'one that is',
    hint: 'await its run first',
  });
}

/** The iterator of an iterable source; nothing for typed arrays and loaders. Refuses what is no object. */
function iteratorOf(source: PlanSource): Iterator<BatchArrays> | AsyncIterator<BatchArrays> | undefined {
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source)) {
    throw fail('ERR_ARGUMENT', {
      op: 'plan',
      expected: 'a DataLoader, typed arrays by input, or an iterable of them',
      received: describe(source),
    });
  }
  if (source instanceof DataLoader) return undefined;
  if (Symbol.asyncIterator in source) {
    return checkIterator((source as AsyncIterable<BatchArrays>)[Symbol.asyncIterator]());
  }
  return Symbol.iterator in source
    ? checkIterator((source as Iterable<BatchArrays>)[Symbol.iterator]())
    : undefined;
}

function checkIterator<Source>(iterator: Source): Source {
  if (typeof (Object(iterator) as { next?: unknown }).next === 'function') return iterator;
  throw fail('ERR_ARGUMENT', {
    op: 'plan',
    expected: 'a source with an iterator, which has next()',
    received: describe(iterator),
  });
}

/** A chunk's inputs of steps `first` to `end` - 1. */
function sliceOf({ steps, streams }: Chunk, first: number, end: number): BatchArrays {
  const slices: Record<string, TypedArray> = {};
  for (const [name, array] of Object.entries(streams)) {
    const size = array.length / steps;
    slices[name] = array.subarray(first * size, end * size);
  }
  return slices;
}
