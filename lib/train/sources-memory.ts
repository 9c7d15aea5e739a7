// SPDX-License-Identifier: Apache-2.0
// Steps from what lies in memory: typed arrays with the inputs of many steps, and data sets that the step itself gathers
// its batches from.
import type { DataLoader, LoaderState } from '../data/loader.js';
import type { TypedArray } from '../native/bindings.js';
import { sizeOf } from '../tensor/shape.js';
import type { CapturedStep, StreamSpecs } from './plan.js';
import { type BatchArrays, type Chunk, checkBatch, checkLength, type Feed, Staging } from './sources.js';

/** Typed arrays with some steps' inputs, from the beginning again where more steps are asked for. */
export class ArrayFeed implements Feed {
  /** Steps that the arrays hold. */
  readonly length: number;
  readonly #arrays: BatchArrays;
  readonly #plan: CapturedStep;
  readonly #specs: StreamSpecs;
  readonly #staging: Staging;
  #next = 0;

  constructor(arrays: unknown, plan: CapturedStep, specs: StreamSpecs, prefetch: number) {
    checkBatch(specs, arrays);
    const [name] = Object.keys(specs);
    this.length = name === undefined ? 1 : Math.floor(arrays[name].length / sizeOf(specs[name].shape));
    for (const name of Object.keys(specs)) checkLength(specs, name, arrays[name], this.length);
    this.#arrays = { ...arrays };
    this.#plan = plan;
    this.#specs = specs;
    this.#staging = new Staging(specs, Math.min(Math.max(1, prefetch), this.length));
  }

  next(limit: number): Chunk | undefined {
    if (limit <= 0) return undefined;
    this.#staging.clear();
    const count = Math.min(limit, this.#staging.capacity);
    for (let i = 0; i < count; i++) this.#staging.add(this.#step(this.#next + i));
    return this.#staging.chunk(this.#plan);
  }

  ran(steps: number): void {
    this.#next = (this.#next + steps) % this.length;
  }

  /** The inputs of a step; an array that was transferred meanwhile has none, and is refused as too short. */
  #step(step: number): BatchArrays {
    const slices: Record<string, TypedArray> = {};
    for (const [name, array] of Object.entries(this.#arrays)) {
      checkLength(this.#specs, name, array, this.length);
      const size = sizeOf(this.#specs[name].shape);
      const first = (step % this.length) * size;
      slices[name] = array.subarray(first, first + size);
    }
    return slices;
  }

  close(): void {}
}

/** Steps of one native run over a data set: their numbers are tables, and the table of a long run would take its time. */
const MAX_STEPS_AT_ONCE = 1024;

/** A data set's batches, epoch after epoch, gathered inside the recorded step: what goes in are indices alone. */
export class LoaderFeed implements Feed {
  readonly #loader: DataLoader;
  readonly #planFor: (batch: number) => CapturedStep;
  #indices: Int32Array = new Int32Array();
  /** Where the epoch under way began. */
  #start: LoaderState = { epoch: 0, batch: 0 };
  /** Batches of it that are done. */
  #batches = 0;

  constructor(loader: DataLoader, planFor: (batch: number) => CapturedStep) {
    this.#loader = loader;
    this.#planFor = planFor;
  }

  next(limit: number): Chunk | undefined {
    if (limit <= 0) return undefined;
    const { batchSize } = this.#loader;
    if (this.#batches * batchSize >= this.#indices.length) this.#nextEpoch();
    const rest = this.#indices.subarray(this.#batches * batchSize);
    const full = Math.min(limit, MAX_STEPS_AT_ONCE, Math.floor(rest.length / batchSize));
    const batch = full > 0 ? batchSize : rest.length;
    const steps = Math.max(full, 1);
    return { plan: this.#planFor(batch), steps, streams: { indices: rest.subarray(0, steps * batch) } };
  }

  #nextEpoch(): void {
    const { epoch } = this.#loader;
    this.#indices = this.#loader.takeEpoch();
    this.#batches = 0;
    const batches = Math.ceil(this.#indices.length / this.#loader.batchSize);
    this.#start = { epoch, batch: this.#loader.length - batches };
    if (batches === 0) this.#nextEpoch(); // the position was the end of an epoch
  }

  ran(steps: number): void {
    this.#batches += steps;
  }

  /** Leaves the loader where the steps ended: at the next epoch, or within one. */
  close(): void {
    const { epoch, batch } = this.#start;
    const isWhole = this.#batches * this.#loader.batchSize >= this.#indices.length;
    if (!isWhole) this.#loader.state = { epoch, batch: batch + this.#batches };
  }
}
