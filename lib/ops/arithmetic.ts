// SPDX-License-Identifier: Apache-2.0
// Elementwise sums and products of tensors of one shape, and conversion between element types.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkSameShape, checkTensor } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** a + b, elementwise. Both have one shape. */
export function add(a: Tensor, b: Tensor): Tensor {
  checkFloat('add', 'a', a);
  checkFloat('add', 'b', b, a);
  checkSameShape('add', a, b);
  const sum = Tensor.empty(a.shape, a.dtype);
  compute('add', [sum], [a, b]);
  return record('add', sum, [a, b], [], (grad) => [grad, grad]);
}

/** a * b, elementwise. Both have one shape. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  checkFloat('multiply', 'a', a);
  checkFloat('multiply', 'b', b, a);
  checkSameShape('multiply', a, b);
  const product = Tensor.empty(a.shape, a.dtype);
  compute('multiply', [product], [a, b]);
  return record('multiply', product, [a, b], [a, b], (grad, [a, b], needs) => {
    const times = (other: Tensor) => {
      const result = Tensor.empty(grad.shape, grad.dtype);
      emit('multiply', [result.handle, grad.handle, other.handle]);
      return result;
    };
    return [needs[0] ? times(b) : null, needs[1] ? times(a) : null];
  });
}

/** x * factor, for a number. */
export function scale(x: Tensor, factor: number): Tensor {
  checkFloat('scale', 'input', x);
  if (typeof factor !== 'number') {
    throw fail('ERR_ARGUMENT', {
      op: 'scale',
      expected: 'factor to be a number',
      received: describe(factor),
      hint: 'multiply(a, b) is for two tensors',
    });
  }
  const scaled = Tensor.empty(x.shape, x.dtype);
  compute('scale', [scaled], [x], [factor]);
  return record('scale', scaled, [x], [], (grad) => {
    const dx = Tensor.empty(grad.shape, grad.dtype);
    emit('scale', [dx.handle, grad.handle], [factor]);
    return [dx];
  });
}

/**
 * The same numbers as float32 or float64. Gradients pass through in the type of the input. float64 tensors run on the
 * reference kernels: exact, and slow.
 */
export function cast(x: Tensor, dtype: 'float32' | 'float64'): Tensor {
  checkTensor('cast', 'input', x);
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw fail('ERR_DTYPE', { op: 'cast', expected: "'float32' or 'float64'", received: describe(dtype) });
  }
  const from = x.dtype;
  const converted = Tensor.empty(x.shape, dtype);
  compute('cast', [converted], [x]);
  return record('cast', converted, [x], [], (grad) => {
    const dx = Tensor.empty(grad.shape, from);
    emit('cast', [dx.handle, grad.handle]);
    return [dx];
  });
}
