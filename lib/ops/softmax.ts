// SPDX-License-Identifier: Apache-2.0
// Softmax over the last dimension.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** e^x / sum of e^x over the last dimension. Shapes: x [..., classes]; result the same. */
export function softmax(x: Tensor): Tensor {
  checkFloat('softmax', 'input', x);
  const classes = x.shape.at(-1);
  if (classes === undefined) {
    throw fail('ERR_SHAPE', { op: 'softmax', expected: 'a tensor of rank 1 or more', received: 'a scalar' });
  }
  const numbers = [x.size / classes, classes];
  const y = Tensor.empty(x.shape, x.dtype);
  compute('softmax_forward', [y], [x], numbers);
  return record('softmax', y, [x], [y], (dy, [y]) => {
    const dx = Tensor.empty(y.shape, y.dtype);
    emit('softmax_backward', [dx.handle, dy.handle, y.handle], numbers);
    return [dx];
  });
}
