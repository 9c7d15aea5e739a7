// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe and Szegedy 2015): each channel gets mean 0 and variance 1 over batch, height and width,
// then a learnt weight and bias.
import { checkOptions, describe, fail } from '../errors.js';
import { emit, NO_TENSOR } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { refuseInPart } from './batch-part.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

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

const OPTIONS = ['runningMean', 'runningVar', 'training', 'momentum', 'eps'];

function checkColumns(name: string, value: Tensor | null, x: Tensor): void {
  if (value === null) return;
  checkFloat('batchNorm2d', name, value, x);
  const channels = x.shape[3];
  if (value.shape.length === 1 && value.size === channels) return;
  throw fail('ERR_SHAPE', {
    op: 'batchNorm2d',
    expected: `${name} [${channels}], one for each channel of input [${x.shape.join(', ')}]`,
    received: `[${value.shape.join(', ')}]`,
  });
}

function checkNumber(name: string, value: number, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  const expected = high === Infinity ? `${name} of at least ${low}` : `${name} from ${low} to ${high}`;
  throw fail('ERR_ARGUMENT', { op: 'batchNorm2d', expected, received: describe(value) });
}

/** Mean and inverse standard deviation that were used, for backward; whoever asked disposes them. */
interface Normalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly inverseStd: Tensor;
}

function empty(x: Tensor): Normalized {
  const columns = () => Tensor.empty([x.shape[3]], x.dtype);
  return { y: Tensor.empty(x.shape, x.dtype), mean: columns(), inverseStd: columns() };
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
  checkOptions('batchNorm2d', options, OPTIONS);
  const { runningMean = null, runningVar = null, training = false } = options;
  checkColumns('weight', weight, x);
  checkColumns('bias', bias, x);
  checkColumns('runningMean', runningMean, x);
  checkColumns('runningVar', runningVar, x);
  const momentum = checkNumber('momentum', options.momentum ?? 0.1, 0, 1);
  const eps = checkNumber('eps', options.eps ?? 1e-5, 0, Infinity);
  const channels = x.shape[3];
  const rows = x.size / channels;
  if (training && rows === 1) {
    throw fail('ERR_SHAPE', {
      op: 'batchNorm2d',
      expected: 'more than one value per channel while training',
      received: `[${x.shape.join(', ')}]`,
      hint: 'use a larger batch, or eval() for single images',
    });
  }
  if (!training && (runningMean === null || runningVar === null)) {
    throw fail('ERR_ARGUMENT', {
      op: 'batchNorm2d',
      expected: 'runningMean and runningVar unless training',
      received: runningMean === runningVar ? 'neither' : 'one of them',
    });
  }

  if (training) refuseInPart('batchNorm2d', 'normalises with the statistics of the whole batch');

  const { y, mean, inverseStd } = empty(x);
  const outputs = [y, mean, inverseStd];
  if (training) {
    const inputs = [runningMean, runningVar, x, weight, bias];
    compute('batch_norm_forward', outputs, inputs, [rows, channels, eps, momentum]);
  } else {
    compute('batch_norm_eval', outputs, [x, runningMean, runningVar, weight, bias], [rows, channels, eps]);
  }
  const learnt = [weight, bias].filter((parameter) => parameter !== null);
  const saved = weight === null ? [x, mean, inverseStd] : [x, mean, inverseStd, weight];
  record('batchNorm2d', y, [x, ...learnt], saved, (dy, [x, mean, inverseStd, scale], needs) => {
    const needsWeight = weight !== null && needs[1];
    const needsBias = bias !== null && needs[learnt.length];
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needsWeight ? Tensor.empty([channels], x.dtype) : null;
    const dBias = needsBias ? Tensor.empty([channels], x.dtype) : null;
    const gradients = [dx, dWeight, dBias].map((gradient) => gradient?.handle ?? NO_TENSOR);
    const operands = [dy, x, mean, inverseStd].map(({ handle }) => handle);
    emit(
      'batch_norm_backward',
      [...gradients, ...operands, scale?.handle ?? NO_TENSOR],
      [rows, channels, training ? 1 : 0],
    );
    return [dx, ...(weight === null ? [] : [dWeight]), ...(bias === null ? [] : [dBias])];
  });
  mean.dispose(); // the recorded operation holds both, if anyone does
  inverseStd.dispose();
  return y;
}

/** Adds 1 to a counter: int32, one element. It has no gradient. */
export function increment_(counter: Tensor): Tensor {
  emit('increment', [counter.handle]);
  return counter;
}
