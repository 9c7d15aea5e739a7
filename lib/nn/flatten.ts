// SPDX-License-Identifier: Apache-2.0
// From feature maps to feature vectors.
import { flatten } from '../ops/reshape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** [n, h, w, c] as [n, h * w * c]. Tell the `Linear` behind it what was flattened, if its weights are to be exchanged. */
export class Flatten extends Module {
  override forward(x: Tensor): Tensor {
    return flatten(x);
  }
}
