// SPDX-License-Identifier: Apache-2.0
// Local response normalisation (Krizhevsky, Sutskever and Hinton 2012): each channel is divided by the activity of its
// neighbours: other channels, or other pixels.
import type { BackwardFunction, Reach } from '../autograd/node.js';
import { checkNumber, checkOptions, checkWhole, describe, didYouMean, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank, lastLength } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** Where neighbours are: in the other channels of a pixel, or in the same channel of a square of pixels around it. */
export type ResponseRegion = 'acrossChannels' | 'withinChannel';

const REGIONS: readonly ResponseRegion[] = ['acrossChannels', 'withinChannel'];

/** How strong it is, in PyTorch's terms and with its defaults. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square of the neighbours, at least 0. Default 1e-4. */
  readonly alpha?: number;
  /** Exponent. Default 0.75. */
  readonly beta?: number;
  /** What is added to them, at least 0. Default 1; AlexNet has 2. */
  readonly k?: number;
  /** Which neighbours count. Default 'acrossChannels', PyTorch's only form. */
  readonly region?: ResponseRegion;
}

/** @internal All options; refuses those that are none. */
export function checkResponse(
  op: string,
  size: number,
  options: LocalResponseNormOptions,
): Required<LocalResponseNormOptions> {
  checkOptions(op, options, ['alpha', 'beta', 'k', 'region']);
  const { alpha = 1e-4, beta = 0.75, k = 1, region = 'acrossChannels' } = options;
  checkNumber(op, 'size', checkWhole(op, 'size', size), 1, 2 ** 31 - 1);
  checkNumber(op, 'alpha', alpha, 0);
  checkNumber(op, 'beta', beta);
  checkNumber(op, 'k', k, 0);
  if (REGIONS.includes(region)) return { alpha, beta, k, region };
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `region to be one of ${REGIONS.join(', ')}`,
    received: describe(region),
    hint: didYouMean(region, REGIONS),
  });
}

/**
 * x / (k + alpha / size * sum of the squares of `size` neighbouring channels)^beta: those from c - floor(size / 2) on,
 * where there are any. The sum is divided by the whole size at the edges, too. Note that the paper's alpha is alpha / size.
 *
 * With region 'withinChannel' the neighbours are `size` x `size` pixels of the same channel, and alpha is divided by their
 * number: the `rnorm` of cuda-convnet, and what Caffe calls WITHIN_CHANNEL, with k = 1.
 *
 * Shapes: x [..., c], within channels [n, h, w, c]; result the same.
 *
 * @param options alpha 1e-4, beta 0.75, k 1 and region 'acrossChannels' are the defaults
 *
 * Throws ERR_SHAPE, ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  checkFloat('localResponseNorm', 'input', x);
  const channels = lastLength('localResponseNorm', x);
  const { alpha, beta, k, region } = checkResponse('localResponseNorm', size, options);
  const isWithin = region === 'withinChannel';
  if (isWithin) checkRank('localResponseNorm', 'input', x, '[n, h, w, c]');
  const name = isWithin ? 'map_response_norm' : 'local_response_norm';
  const extent = isWithin ? x.shape : [x.size / channels, channels];
  const numbers = [...extent, size, alpha, beta, k];
  const y = Tensor.empty(x.shape, x.dtype);
  compute(`${name}_forward`, [y], [x], numbers);
  const backward: BackwardFunction = (dy, [x]) => {
    const dx = Tensor.empty(x.shape, x.dtype);
    emit(`${name}_backward`, [dx.handle, dy.handle, x.handle], numbers);
    return [dx];
  };
  return record('localResponseNorm', y, [x], [x], backward, isWithin ? squareOf(size) : undefined);
}

function squareOf(size: number): Reach {
  const before = Math.floor(size / 2);
  const window = { kernelH: size, kernelW: size, strideH: 1, strideW: 1 };
  return { ...window, padTop: before, padLeft: before };
}
