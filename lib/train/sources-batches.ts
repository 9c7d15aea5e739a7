// SPDX-License-Identifier: Apache-2.0
// Batches that an iterable gives out one by one. While steps run, the next ones are pulled and copied, up to a bound; a slow
// source is waited for without holding the event loop, and never more is asked of it than will be run.
import { describe, fail } from '../errors.js';
import type { CapturedStep, StreamSpecs } from './plan.js';
import { type BatchArrays, type Chunk, type Feed, Staging } from './sources.js';

/** What both feeds know of their iterable. */
export interface BatchSource<Source> {
  readonly iterator: Source;
  readonly plan: CapturedStep;
  readonly specs: StreamSpecs;
  /** Batches that are staged at most, and as many more while they run; 0: one, and none while it runs. */
  readonly prefetch: number;
  /** Batches that the run will take in all, if that is known. */
  readonly steps: number;
}

/** Refuses what an iterator's `next` must not give. */
function checkResult<Result>(result: Result): Result {
  if (typeof result === 'object' && result !== null) return result;
  throw fail('ERR_DATA', {
    op: 'plan',
    expected: 'a source whose next() gives { value, done }',
    received: describe(result),
  });
}

interface Failure {
  readonly error: unknown;
}

/** Pulls batches ahead of the steps that need them. */
export class BatchPump implements Feed<Promise<Chunk | undefined>> {
  readonly #source: BatchSource<Iterator<BatchArrays> | AsyncIterator<BatchArrays>>;
  #filling: Staging;
  #taken: Staging;
  #waiting: (() => void)[] = [];
  #pulled = 0;
  #isPulling = false;
  /** Whether steps are being waited for. */
  #isAsked = false;
  #isClosed = false;
  /** No more will come: the iterator said so or failed, a batch was refused, or enough were pulled. */
  #isOver = false;
  /** Whether the iterator is at its end, so that nobody need tell it. */
  #isExhausted = false;
  #failure: Failure | undefined;

  constructor(source: BatchSource<Iterator<BatchArrays> | AsyncIterator<BatchArrays>>) {
    this.#source = source;
    const capacity = Math.max(1, source.prefetch);
    this.#filling = new Staging(source.specs, capacity);
    this.#taken = new Staging(source.specs, capacity);
    void this.#pump();
  }

  /** Never rejects: what goes wrong is told after the batches that came before it. */
  async #pump(): Promise<void> {
    try {
      while (!this.#isClosed && this.#pulled < this.#source.steps) {
        if (this.#filling.isFull || (this.#source.prefetch === 0 && !this.#isAsked)) {
          await this.#change();
        } else if (!(await this.#pull())) {
          break;
        }
      }
    } catch (error) {
      this.#failure = { error };
      this.#isPulling = false;
    }
    this.#isOver = true;
    this.#tell();
  }

  /** Takes one batch from the iterator; false at its end. */
  async #pull(): Promise<boolean> {
    this.#isPulling = true;
    this.#isExhausted = true; // an iterator that throws has ended itself
    const { value, done } = checkResult(await this.#source.iterator.next());
    this.#isPulling = false;
    if (done === true) return false;
    this.#isExhausted = false;
    if (this.#isClosed) return false;
    const batch = await value;
    this.#filling.add(batch); // the one of now: `next` may have taken another meanwhile
    this.#pulled += 1;
    this.#tell();
    return true;
  }

  async next(limit: number): Promise<Chunk | undefined> {
    this.#isAsked = limit > 0;
    this.#tell();
    while (this.#filling.steps === 0 && !this.#isOver && limit > 0) await this.#change();
    this.#isAsked = false;
    if (this.#filling.steps === 0 || limit <= 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      return undefined;
    }
    const full = this.#filling;
    this.#filling = this.#taken.clear();
    this.#taken = full;
    this.#tell();
    return full.chunk(this.#source.plan);
  }

  ran(): void {}

  /** Ends the iterator early. One that is in the middle of a batch is told, but not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tell();
    if (this.#isExhausted && !this.#isPulling) return;
    const { iterator } = this.#source;
    const ended = Promise.resolve(iterator.return?.());
    if (this.#isPulling) ended.catch(() => {});
    else await ended;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Batches of a synchronous iterable, pulled when they are needed. */
export class BatchesInTurn implements Feed {
  readonly #source: BatchSource<Iterator<BatchArrays>>;
  readonly #staging: Staging;
  #isExhausted = false;
  #failure: Failure | undefined;

  constructor(source: BatchSource<Iterator<BatchArrays>>) {
    this.#source = source;
    this.#staging = new Staging(source.specs, Math.max(1, source.prefetch));
  }

  next(limit: number): Chunk | undefined {
    this.#staging.clear();
    try {
      while (!this.#isExhausted && !this.#staging.isFull && this.#staging.steps < limit) this.#pull();
    } catch (error) {
      this.#failure = { error };
    }
    if (this.#staging.steps > 0) return this.#staging.chunk(this.#source.plan);
    if (this.#failure !== undefined) throw this.#failure.error;
    return undefined;
  }

  #pull(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#isExhausted = true;
    const { value, done } = checkResult(this.#source.iterator.next());
    if (done === true) return;
    this.#isExhausted = false;
    this.#staging.add(value);
  }

  ran(): void {}

  close(): void {
    if (!this.#isExhausted) this.#source.iterator.return?.();
  }
}
