// SPDX-License-Identifier: Apache-2.0
// Group normalisation as a layer: weight and bias for ops/group-norm.
import { checkBooleans, checkNumber, checkOptions } from '../errors.js';
import { checkGroups, groupNorm } from '../ops/group-norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCount } from './check.js';
import { constant_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How a group normalisation layer is built. */
export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight and a bias to learn, for each channel. Default true. */
  readonly affine?: boolean;
}

/**
 * Gives each group of channels of each sample mean 0 and variance 1, then a learnt weight (at first 1) and bias (at first
 * 0): the same while training and in use, for any batch size. Shapes: x [n, …, c]; result the same.
 */
export class GroupNorm extends Module {
  /** [numChannels] */
  readonly weight: Parameter | null;
  /** [numChannels] */
  readonly bias: Parameter | null;
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;

  /** @param numGroups divides numChannels; eps 1e-5 and affine true are the defaults */
  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    checkOptions('GroupNorm', options, ['eps', 'affine']);
    const { eps = 1e-5, affine = true } = options;
    checkBooleans('GroupNorm', { affine });
    this.numChannels = checkCount('GroupNorm', 'numChannels', numChannels);
    checkGroups('GroupNorm', numGroups, numChannels);
    this.numGroups = numGroups;
    this.eps = checkNumber('GroupNorm', 'eps', eps, 0);
    this.weight = affine ? new Parameter([numChannels]) : null;
    this.bias = affine ? new Parameter([numChannels]) : null;
    if (this.weight !== null) constant_(this.weight, 1);
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    const parts = [`${this.numGroups}`, `${this.numChannels}`, `eps=${this.eps}`];
    if (this.weight === null) parts.push('affine=false');
    return parts.join(', ');
  }
}
