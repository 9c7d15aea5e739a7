// SPDX-License-Identifier: Apache-2.0
// Group normalisation (Wu and He 2018): each sample gets mean 0 and variance 1 in each group of its channels, whatever
// the rest of the batch is, then a learnt weight and bias.
import { checkNumber, checkOptions, checkWhole, fail } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkColumns, checkFloat } from './check.js';
import { compute } from './compute.js';
import { emptyNormalized, recordNormalized } from './normalization.js';

/** How to normalise. */
export interface NormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** @internal Refuses channels that do not make up whole groups. */
export function checkGroups(op: string, numGroups: number, channels: number): void {
  checkWhole(op, 'numGroups', numGroups);
  if (channels % numGroups === 0) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `numGroups that divides ${channels} channels`,
    received: String(numGroups),
  });
}

/**
 * y = weight * (x - mean) / sqrt(variance + eps) + bias, with mean and (biased) variance over the positions and channels of
 * a group, sample by sample. Group g has the channels from g c / numGroups on.
 *
 * Shapes: x [n, …, c]; weight, bias [c] or null for ones and zeros; result as x.
 *
 * @param numGroups divides c; 1 normalises whole samples, c each channel
 * @param options eps 1e-5 is the default
 *
 * Throws ERR_SHAPE, ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: NormOptions = {},
): Tensor {
  checkFloat('groupNorm', 'input', x);
  if (x.shape.length < 2) {
    throw fail('ERR_SHAPE', {
      op: 'groupNorm',
      expected: 'input of rank 2 or more, [n, …, c]',
      received: `[${x.shape.join(', ')}]`,
    });
  }
  checkOptions('groupNorm', options, ['eps']);
  const eps = checkNumber('groupNorm', 'eps', options.eps ?? 1e-5, 0);
  const samples = x.shape[0];
  const channels = x.shape[x.shape.length - 1];
  checkGroups('groupNorm', numGroups, channels);
  checkColumns('groupNorm', 'weight', weight, x);
  checkColumns('groupNorm', 'bias', bias, x);
  const numbers = [samples, x.size / samples / channels, numGroups, channels / numGroups];
  const normalized = emptyNormalized(x, [samples, numGroups]);
  const { y, mean, inverseStd } = normalized;
  compute('group_norm_forward', [y, mean, inverseStd], [x, weight, bias], [...numbers, eps]);
  return recordNormalized('groupNorm', 'group_norm_backward', normalized, [x, weight, bias], numbers);
}
