// SPDX-License-Identifier: Apache-2.0
// The batch normalisation layers: weight, bias and running statistics for ops/batch-norm.
import { checkBooleans, checkNumber, checkOptions } from '../errors.js';
import { batchNorm1d, batchNorm2d, increment_ } from '../ops/batch-norm.js';
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

/** The same for vectors and signals. */
export interface BatchNorm1dOptions extends BatchNorm2dOptions {}

/** What files and PyTorch call the properties. */
const STATE_NAMES: Readonly<Record<string, string>> = {
  runningMean: 'running_mean',
  runningVar: 'running_var',
  numBatchesTracked: 'num_batches_tracked',
};

/** A layer with statistics for each channel. */
abstract class BatchNorm extends Module {
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
  readonly #normalize: typeof batchNorm2d;

  constructor(op: string, normalize: typeof batchNorm2d, features: number, options: BatchNorm2dOptions) {
    super();
    checkOptions(op, options, ['eps', 'momentum', 'affine', 'trackRunningStats']);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkBooleans(op, { affine, trackRunningStats });
    this.#normalize = normalize;
    this.features = checkCount(op, 'features', features);
    this.eps = checkNumber(op, 'eps', eps, 0);
    this.momentum = checkNumber(op, 'momentum', momentum, 0, 1);
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
    const y = this.#normalize(x, weight, bias, { runningMean, runningVar, training, momentum, eps });
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

/**
 * Gives each channel mean 0 and variance 1 over the batch, then a learnt weight (at first 1) and bias (at first 0). After
 * `eval()` the running statistics are used. Shapes: x [n, c] or [n, l, c]; result the same.
 */
export class BatchNorm1d extends BatchNorm {
  /** @param features channels; eps 1e-5, momentum 0.1, affine and trackRunningStats true are the defaults */
  constructor(features: number, options: BatchNorm1dOptions = {}) {
    super('BatchNorm1d', batchNorm1d, features, options);
  }
}

/** `BatchNorm1d` for images. Shapes: x [n, h, w, c]; result the same. */
export class BatchNorm2d extends BatchNorm {
  /** @param features channels of the images; eps 1e-5, momentum 0.1, affine and trackRunningStats true are the defaults */
  constructor(features: number, options: BatchNorm2dOptions = {}) {
    super('BatchNorm2d', batchNorm2d, features, options);
  }
}
