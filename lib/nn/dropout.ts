// SPDX-License-Identifier: Apache-2.0
// Dropout as a layer: active while training, the identity in use.
import { checkProbability, dropout } from '../ops/dropout.js';
import {
  checkDepthMode,
  dropout2d,
  type StochasticDepthMode,
  stochasticDepth,
} from '../ops/dropout-groups.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** Zeroes elements with probability p and scales the others by 1 / (1 - p); after `eval()` it changes nothing. */
export class Dropout extends Module {
  readonly p: number;

  /** @param p from 0 to below 1; default 0.5 */
  constructor(p = 0.5) {
    super();
    this.p = checkProbability('Dropout', p);
  }

  override forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? dropout(x, this.p) : x;
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/** Zeroes whole feature maps of samples with probability p and scales the others by 1 / (1 - p); after `eval()` nothing. */
export class Dropout2d extends Module {
  readonly p: number;

  /** @param p from 0 to below 1; default 0.5 */
  constructor(p = 0.5) {
    super();
    this.p = checkProbability('Dropout2d', p);
  }

  override forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? dropout2d(x, this.p) : x;
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * Leaves out what a residual branch adds, with probability p, and else scales it by 1 / (1 - p):
 * `add(x, depth.call(branch.call(x)))`; after `eval()` it changes nothing.
 */
export class StochasticDepth extends Module {
  readonly p: number;
  readonly mode: StochasticDepthMode;

  /**
   * @param p from 0 to below 1
   * @param mode 'row' (default) draws for each sample, 'batch' once for all
   */
  constructor(p: number, mode: StochasticDepthMode = 'row') {
    super();
    this.p = checkProbability('StochasticDepth', p);
    this.mode = checkDepthMode('StochasticDepth', mode);
  }

  override forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? stochasticDepth(x, this.p, this.mode) : x;
  }

  override extraRepr(): string {
    return `p=${this.p}, mode=${this.mode}`;
  }
}
