// SPDX-License-Identifier: Apache-2.0
// Lookahead (Zhang, Lucas, Hinton and Ba 2019): weights that follow those of an optimizer slowly, and that it goes on from.
import { checkBooleans, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Varying } from '../native/varying.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { isFollowed, SecondWeights, type WeightPair } from './second-weights.js';

/** How slow weights follow. */
export interface LookaheadOptions {
  /** Steps of the optimizer between two that move the slow weights. Default 5. */
  readonly every?: number | undefined;
  /**
   * How far they go towards the fast ones, from 0 to 1; or a function that says so of the number of updates so far, this one
   * included. Default 0.5.
   */
  readonly alpha?: number | ((updates: number) => number) | undefined;
  /** Let floating buffers follow too, such as running statistics. Default false: those stay the model's. */
  readonly buffers?: boolean | undefined;
}

/**
 * Every so many steps: slow += alpha · (fast - slow), then fast = slow. The fast weights are the model's, which an optimizer moves;
 * the slow ones begin as they do. In between nothing happens.
 *
 * Call `update` after each step of the optimizer, also in a step that is recorded, and `finish` after the last, which gives the model
 * the slow weights.
 */
export class Lookahead extends SecondWeights {
  readonly #every: number;
  readonly #alpha: (updates: number) => number;
  readonly #buffers: boolean;
  protected override readonly writesModel = true;

  /** Throws ERR_ARGUMENT for options that are none; ERR_BUSY while a running plan writes the model. */
  constructor(model: Module, options: LookaheadOptions = {}) {
    checkModel('Lookahead', model);
    checkOptions('Lookahead', options, ['every', 'alpha', 'buffers']);
    const { every = 5, alpha = 0.5, buffers = false } = options;
    checkBooleans('Lookahead', { buffers });
    checkWhole('Lookahead', 'every', every);
    if (typeof alpha !== 'function') checkAlpha(alpha);
    super('Lookahead', 'n_updates', model);
    this.#every = every;
    this.#alpha = typeof alpha === 'function' ? alpha : () => alpha;
    this.#buffers = buffers;
  }

  protected override move(pairs: readonly WeightPair[]): void {
    const follow = varying((step) => this.#share(step));
    const goBack = varying((step) => (this.#isDue(step) ? 1 : 0));
    for (const pair of pairs) {
      const { second, own } = pair;
      if (isFollowed(pair, this.#buffers)) {
        emit('ema_update', [second.handle, own.handle], [follow]); // a share of 0 does nothing, one of 1 copies the bits
        emit('ema_update', [own.handle, second.handle], [goBack]);
      } else {
        emit('copy', [second.handle, own.handle]);
      }
    }
  }

  /** Gives the model the slow weights. Throws ERR_BUSY while a running plan writes them. */
  finish(): void {
    for (const pair of this.pairs()) {
      const [to, from] = isFollowed(pair, this.#buffers) ? [pair.own, pair.second] : [pair.second, pair.own];
      emit('copy', [to.handle, from.handle]);
    }
  }

  /** Whether the update after `step` more moves the slow weights. */
  #isDue(step: number): boolean {
    return (this.updates + step + 1) % this.#every === 0;
  }

  #share(step: number): number {
    return this.#isDue(step) ? checkAlpha(this.#alpha(this.updates + step + 1)) : 0;
  }
}

const varying = (at: (step: number) => number) => new Varying(at(0), at);

/** Refuses anything but a number from 0 to 1. */
function checkAlpha(alpha: number): number {
  if (alpha >= 0 && alpha <= 1) return alpha;
  throw fail('ERR_ARGUMENT', {
    op: 'Lookahead',
    expected: 'alpha from 0 to 1',
    received: describe(alpha),
    hint: 'such as 0.5',
  });
}
