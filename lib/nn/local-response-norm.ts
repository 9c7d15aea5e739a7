// SPDX-License-Identifier: Apache-2.0
// Local response normalisation as a layer: options for ops/local-response-norm. It has nothing to learn.
import {
  type LocalResponseNormOptions,
  localResponseNorm,
  responseNumbers,
} from '../ops/local-response-norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/**
 * Divides each channel by the activity of its neighbours: AlexNet's is `new LocalResponseNorm(5, { k: 2 })` with PyTorch's
 * alpha of 1e-4 for the whole window. Shapes: x [..., c]; result the same.
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  /** @param size channels of a window; alpha 1e-4, beta 0.75 and k 1 are the defaults */
  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    [this.size, this.alpha, this.beta, this.k] = responseNumbers('LocalResponseNorm', size, options);
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, { alpha: this.alpha, beta: this.beta, k: this.k });
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${this.alpha}, beta=${this.beta}, k=${this.k}`;
  }
}
