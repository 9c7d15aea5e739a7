// SPDX-License-Identifier: Apache-2.0
// Dropout as a layer: active while training, the identity in use.
import { describe, fail } from '../errors.js';
import { dropout } from '../ops/dropout.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** Zeroes elements with probability p and scales the others by 1 / (1 - p); after `eval()` it changes nothing. */
export class Dropout extends Module {
  readonly p: number;

  /** @param p from 0 to below 1; default 0.5 */
  constructor(p = 0.5) {
    super();
    if (!(typeof p === 'number' && p >= 0 && p < 1)) {
      throw fail('ERR_ARGUMENT', { op: 'Dropout', expected: 'p from 0 to below 1', received: describe(p) });
    }
    this.p = p;
  }

  override forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? dropout(x, this.p) : x;
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
