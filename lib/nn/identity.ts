// SPDX-License-Identifier: Apache-2.0
// The layer that does nothing: a place holder where a model may or may not have a layer.
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** Returns its input. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
