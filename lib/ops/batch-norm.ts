// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe and Szegedy 2015): each channel gets mean 0 and variance 1 over batch and positions, then a
// learnt weight and bias.
import { isRecomputing } from '../autograd/grad-mode.js';
import { checkNumber, checkOptions, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { refuseInPart } from './batch-part.js';
import { checkColumns, checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { emptyNormalized, recordNormalized } from './normalization.js';

/** How to normalise, in PyTorch's terms and with its defaults. */
export interface BatchNorm2dOptions {
  /** [c]. While training it is moved towards the mean of the batch; otherwise it is what is subtracted. */
  readonly runningMean?: Tensor | null;
  /** [c]. The same for the variance; the batch gives its unbiased one. */
  readonly runningVar?: Tensor | null;
  /** True: statistics of the batch. False (default): running statistics. */
  readonly training?: boolean;
  /** How much of a running statistic the batch replaces, 0 to 1. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** The same for vectors and signals. */
export interface BatchNorm1dOptions extends BatchNorm2dOptions {}

const OPTIONS = ['runningMean', 'runningVar', 'training', 'momentum', 'eps'];

/** Batch normalisation of a tensor whose last dimension are the channels. */
function batchNorm(
  op: string,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  options: BatchNorm2dOptions,
): Tensor {
  checkOptions(op, options, OPTIONS);
  const { runningMean = null, runningVar = null, training = false } = options;
  checkColumns(op, 'weight', weight, x);
  checkColumns(op, 'bias', bias, x);
  checkColumns(op, 'runningMean', runningMean, x);
  checkColumns(op, 'runningVar', runningVar, x);
  const momentum = checkNumber(op, 'momentum', options.momentum ?? 0.1, 0, 1);
  const eps = checkNumber(op, 'eps', options.eps ?? 1e-5, 0);
  const channels = x.shape[x.shape.length - 1];
  const rows = x.size / channels;
  if (training && rows === 1) {
    throw fail('ERR_SHAPE', {
      op,
      expected: 'more than one value per channel while training',
      received: `[${x.shape.join(', ')}]`,
      hint: 'use a larger batch, or eval() for single images',
    });
  }
  if (!training && (runningMean === null || runningVar === null)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'runningMean and runningVar unless training',
      received: runningMean === runningVar ? 'neither' : 'one of them',
    });
  }

  if (training) refuseInPart(op, 'normalises with the statistics of the whole batch');

  const normalized = emptyNormalized(x, [channels]);
  const outputs = [normalized.y, normalized.mean, normalized.inverseStd];
  if (training) {
    // Computed again, a batch does not count for the running statistics a second time.
    const running = isRecomputing() ? [null, null] : [runningMean, runningVar];
    const inputs = [...running, x, weight, bias];
    compute('batch_norm_forward', outputs, inputs, [rows, channels, eps, momentum]);
  } else {
    compute('batch_norm_eval', outputs, [x, runningMean, runningVar, weight, bias], [rows, channels, eps]);
  }
  const numbers = [rows, channels, training ? 1 : 0];
  return recordNormalized(op, 'batch_norm_backward', normalized, [x, weight, bias], numbers);
}

/**
 * `batchNorm2d` of vectors or of signals. Shapes: x [n, c] or [n, l, c]; weight, bias [c] or null; result as x.
 *
 * @param options see `BatchNorm2dOptions`; running statistics are needed unless training
 *
 * Throws ERR_SHAPE for one value per channel while training, which has no variance; ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function batchNorm1d(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  options: BatchNorm1dOptions = {},
): Tensor {
  checkFloat('batchNorm1d', 'input', x);
  if (x.shape.length !== 2 && x.shape.length !== 3) {
    throw fail('ERR_SHAPE', {
      op: 'batchNorm1d',
      expected: 'input of rank 2, [n, c], or 3, [n, l, c]',
      received: `[${x.shape.join(', ')}]`,
      hint: x.shape.length === 4 ? 'batchNorm2d is for images' : undefined,
    });
  }
  return batchNorm('batchNorm1d', x, weight, bias, options);
}

/**
 * y = weight * (x - mean) / sqrt(variance + eps) + bias, channel by channel. While training, mean and (biased) variance
 * are those of the batch, and the running ones are updated in place: running = (1 - momentum) running + momentum batch.
 *
 * Shapes: x [n, h, w, c]; weight, bias [c] or null for ones and zeros; result as x.
 *
 * @param options see `BatchNorm2dOptions`; running statistics are needed unless training
 *
 * Throws ERR_SHAPE for one value per channel while training, which has no variance; ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function batchNorm2d(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  options: BatchNorm2dOptions = {},
): Tensor {
  checkFloat('batchNorm2d', 'input', x);
  checkRank('batchNorm2d', 'input', x, '[n, h, w, c]');
  return batchNorm('batchNorm2d', x, weight, bias, options);
}

/** Adds 1 to a counter: int32, one element. It has no gradient. */
export function increment_(counter: Tensor): Tensor {
  if (!isRecomputing()) emit('increment', [counter.handle]);
  return counter;
}
