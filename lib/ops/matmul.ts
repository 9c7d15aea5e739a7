// SPDX-License-Identifier: Apache-2.0
// The matrix product of two matrices.
import type { BackwardFunction } from '../autograd/node.js';
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/**
 * Shapes: a [m, k], b [k, n]; result [m, n].
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_DISPOSED.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkFloat('matmul', 'a', a);
  checkRank('matmul', 'a', a, '[m, k]');
  checkFloat('matmul', 'b', b, a);
  checkRank('matmul', 'b', b, '[k, n]');
  const [m, k] = a.shape;
  const n = b.shape[1];
  if (b.shape[0] !== k) {
    throw fail('ERR_SHAPE', {
      op: 'matmul',
      expected: `b [${k}, n] to match a [${m}, ${k}]`,
      received: `[${b.shape.join(', ')}]`,
    });
  }
  const c = Tensor.empty([m, n], a.dtype);
  compute('matmul', [c], [a, b], [m, n, k, 0, 0]);
  const backward: BackwardFunction = (dc, [a, b], needs) => {
    const da = needs[0] ? Tensor.empty(a.shape, a.dtype) : null;
    const db = needs[1] ? Tensor.empty(b.shape, b.dtype) : null;
    if (da !== null) emit('matmul', [da.handle, dc.handle, b.handle], [m, k, n, 0, 1]); // dc · bᵀ
    if (db !== null) emit('matmul', [db.handle, a.handle, dc.handle], [k, n, m, 1, 0]); // aᵀ · dc
    return [da, db];
  };
  return record('matmul', c, [a, b], [a, b], backward, 'all');
}
