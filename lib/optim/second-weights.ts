// SPDX-License-Identifier: Apache-2.0
// What keeps a second set of a model's weights, which follows the first: EMA and Lookahead.
import { describe, fail } from '../errors.js';
import { checkAtRest, emit, isRecordingNow, noteAdvancing } from '../native/bindings.js';
import { Buffer } from '../nn/buffer.js';
import type { Module } from '../nn/module.js';
import { checkState } from '../nn/state.js';
import type { Tensor } from '../tensor/tensor.js';
import { type OptimizerState, refuseState } from './state.js';

const PREFIX = 'module.';

/** Weights of a model beside its own, moved by `update`, which may be part of a recorded step. */
export abstract class SecondWeights {
  /** The model with these weights in place of its own, in evaluation mode. It goes on changing with each update. */
  readonly model: Module;
  readonly #source: Module;
  readonly #op: string;
  readonly #counter: string;
  #updates = 0;
  #isRecorded = false;

  /**
   * @param op name of the class, for errors
   * @param counter what a saved state calls the number of updates
   * @param model checked by the caller
   */
  constructor(op: string, counter: string, model: Module) {
    this.#op = op;
    this.#counter = counter;
    this.#source = model;
    this.model = model.snapshotNow();
  }

  /** How often `update` was called, replayed steps included. */
  get updates(): number {
    return this.#updates;
  }

  /** @internal Whether they are of this model. */
  isOf(model: Module): boolean {
    return this.#source === model;
  }

  /** Moves the weights of a pair: these and the model's own. */
  protected abstract move(pairs: readonly WeightPair[]): void;

  /** Whether `update` and the like write the model itself. */
  protected readonly writesModel: boolean = false;

  /** After each step of the optimizer. Throws ERR_BUSY, and changes nothing, while a running plan writes the weights. */
  update(): void {
    const isRecording = isRecordingNow();
    if (isRecording) this.#beginRecording();
    this.move(this.pairs());
    if (!isRecording) this.#updates += 1;
  }

  /** All pairs, each of which can be read and written. */
  protected pairs(): WeightPair[] {
    const values = this.#source.stateDict();
    const pairs = [...this.model.stateDict()].flatMap(([name, second]): WeightPair[] => {
      const own = values.get(name);
      return own === undefined ? [] : [{ second, own }];
    });
    checkAtRest(
      this.#op,
      pairs.flatMap(({ second, own }) => (this.writesModel ? [second, own] : [second])),
    );
    for (const own of values.values()) void own.handle; // refuses a disposed one before any of them moves
    return pairs;
  }

  #beginRecording(): void {
    noteAdvancing(this);
    if (!this.#isRecorded) {
      this.#isRecorded = true;
      return;
    }
    throw fail('ERR_CAPTURE', {
      op: 'capture',
      expected: `one call of update() of an ${this.#op} in the step that is recorded`,
      received: 'a second one',
    });
  }

  /** @internal Recorded steps were replayed. */
  advance(steps: number): void {
    this.#updates += steps;
  }

  /** @internal */
  endRecording(): void {
    this.#isRecorded = false;
  }

  /** The weights themselves, not copies, by PyTorch's names, `module.<name>`, and the number of updates. */
  stateDict(): OptimizerState {
    const tensors = [...this.model.stateDict()].map(([name, tensor]) => [PREFIX + name, tensor] as const);
    return { tensors: new Map(tensors), numbers: new Map([[this.#counter, this.#updates]]) };
  }

  /**
   * Goes on from a saved state. Everything is checked before anything is changed. Throws ERR_DATA for names, shapes and numbers
   * that do not fit; ERR_DISPOSED; ERR_BUSY while a running plan writes the weights.
   */
  loadStateDict(state: OptimizerState): void {
    const count = state?.numbers instanceof Map ? state.numbers.get(this.#counter) : undefined;
    const isWhole = Number.isSafeInteger(count) && count >= 0 && state.numbers.size === 1;
    if (!isWhole || !(state.tensors instanceof Map)) {
      throw refuseState(this.#op, `tensors, and ${this.#counter} of at least 0`, describe(count));
    }
    const own = this.model.stateDict();
    const saved = new Map<string, Tensor>();
    for (const [name, tensor] of state.tensors as OptimizerState['tensors']) {
      saved.set(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : `/${name}`, tensor);
    }
    checkState(own, saved, true);
    checkAtRest(this.#op, own.values());
    for (const [name, tensor] of own) {
      const source = saved.get(name) as Tensor;
      if (source !== tensor) emit('copy', [tensor.handle, source.handle]);
    }
    this.#updates = count;
  }

  /** Frees these weights; the model stays. Throws ERR_BUSY while a running plan writes them. */
  dispose(): void {
    this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A weight or a buffer, twice. */
export interface WeightPair {
  readonly second: Tensor;
  readonly own: Tensor;
}

/** Whether it can be averaged: parameters, and buffers of floating numbers where they are to be. */
export function isFollowed({ own }: WeightPair, buffers: boolean): boolean {
  return !(own instanceof Buffer) || (buffers && (own.dtype === 'float32' || own.dtype === 'float64'));
}
