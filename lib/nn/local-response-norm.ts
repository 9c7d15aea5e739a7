// SPDX-License-Identifier: Apache-2.0
// Local response normalisation as a layer: options for ops/local-response-norm. It has nothing to learn.
import {
  checkResponse,
  type LocalResponseNormOptions,
  localResponseNorm,
  type ResponseRegion,
} from '../ops/local-response-norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/**
 * Divides each channel by the activity of its neighbours: AlexNet's is `new LocalResponseNorm(5, { k: 2 })` with PyTorch's
 * alpha of 1e-4 for the whole window. With region 'withinChannel' each pixel by that of the pixels around it. Shapes: x
 * [..., c], within channels [n, h, w, c]; result the same.
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
  readonly region: ResponseRegion;

  /**
   * @param size channels of a window, or pixels of its side
   * @param options alpha 1e-4, beta 0.75, k 1 and region 'acrossChannels' are the defaults
   */
  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    const { alpha, beta, k, region } = checkResponse('LocalResponseNorm', size, options);
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
    this.region = region;
  }

  override forward(x: Tensor): Tensor {
    const { size, alpha, beta, k, region } = this;
    return localResponseNorm(x, size, { alpha, beta, k, region });
  }

  override extraRepr(): string {
    const region = this.region === 'acrossChannels' ? '' : `, region=${this.region}`;
    return `${this.size}, alpha=${this.alpha}, beta=${this.beta}, k=${this.k}${region}`;
  }
}
