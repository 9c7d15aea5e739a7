// SPDX-License-Identifier: Apache-2.0
// Layer normalisation as a layer: weight and bias for ops/layer-norm.
import { checkBooleans, checkNumber, checkOptions } from '../errors.js';
import { checkNormalizedShape, layerNorm } from '../ops/layer-norm.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { constant_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How a layer normalisation layer is built. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight and a bias to learn, for each element of the normalised shape. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias, where there is a weight. Default true. */
  readonly bias?: boolean;
}

/**
 * Gives the last dimensions mean 0 and variance 1, then a learnt weight (at first 1) and bias (at first 0): the same while
 * training and in use. Shapes: x [..., ...normalizedShape]; result the same.
 *
 * Files in PyTorch's order hold the last dimension, the channels, first: [c, h, w].
 */
export class LayerNorm extends Module {
  /** normalizedShape */
  readonly weight: Parameter | null;
  /** normalizedShape */
  readonly bias: Parameter | null;
  readonly normalizedShape: Shape;
  readonly eps: number;

  /** @param normalizedShape a number is one dimension; eps 1e-5, elementwiseAffine and bias true are the defaults */
  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    checkOptions('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias']);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    checkBooleans('LayerNorm', { elementwiseAffine, bias });
    this.normalizedShape = checkNormalizedShape('LayerNorm', normalizedShape);
    this.eps = checkNumber('LayerNorm', 'eps', eps, 0);
    this.weight = elementwiseAffine ? new Parameter(this.normalizedShape) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(this.normalizedShape) : null;
    if (this.weight !== null) constant_(this.weight, 1);
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    const parts = [`[${this.normalizedShape.join(', ')}]`, `eps=${this.eps}`];
    if (this.weight === null) parts.push('elementwiseAffine=false');
    else if (this.bias === null) parts.push('bias=false');
    return parts.join(', ');
  }
}
