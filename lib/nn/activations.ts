// SPDX-License-Identifier: Apache-2.0
// Activations as layers. Any shape goes in, the same comes out.
import { checkNumber } from '../errors.js';
import {
  elu,
  type GeluOptions,
  gelu,
  geluInstruction,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  type SoftplusOptions,
  sigmoid,
  silu,
  softplus,
  softplusNumbers,
  tanh,
} from '../ops/activations.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** x above 0, alpha (e^x - 1) elsewhere. */
export class ELU extends Module {
  readonly alpha: number;

  /** @param alpha default 1 */
  constructor(alpha = 1) {
    super();
    this.alpha = checkNumber('ELU', 'alpha', alpha);
  }

  override forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/** x times the share of the normal distribution below x. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  /** @param options approximate 'none' is the default; 'tanh' is cheaper and a little off */
  constructor(options: GeluOptions = {}) {
    super();
    this.approximate = geluInstruction('GELU', options) === 'gelu' ? 'none' : 'tanh';
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** x min(max(x + 3, 0), 6) / 6. */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** x above 0, negativeSlope * x elsewhere. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  /** @param negativeSlope default 0.01 */
  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = checkNumber('LeakyReLU', 'negativeSlope', negativeSlope);
  }

  override forward(x: Tensor): Tensor {
    return leakyRelu(x, this.negativeSlope);
  }

  override extraRepr(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/** The logarithm of `Softmax`, over the last dimension. */
export class LogSoftmax extends Module {
  override forward(x: Tensor): Tensor {
    return logSoftmax(x);
  }
}

/** max(x, 0). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** x sigmoid(x). */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** Probabilities over the last dimension. `crossEntropy` wants logits: do not put this before it. */
export class Softmax extends Module {
  override forward(x: Tensor): Tensor {
    return softmax(x);
  }
}

/** log(1 + e^(beta x)) / beta, a smooth ReLU; x itself where beta x > threshold. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  /** @param options beta 1 and threshold 20 are the defaults */
  constructor(options: SoftplusOptions = {}) {
    super();
    [this.beta, this.threshold] = softplusNumbers('Softplus', options);
  }

  override forward(x: Tensor): Tensor {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}
