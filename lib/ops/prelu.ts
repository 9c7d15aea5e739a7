// SPDX-License-Identifier: Apache-2.0
// PReLU (He et al. 2015): a leaky ReLU whose slope is learnt.
import { fail } from '../errors.js';
import { emit, NO_TENSOR } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/**
 * x above 0, weight * x elsewhere; the gradient at 0 is the weight.
 *
 * Shapes: x [..., c]; weight [1], or [c] for a slope for each channel; result as x.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_DISPOSED.
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkFloat('prelu', 'input', x);
  checkFloat('prelu', 'weight', weight, x);
  const channels = x.shape.at(-1) ?? 1;
  if (weight.shape.length !== 1 || (weight.size !== 1 && weight.size !== channels)) {
    throw fail('ERR_SHAPE', {
      op: 'prelu',
      expected: `weight [1] or [${channels}], one for each channel of input [${x.shape.join(', ')}]`,
      received: `[${weight.shape.join(', ')}]`,
    });
  }
  const numbers = [x.size / channels, channels];
  const y = Tensor.empty(x.shape, x.dtype);
  compute('prelu_forward', [y], [x, weight], numbers);
  return record('prelu', y, [x, weight], [x, weight], (dy, [x, weight], needs) => {
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needs[1] ? Tensor.empty(weight.shape, x.dtype) : null;
    const gradients = [dx, dWeight].map((gradient) => gradient?.handle ?? NO_TENSOR);
    emit('prelu_backward', [...gradients, dy.handle, x.handle, weight.handle], numbers);
    return [dx, dWeight];
  });
}
