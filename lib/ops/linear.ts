// SPDX-License-Identifier: Apache-2.0
// The linear layer, y = x · weightᵀ + bias.
import type { BackwardFunction } from '../autograd/node.js';
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/**
 * Shapes: x [n, in], weight [out, in], bias [out] or null; result [n, out].
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_DISPOSED.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  checkFloat('linear', 'input', x);
  checkRank('linear', 'input', x, '[n, in]');
  checkFloat('linear', 'weight', weight, x);
  checkRank('linear', 'weight', weight, '[out, in]');
  const [rows, features] = x.shape;
  const [out, wanted] = weight.shape;
  if (features !== wanted) {
    throw fail('ERR_SHAPE', {
      op: 'linear',
      expected: `input [n, ${wanted}] to match weight [${out}, ${wanted}]`,
      received: `[${x.shape.join(', ')}]`,
      hint: 'after convolutions the number of features is h * w * c of the last feature map',
    });
  }
  if (bias !== null) {
    checkFloat('linear', 'bias', bias, x);
    if (bias.shape.length !== 1 || bias.size !== out) {
      throw fail('ERR_SHAPE', {
        op: 'linear',
        expected: `bias [${out}] to match weight [${out}, ${wanted}]`,
        received: `[${bias.shape.join(', ')}]`,
      });
    }
  }
  const numbers = [rows, features, out];
  const y = Tensor.empty([rows, out], x.dtype);
  compute('linear_forward', [y], [x, weight, bias], numbers);
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  const backward: BackwardFunction = (dy, [x, weight], needs) => {
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needs[1] ? Tensor.empty(weight.shape, x.dtype) : null;
    const dBias = needs[2] ? Tensor.empty([out], x.dtype) : null;
    if (dx !== null) emit('linear_grad_input', [dx.handle, dy.handle, weight.handle], numbers);
    if (dWeight !== null) emit('linear_grad_weight', [dWeight.handle, dy.handle, x.handle], numbers);
    if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [rows, out]);
    return [dx, dWeight, dBias];
  };
  return record('linear', y, inputs, [x, weight], backward, 'all');
}
