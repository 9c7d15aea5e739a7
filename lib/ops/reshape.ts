// SPDX-License-Identifier: Apache-2.0
// The same elements in another shape: nothing is copied.
import { fail } from '../errors.js';
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './check.js';
import { record } from './record.js';

/** The elements of x, in their row-major order, as another shape of the same size. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor('reshape', 'input', x);
  const checked = checkShape('reshape', shape);
  if (sizeOf(checked) !== x.size) {
    throw fail('ERR_SHAPE', {
      op: 'reshape',
      expected: `a shape of ${x.size} elements, as [${x.shape.join(', ')}] has`,
      received: `[${checked.join(', ')}]`,
    });
  }
  const { shape: before } = x;
  return record('reshape', x.view(checked), [x], [], (grad) => [grad.view(before)]);
}

/** [n, ...rest] as [n, product of the rest]. */
export function flatten(x: Tensor): Tensor {
  checkTensor('flatten', 'input', x);
  if (x.shape.length === 0) {
    throw fail('ERR_SHAPE', { op: 'flatten', expected: 'a tensor of rank 1 or more', received: 'a scalar' });
  }
  return reshape(x, [x.shape[0], x.size / x.shape[0]]);
}
