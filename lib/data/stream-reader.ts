// SPDX-License-Identifier: Apache-2.0
// Reads rows from the items of a stream, whatever their sizes, epoch after epoch, and asks for an item only when its rows are
// needed.
import { describe, fail } from '../errors.js';
import { type ItemForm, type Rows, rowsOfItem, StreamDataset, type StreamSource } from './stream.js';

type Iterating = Iterator<unknown> | AsyncIterator<unknown>;

/** Where rows are copied to. */
export interface RowsTarget {
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
}

/** A stream that is being read. */
export class StreamReader {
  readonly #source: StreamSource;
  readonly #name: string;
  /** Whether an epoch goes on where the one before it ended. */
  readonly #goesOn: boolean;
  #iterator: Iterating | undefined;
  /** An item that was looked at, and not taken. */
  #peeked: { readonly item: unknown } | undefined;
  #held: Rows | undefined;
  /** Rows of it that were given out. */
  #at = 0;
  #epoch = 0;
  /** Samples of the epoch that came so far. */
  #samples = 0;
  #isPulling = false;
  /** Whether the source has ended in this epoch. */
  #isOver = false;

  constructor(stream: StreamDataset | StreamSource) {
    const isDescribed = stream instanceof StreamDataset;
    this.#source = isDescribed ? stream.source : stream;
    this.#name = isDescribed ? stream.name : 'the stream';
    this.#goesOn = isDescribed && stream.length !== undefined;
  }

  /** The first item of the first epoch; it stays to be read. Throws ERR_DATA where there is none, and what the source throws. */
  async peek(): Promise<unknown> {
    const next = await this.#next();
    if (next === undefined) throw this.nothing();
    this.#peeked = next;
    return next.item;
  }

  /** Begins an epoch, the first being 0. */
  startEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#samples = 0;
    this.#isOver = false;
  }

  /** Copies up to `count` rows; returns how many there were before the source ended. */
  async take(form: ItemForm, { images, labels }: RowsTarget, count: number): Promise<number> {
    const size = images.length / labels.length;
    let done = 0;
    while (done < count) {
      this.#held ??= await this.#pull(form);
      if (this.#held === undefined) break;
      const end = Math.min(this.#held.labels.length, this.#at + count - done);
      images.set(this.#held.images.subarray(this.#at * size, end * size), done * size);
      for (let row = this.#at; row < end; row++) labels[done + row - this.#at] = this.#held.labels[row];
      done += end - this.#at;
      this.#at = end;
      if (end === this.#held.labels.length) this.#held = undefined;
    }
    return done;
  }

  async #pull(form: ItemForm): Promise<Rows | undefined> {
    const next = this.#peeked ?? (await this.#next());
    this.#peeked = undefined;
    if (next === undefined) return undefined;
    const rows = rowsOfItem(
      next.item,
      form,
      `sample ${this.#samples} of epoch ${this.#epoch + 1} of ${this.#name}`,
    );
    this.#samples += rows.labels.length;
    this.#at = 0;
    return rows;
  }

  async #next(): Promise<{ readonly item: unknown } | undefined> {
    if (this.#isOver) return undefined;
    const isOld = this.#iterator !== undefined;
    this.#iterator ??= await this.#open();
    const next = await this.#nextOf(this.#iterator);
    const mayReopen = this.#goesOn && isOld && this.#samples === 0 && this.#epoch > 0;
    if (next !== undefined || !mayReopen) return next;
    this.#isOver = false;
    this.#iterator = await this.#open();
    return this.#nextOf(this.#iterator);
  }

  async #nextOf(iterator: Iterating): Promise<{ readonly item: unknown } | undefined> {
    this.#isPulling = true;
    try {
      const result: unknown = await iterator.next();
      if (typeof result !== 'object' || result === null) {
        const expected = 'a source whose next() gives { value, done }';
        throw fail('ERR_DATA', { op: 'fit', expected, received: describe(result) });
      }
      const { value, done } = result as IteratorResult<unknown>;
      if (done === true) {
        this.#iterator = undefined;
        this.#isOver = true;
      }
      return done === true ? undefined : { item: await value };
    } catch (error) {
      this.#iterator = undefined; // one that throws has ended itself
      this.#isOver = true;
      throw error;
    } finally {
      this.#isPulling = false;
    }
  }

  async #open(): Promise<Iterating> {
    const source: unknown =
      typeof this.#source === 'function' ? await this.#source(this.#epoch) : this.#source;
    const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = Object(
      source,
    ) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    const iterator = asynchronous?.call(source) ?? synchronous?.call(source);
    if (typeof Object(iterator).next === 'function') return iterator as Iterating;
    throw fail('ERR_ARGUMENT', {
      op: 'fit',
      expected: 'a source that is an iterable, whose iterator has next()',
      received: describe(source),
    });
  }

  /** The error of an epoch without samples. */
  nothing() {
    return fail('ERR_DATA', {
      op: 'fit',
      expected: `samples in epoch ${this.#epoch + 1} of ${this.#name}`,
      received: 'none',
      hint:
        this.#epoch === 0
          ? undefined
          : 'a stream is read once: give a function that opens it for each epoch, or train for one epoch',
    });
  }

  /** Tells a source that has not ended. One that is in the middle of an item is told, but not waited for. */
  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    if (iterator === undefined) return;
    const ended = Promise.resolve(iterator.return?.());
    if (this.#isPulling) ended.catch(() => {});
    else await ended;
  }
}
