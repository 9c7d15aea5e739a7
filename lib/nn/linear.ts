// SPDX-License-Identifier: Apache-2.0
// The fully connected layer: a weight and a bias for ops/linear.
import { checkBooleans, checkOptions, describe, fail } from '../errors.js';
import { linear } from '../ops/linear.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCount } from './check.js';
import { defaultInit_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How a linear layer is built. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
  /**
   * [h, w, c] of the feature map that was flattened into this layer's input. Files in PyTorch's order need it: there the
   * columns of the weight run over c, h, w; here over h, w, c. It changes nothing else.
   */
  readonly flattenedFrom?: readonly [number, number, number];
}

/**
 * y = x · weightᵀ + bias. Shapes: x [n, inFeatures]; result [n, outFeatures].
 *
 * Weights start as PyTorch's do: uniform in ±1 / sqrt(inFeatures).
 */
export class Linear extends Module {
  /** [outFeatures, inFeatures] */
  readonly weight: Parameter;
  /** [outFeatures] */
  readonly bias: Parameter | null;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly flattenedFrom: readonly [number, number, number] | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions('Linear', options, ['bias', 'flattenedFrom']);
    checkBooleans('Linear', { bias: options.bias });
    this.inFeatures = checkCount('Linear', 'inFeatures', inFeatures);
    this.outFeatures = checkCount('Linear', 'outFeatures', outFeatures);
    this.flattenedFrom = checkFlattened(options.flattenedFrom, inFeatures);
    this.weight = new Parameter([outFeatures, inFeatures]);
    this.bias = (options.bias ?? true) ? new Parameter([outFeatures]) : null;
    defaultInit_(this.weight, this.bias);
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override multiplyAdds([n]: Shape): number {
    return n * this.weight.size;
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.outFeatures}, bias=${this.bias !== null}`;
  }
}

function checkFlattened(shape: LinearOptions['flattenedFrom'], features: number): Linear['flattenedFrom'] {
  if (shape === undefined) return undefined;
  const sizes = Array.isArray(shape) ? shape : [];
  if (sizes.length === 3) {
    const [h, w, c] = sizes.map((size) => checkCount('Linear', 'each part of flattenedFrom', size));
    if (h * w * c === features) return [h, w, c];
  }
  throw fail('ERR_ARGUMENT', {
    op: 'Linear',
    expected: `flattenedFrom [h, w, c] with a product of ${features}, the inFeatures`,
    received: describe(shape),
  });
}
