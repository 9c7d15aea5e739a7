// SPDX-License-Identifier: Apache-2.0
// Running averages of a model's weights, which often do better than the weights themselves (Polyak and Juditsky 1992).
import { checkBooleans, checkOptions, describe, fail } from '../errors.js';
import { checkAtRest, emit, isRecordingNow, noteAdvancing } from '../native/bindings.js';
import { Varying } from '../native/varying.js';
import { Buffer } from '../nn/buffer.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { checkState } from '../nn/state.js';
import type { Tensor } from '../tensor/tensor.js';
import { type OptimizerState, refuseState } from './state.js';

/** How weights are averaged. */
export interface EMAOptions {
  /** How much of the average stays in each update, from 0 to below 1. Default 0.999. */
  readonly decay?: number | undefined;
  /** Begin with a smaller decay: update n, from 0, has min(decay, (1 + n) / (10 + n)). Default false. */
  readonly warmup?: boolean | undefined;
  /** Average floating buffers too, such as running statistics. Default false: they are those of the model. */
  readonly buffers?: boolean | undefined;
}

const PREFIX = 'module.';

/**
 * average = decay · average + (1 - decay) · weight, for all parameters of a model; the first update copies the weights, as
 * PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` does.
 *
 * Call `update` after each step of the optimizer, also in a step that is recorded. `model` computes with the averages: it can
 * be evaluated, asked for predictions and saved in place of the model itself.
 */
export class EMA {
  /** The model with the averages in place of its weights, in evaluation mode. It goes on changing with each update. */
  readonly model: Module;
  readonly #source: Module;
  readonly #options: Required<{ [Name in keyof EMAOptions]: NonNullable<EMAOptions[Name]> }>;
  #updates = 0;
  #isRecorded = false;

  /** Throws ERR_ARGUMENT for options that are none; ERR_BUSY while a running plan writes the model. */
  constructor(model: Module, options: EMAOptions = {}) {
    checkModel('EMA', model);
    checkOptions('EMA', options, ['decay', 'warmup', 'buffers']);
    const { decay = 0.999, warmup = false, buffers = false } = options;
    checkBooleans('EMA', { warmup, buffers });
    this.#options = { decay: checkDecay('EMA', decay), warmup, buffers };
    this.#source = model;
    this.model = model.snapshotNow();
  }

  /** How often `update` was called, replayed steps included. */
  get updates(): number {
    return this.#updates;
  }

  /** @internal Whether it averages this model. */
  isOf(model: Module): boolean {
    return this.#source === model;
  }

  /** Takes the weights of now into the averages. Throws ERR_BUSY, and changes nothing, while a running plan writes them. */
  update(): void {
    const averages = this.model.stateDict();
    const values = this.#source.stateDict();
    const isRecording = isRecordingNow();
    if (isRecording) this.#beginRecording();
    checkAtRest('EMA', averages.values());
    for (const value of values.values()) void value.handle; // refuses a disposed one before any average moves
    const share = new Varying(this.#share(0), (step) => this.#share(step));
    for (const [name, average] of averages) {
      const value = values.get(name);
      if (value === undefined) continue;
      const handles = [average.handle, value.handle];
      if (this.#isAveraged(average)) emit('ema_update', handles, [share]);
      else emit('copy', handles);
    }
    if (!isRecording) this.#updates += 1;
  }

  #isAveraged(tensor: Tensor): boolean {
    if (!(tensor instanceof Buffer)) return true;
    return this.#options.buffers && (tensor.dtype === 'float32' || tensor.dtype === 'float64');
  }

  /** The share of the weights in the update after `step` more. */
  #share(step: number): number {
    const count = this.#updates + step;
    const { decay, warmup } = this.#options;
    if (count === 0) return 1;
    return 1 - (warmup ? Math.min(decay, (1 + count) / (10 + count)) : decay);
  }

  #beginRecording(): void {
    noteAdvancing(this);
    if (!this.#isRecorded) {
      this.#isRecorded = true;
      return;
    }
    throw fail('ERR_CAPTURE', {
      op: 'capture',
      expected: 'one call of update() of an EMA in the step that is recorded',
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

  /** The averages themselves, not copies, by PyTorch's names, `module.<name>`, and `n_averaged`. */
  stateDict(): OptimizerState {
    const tensors = [...this.model.stateDict()].map(([name, tensor]) => [PREFIX + name, tensor] as const);
    return { tensors: new Map(tensors), numbers: new Map([['n_averaged', this.#updates]]) };
  }

  /**
   * Goes on from a saved state. Everything is checked before anything is changed. Throws ERR_DATA for names, shapes and numbers
   * that do not fit; ERR_DISPOSED; ERR_BUSY while a running plan writes the averages.
   */
  loadStateDict(state: OptimizerState): void {
    const count = state?.numbers instanceof Map ? state.numbers.get('n_averaged') : undefined;
    const isWhole = Number.isSafeInteger(count) && count >= 0 && state.numbers.size === 1;
    if (!isWhole || !(state.tensors instanceof Map)) {
      throw refuseState('EMA', 'tensors, and n_averaged of at least 0', describe(count));
    }
    const own = this.model.stateDict();
    const saved = new Map<string, Tensor>();
    for (const [name, tensor] of state.tensors as OptimizerState['tensors']) {
      saved.set(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : `/${name}`, tensor);
    }
    checkState(own, saved, true);
    checkAtRest('EMA', own.values());
    for (const [name, tensor] of own) {
      const source = saved.get(name) as Tensor;
      if (source !== tensor) emit('copy', [tensor.handle, source.handle]);
    }
    this.#updates = count;
  }

  /** Frees the averages; the model stays. Throws ERR_BUSY while a running plan writes them. */
  dispose(): void {
    this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Refuses anything but a number from 0 to below 1. */
export function checkDecay(op: string, decay: number): number {
  if (decay >= 0 && decay < 1) return decay;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'a decay from 0 to below 1',
    received: describe(decay),
    hint: 'such as 0.999: the average of about the last 1000 steps',
  });
}
