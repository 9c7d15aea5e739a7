// SPDX-License-Identifier: Apache-2.0
// Sums over all elements, in an order that depends on the size only.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

function total(op: string, x: Tensor, factor: number): Tensor {
  checkFloat(op, 'input', x);
  const result = Tensor.empty([], x.dtype);
  compute('sum', [result], [x], [factor]);
  const { shape } = x;
  return record(op, result, [x], [], (grad) => {
    const dx = Tensor.empty(shape, grad.dtype);
    emit('fill', [dx.handle], [factor]);
    emit('scale_by', [dx.handle, dx.handle, grad.handle]);
    return [dx];
  });
}

/** The sum of all elements, a scalar. */
export function sum(x: Tensor): Tensor {
  return total('sum', x, 1);
}

/** The mean of all elements, a scalar. */
export function mean(x: Tensor): Tensor {
  checkFloat('mean', 'input', x);
  return total('mean', x, 1 / x.size);
}
