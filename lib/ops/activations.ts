// SPDX-License-Identifier: Apache-2.0
// Elementwise activations. Each gradient follows from the output alone, so the input need not be kept.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { markPoolWindow, poolWindowOf } from './pool-window.js';
import { record } from './record.js';

function activation(name: 'relu' | 'tanh' | 'sigmoid', x: Tensor): Tensor {
  checkFloat(name, 'input', x);
  const y = Tensor.empty(x.shape, x.dtype);
  compute(`${name}_forward`, [y], [x]);
  return record(name, y, [x], [y], (dy, [y]) => {
    const dx = Tensor.empty(y.shape, y.dtype);
    emit(`${name}_backward`, [dx.handle, dy.handle, y.handle]);
    markPoolWindow(dx, poolWindowOf(dy)); // what was zero stays zero
    return [dx];
  });
}

/** max(x, 0); the gradient at 0 is 0, NaN stays NaN. Any shape. */
export function relu(x: Tensor): Tensor {
  return activation('relu', x);
}

/** The hyperbolic tangent. Any shape. */
export function tanh(x: Tensor): Tensor {
  return activation('tanh', x);
}

/** 1 / (1 + e^-x). Any shape. */
export function sigmoid(x: Tensor): Tensor {
  return activation('sigmoid', x);
}
