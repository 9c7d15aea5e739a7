// SPDX-License-Identifier: Apache-2.0
// Activations as layers. Any shape goes in, the same comes out.
import { relu, sigmoid, tanh } from '../ops/activations.js';
import { softmax } from '../ops/softmax.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** max(x, 0). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Probabilities over the last dimension. `crossEntropy` wants logits: do not put this before it. */
export class Softmax extends Module {
  override forward(x: Tensor): Tensor {
    return softmax(x);
  }
}
