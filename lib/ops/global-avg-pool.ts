// SPDX-License-Identifier: Apache-2.0
// The mean of all pixels, channel by channel: what stands between the last feature map and the classifier.
import type { BackwardFunction } from '../autograd/node.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/**
 * The mean over height and width: PyTorch's `adaptive_avg_pool2d(x, 1)`, flattened.
 *
 * Shapes: x [n, h, w, c]; result [n, c].
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  checkFloat('globalAvgPool2d', 'input', x);
  checkRank('globalAvgPool2d', 'input', x, '[n, h, w, c]');
  const { shape } = x;
  const [n, h, w, c] = shape;
  const y = Tensor.empty([n, c], x.dtype);
  compute('global_avg_pool_forward', [y], [x], [n, h * w, c]);
  const backward: BackwardFunction = (dy) => {
    const dx = Tensor.empty(shape, dy.dtype);
    emit('global_avg_pool_backward', [dx.handle, dy.handle], [n, h * w, c]);
    return [dx];
  };
  return record('globalAvgPool2d', y, [x], [], backward, 'all');
}
