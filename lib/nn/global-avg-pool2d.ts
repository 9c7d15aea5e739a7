// SPDX-License-Identifier: Apache-2.0
// Global average pooling as a layer.
import { globalAvgPool2d } from '../ops/global-avg-pool.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/**
 * The mean over height and width. Shapes: x [n, h, w, c]; result [n, c], ready for a `Linear`: PyTorch's
 * `AdaptiveAvgPool2d(1)` and the flatten that follows it.
 */
export class GlobalAvgPool2d extends Module {
  override forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}
