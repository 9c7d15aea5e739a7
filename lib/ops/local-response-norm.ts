// SPDX-License-Identifier: Apache-2.0
// Local response normalisation (Krizhevsky, Sutskever and Hinton 2012): each channel is divided by the activity of its
// neighbours.
import { checkNumber, checkOptions, checkWhole } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, lastLength } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** How strong it is, in PyTorch's terms and with its defaults. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square of the neighbours, at least 0. Default 1e-4. */
  readonly alpha?: number;
  /** Exponent. Default 0.75. */
  readonly beta?: number;
  /** What is added to them, at least 0. Default 1; AlexNet has 2. */
  readonly k?: number;
}

/** @internal Size, alpha, beta and k; refuses options that are none. */
export function responseNumbers(
  op: string,
  size: number,
  options: LocalResponseNormOptions,
): [size: number, alpha: number, beta: number, k: number] {
  checkOptions(op, options, ['alpha', 'beta', 'k']);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  return [
    checkNumber(op, 'size', checkWhole(op, 'size', size), 1, 2 ** 31 - 1),
    checkNumber(op, 'alpha', alpha, 0),
    checkNumber(op, 'beta', beta),
    checkNumber(op, 'k', k, 0),
  ];
}

/**
 * x / (k + alpha / size * sum of the squares of `size` neighbouring channels)^beta: those from c - floor(size / 2) on,
 * where there are any. The sum is divided by the whole size at the edges, too. Note that the paper's alpha is alpha / size.
 *
 * Shapes: x [..., c]; result the same.
 *
 * @param options alpha 1e-4, beta 0.75 and k 1 are the defaults
 *
 * Throws ERR_SHAPE, ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  checkFloat('localResponseNorm', 'input', x);
  const channels = lastLength('localResponseNorm', x);
  const numbers = [x.size / channels, channels, ...responseNumbers('localResponseNorm', size, options)];
  const y = Tensor.empty(x.shape, x.dtype);
  compute('local_response_norm_forward', [y], [x], numbers);
  return record('localResponseNorm', y, [x], [x], (dy, [x]) => {
    const dx = Tensor.empty(x.shape, x.dtype);
    emit('local_response_norm_backward', [dx.handle, dy.handle, x.handle], numbers);
    return [dx];
  });
}
