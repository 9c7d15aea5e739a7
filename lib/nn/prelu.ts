// SPDX-License-Identifier: Apache-2.0
// PReLU as a layer: the slope for ops/prelu.
import { checkNumber, checkOptions } from '../errors.js';
import { prelu } from '../ops/prelu.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCount } from './check.js';
import { constant_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How the slopes begin. */
export interface PReLUOptions {
  /** Every slope at first. Default 0.25. */
  readonly init?: number;
}

/**
 * x above 0, weight * x elsewhere: one slope, or one for each channel. Shapes: x [..., c]; result the same. Keep weight decay
 * away from it, as its authors do.
 */
export class PReLU extends Module {
  /** [numParameters] */
  readonly weight: Parameter;
  readonly numParameters: number;

  /** @param numParameters 1, the default, or the number of channels; init 0.25 is the default */
  constructor(numParameters = 1, options: PReLUOptions = {}) {
    super();
    checkOptions('PReLU', options, ['init']);
    this.numParameters = checkCount('PReLU', 'numParameters', numParameters);
    const init = checkNumber('PReLU', 'init', options.init ?? 0.25);
    this.weight = new Parameter([numParameters]);
    constant_(this.weight, init);
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `numParameters=${this.numParameters}`;
  }
}
