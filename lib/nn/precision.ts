// SPDX-License-Identifier: Apache-2.0
// Parameters and buffers in another precision.
import { emit } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { Buffer } from './buffer.js';
import { Parameter } from './parameter.js';

/** Whether it can be converted. */
export function isFloat({ dtype }: Tensor): boolean {
  return dtype === 'float32' || dtype === 'float64';
}

/** A copy of the same kind; it wants gradients where the other does. */
export function convert(tensor: Parameter | Buffer, dtype: 'float32' | 'float64'): Parameter | Buffer {
  const { shape, requiresGrad } = tensor;
  const other = tensor instanceof Parameter ? new Parameter(shape, dtype) : new Buffer(shape, { dtype });
  emit('cast', [other.handle, tensor.handle]);
  other.requiresGrad = requiresGrad;
  return other;
}
