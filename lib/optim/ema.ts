// SPDX-License-Identifier: Apache-2.0
// Running averages of a model's weights, which often do better than the weights themselves (Polyak and Juditsky 1992).
import { checkBooleans, checkOptions, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Varying } from '../native/varying.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { isFollowed, SecondWeights, type WeightPair } from './second-weights.js';

/** How weights are averaged. */
export interface EMAOptions {
  /** How much of the average stays in each update, from 0 to below 1. Default 0.999. */
  readonly decay?: number | undefined;
  /** Begin with a smaller decay: update n, from 0, has min(decay, (1 + n) / (10 + n)). Default false. */
  readonly warmup?: boolean | undefined;
  /** Average floating buffers too, such as running statistics. Default false: they are those of the model. */
  readonly buffers?: boolean | undefined;
}

/**
 * average = decay · average + (1 - decay) · weight, for all parameters of a model; the first update copies the weights, as
 * PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` does.
 *
 * Call `update` after each step of the optimizer, also in a step that is recorded. `model` computes with the averages: it can
 * be evaluated, asked for predictions and saved in place of the model itself.
 */
export class EMA extends SecondWeights {
  readonly #options: Required<{ [Name in keyof EMAOptions]: NonNullable<EMAOptions[Name]> }>;

  /** Throws ERR_ARGUMENT for options that are none; ERR_BUSY while a running plan writes the model. */
  constructor(model: Module, options: EMAOptions = {}) {
    checkModel('EMA', model);
    checkOptions('EMA', options, ['decay', 'warmup', 'buffers']);
    const { decay = 0.999, warmup = false, buffers = false } = options;
    checkBooleans('EMA', { warmup, buffers });
    checkDecay('EMA', decay);
    super('EMA', 'n_averaged', model);
    this.#options = { decay, warmup, buffers };
  }

  protected override move(pairs: readonly WeightPair[]): void {
    const share = new Varying(this.#share(0), (step) => this.#share(step));
    for (const pair of pairs) {
      const handles = [pair.second.handle, pair.own.handle];
      if (isFollowed(pair, this.#options.buffers)) emit('ema_update', handles, [share]);
      else emit('copy', handles);
    }
  }

  /** The share of the weights in the update after `step` more. */
  #share(step: number): number {
    const count = this.updates + step;
    const { decay, warmup } = this.#options;
    if (count === 0) return 1;
    return 1 - (warmup ? Math.min(decay, (1 + count) / (10 + count)) : decay);
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
