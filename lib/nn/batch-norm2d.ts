// SPDX-License-Identifier: Apache-2.0
// The batch normalisation layer: weight, bias and running statistics for ops/batch-norm.
import { checkOptions, describe, fail } from '../errors.js';
import { batchNorm2d, increment_ } from '../ops/batch-norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { Buffer } from './buffer.js';
import { checkCount } from './check.js';
import { constant_ } from './init.js';
import { Module, type Slot } from './module.js';
import { Parameter } from './parameter.js';

/** How a batch normalisation layer is built. */
export interface BatchNorm2dOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** How much of a running statistic each batch replaces, 0 to 1. Default 0.1. */
  readonly momentum?: number;
  /** Whether there are a weight and a bias to learn. Default true. */
  readonly affine?: boolean;
  /** Whether running statistics are kept. Default true; without them batches are normalised by themselves in use, too. */
  readonly trackRunningStats?: boolean;
}

/** What files and PyTorch call the properties. */
const STATE_NAMES: Readonly<Record<string, string>> = {
  runningMean: 'running_mean',
  runningVar: 'running_var',
  numBatchesTracked: 'num_batches_tracked',
};

/**
 * Gives each channel mean 0 and variance 1 over the batch, then a learnt weight (at first 1) and bias (at first 0). After
 * `eval()` the running statistics are used. Shapes: x [n, h, w, c]; result the same.
 */
export class BatchNorm2d extends Module {
  /** [features] */
  readonly weight: Parameter | null;
  /** [features] */
  readonly bias: Parameter | null;
  /** [features] */
  readonly runningMean: Buffer | null;
  /** [features]; at first 1 */
  readonly runningVar: Buffer | null;
  /** int32, one element: how many batches the running statistics have seen. */
  readonly numBatchesTracked: Buffer | null;
  readonly features: number;
  readonly eps: number;
  readonly momentum: number;

  /** @param features channels of the images; eps 1e-5, momentum 0.1, affine and trackRunningStats true are the defaults */
  constructor(features: number, options: BatchNorm2dOptions = {}) {
    super();
    checkOptions('BatchNorm2d', options, ['eps', 'momentum', 'affine', 'trackRunningStats']);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    this.features = checkCount('BatchNorm2d', 'features', features);
    this.eps = checkNumber('eps', eps, Infinity);
    this.momentum = checkNumber('momentum', momentum, 1);
    this.weight = affine ? new Parameter([features]) : null;
    this.bias = affine ? new Parameter([features]) : null;
    if (this.weight !== null) constant_(this.weight, 1);
    this.runningMean = trackRunningStats ? new Buffer([features]) : null;
    this.runningVar = trackRunningStats ? new Buffer([features], { value: 1 }) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer([], { dtype: 'int32' }) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, momentum, eps } = this;
    const training = this.training || runningMean === null;
    const y = batchNorm2d(x, weight, bias, { runningMean, runningVar, training, momentum, eps });
    if (this.training && this.numBatchesTracked !== null) increment_(this.numBatchesTracked);
    return y;
  }

  protected override *slots(): Iterable<Slot> {
    for (const slot of super.slots()) yield { ...slot, name: STATE_NAMES[slot.key] ?? slot.name };
  }

  override extraRepr(): string {
    const parts = [`${this.features}`, `eps=${this.eps}`, `momentum=${this.momentum}`];
    if (this.weight === null) parts.push('affine=false');
    if (this.runningMean === null) parts.push('trackRunningStats=false');
    return parts.join(', ');
  }
}

function checkNumber(name: string, value: number, high: number): number {
  if (typeof value === 'number' && value >= 0 && value <= high) return value;
  const expected = high === 1 ? `${name} from 0 to 1` : `${name} of at least 0`;
  throw fail('ERR_ARGUMENT', { op: 'BatchNorm2d', expected, received: describe(value) });
}
