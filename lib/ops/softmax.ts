// SPDX-License-Identifier: Apache-2.0
// Softmax over the last dimension, and its logarithm.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, lastLength } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

function overLast(op: string, instruction: 'softmax' | 'log_softmax', x: Tensor): Tensor {
  checkFloat(op, 'input', x);
  const classes = lastLength(op, x);
  const numbers = [x.size / classes, classes];
  const y = Tensor.empty(x.shape, x.dtype);
  compute(`${instruction}_forward`, [y], [x], numbers);
  return record(op, y, [x], [y], (dy, [y]) => {
    const dx = Tensor.empty(y.shape, y.dtype);
    emit(`${instruction}_backward`, [dx.handle, dy.handle, y.handle], numbers);
    return [dx];
  });
}

/**
 * e^x / sum of e^x over the last dimension. Shapes: x [..., classes]; result the same. -Infinity is a class of probability
 * 0; +Infinity, NaN, or nothing but -Infinity makes a row NaN.
 */
export function softmax(x: Tensor): Tensor {
  return overLast('softmax', 'softmax', x);
}

/**
 * The logarithm of `softmax`, x - log(sum of e^x) over the last dimension: exact where probabilities are too small for
 * floats. Shapes: x [..., classes]; result the same.
 */
export function logSoftmax(x: Tensor): Tensor {
  return overLast('logSoftmax', 'log_softmax', x);
}
