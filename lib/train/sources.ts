// SPDX-License-Identifier: Apache-2.0
// Where the inputs of a plan's steps come from, and how they are checked and copied: what a source gave may change or be
// transferred the moment after.
import { describe, didYouMean, fail } from '../errors.js';
import type { DType, TypedArray } from '../native/bindings.js';
import { sizeOf } from '../tensor/shape.js';
import { arrayFor, dtypeOfArray } from '../tensor/tensor.js';
import type { CapturedStep, StreamSpecs } from './plan.js';

/** The inputs of one step, or of several one after another: a typed array for each input, in its dtype. */
export type BatchArrays = Readonly<Record<string, TypedArray>>;

/** Steps that are ready to run. */
export interface Chunk {
  readonly plan: CapturedStep;
  readonly steps: number;
  readonly streams: BatchArrays;
}

/** Gives out a source's steps in chunks. A chunk is valid until the next one is asked for. */
export interface Feed<Next = Chunk | undefined> {
  /** The next steps, at most `limit`; nothing where the source has ended. */
  next(limit: number): Next;
  /** Notes that steps of the chunk given last were done. */
  ran(steps: number): void;
  /** Ends the feed; a source that has more to give is told. */
  close(): void | Promise<void>;
}

/** Bytes of staged inputs that are worth one native run; few enough to copy between two turns of the event loop. */
const STAGED_BYTES = 4 * 2 ** 20;
const MIN_PREFETCH = 4;
const MAX_PREFETCH = 256;
const ELEMENT_BYTES: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4, uint8: 1 };

/** How many steps to stage where nobody says: 4 to 256, as many as take about 4 MiB. */
export function defaultPrefetch(specs: StreamSpecs): number {
  const bytes = Object.values(specs).reduce(
    (sum, { shape, dtype }) => sum + sizeOf(shape) * ELEMENT_BYTES[dtype],
    0,
  );
  return Math.min(MAX_PREFETCH, Math.max(MIN_PREFETCH, Math.floor(STAGED_BYTES / Math.max(1, bytes))));
}

/** Refuses what is not an object with a typed array of the right dtype for every input, and nothing else. */
export function checkBatch(specs: StreamSpecs, batch: unknown): asserts batch is BatchArrays {
  const names = Object.keys(specs);
  if (typeof batch !== 'object' || batch === null || ArrayBuffer.isView(batch)) {
    throw fail('ERR_ARGUMENT', {
      op: 'plan',
      expected: `batches as objects with typed arrays ${names.join(', ')}`,
      received: describe(batch),
    });
  }
  const unknown = Object.keys(batch).find((name) => !names.includes(name));
  const missing = names.find((name) => !Object.hasOwn(batch, name));
  if (unknown !== undefined || missing !== undefined) {
    throw fail('ERR_ARGUMENT', {
      op: 'plan',
      expected: `the inputs ${names.join(', ')}`,
      received: missing === undefined ? `also ${unknown}` : `none named ${missing}`,
      hint: unknown === undefined ? undefined : didYouMean(unknown, names),
    });
  }
  for (const name of names) {
    const { dtype } = specs[name];
    const array: unknown = (batch as BatchArrays)[name];
    if (dtypeOfArray(array) === dtype) continue;
    throw fail('ERR_DTYPE', {
      op: 'plan',
      expected: `input ${name} in a ${arrayFor(dtype, 0).constructor.name}`,
      received: describe(array),
    });
  }
}

/** Refuses an input that does not hold `steps` steps exactly. */
export function checkLength(specs: StreamSpecs, name: string, array: TypedArray, steps: number): void {
  const { shape } = specs[name];
  const size = sizeOf(shape);
  if (array.length === size * steps && steps > 0) return;
  throw fail('ERR_SHAPE', {
    op: 'plan',
    expected: `input ${name} to hold ${steps === 1 ? '' : 'whole steps of '}[${shape.join(', ')}], ${size} elements`,
    received: `${array.length} elements`,
    hint: hintFor(array.length, size, shape[0]),
  });
}

function hintFor(length: number, size: number, rows: number): string | undefined {
  if (length === 0) return 'was its buffer transferred (detached)?';
  if (length >= size || length % (size / rows) !== 0) return undefined;
  return 'a plan has one shape: leave a shorter last batch out, or give a DataLoader, which has a step for it';
}

/** Room for the inputs of some steps. */
export class Staging {
  readonly #specs: StreamSpecs;
  readonly #arrays: Record<string, TypedArray> = {};
  readonly capacity: number;
  #steps = 0;

  constructor(specs: StreamSpecs, capacity: number) {
    this.#specs = specs;
    this.capacity = capacity;
    for (const [name, { shape, dtype }] of Object.entries(specs)) {
      this.#arrays[name] = arrayFor(dtype, sizeOf(shape) * capacity);
    }
  }

  get steps(): number {
    return this.#steps;
  }

  get isFull(): boolean {
    return this.#steps === this.capacity;
  }

  clear(): this {
    this.#steps = 0;
    return this;
  }

  /** Copies a batch, after its check; there must be room. */
  add(batch: unknown): void {
    checkBatch(this.#specs, batch);
    for (const name of Object.keys(this.#specs)) checkLength(this.#specs, name, batch[name], 1);
    for (const [name, array] of Object.entries(this.#arrays)) {
      array.set(batch[name], this.#steps * batch[name].length);
    }
    this.#steps += 1;
  }

  /** The steps as a chunk. */
  chunk(plan: CapturedStep): Chunk {
    const streams: Record<string, TypedArray> = {};
    for (const [name, array] of Object.entries(this.#arrays)) {
      streams[name] = array.subarray(0, (array.length / this.capacity) * this.#steps);
    }
    return { plan, steps: this.#steps, streams };
  }
}
