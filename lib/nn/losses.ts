// SPDX-License-Identifier: Apache-2.0
// Losses as modules: their options are checked once, when they are made. Run them with `call(input, target)`.

import { describe, fail } from '../errors.js';
import { emit, type TypedArray } from '../native/bindings.js';
import {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  checkBinaryOptions,
} from '../ops/binary-cross-entropy.js';
import { type CrossEntropyOptions, checkCrossEntropyOptions, crossEntropy } from '../ops/cross-entropy.js';
import { checkKlDivOptions, type KlDivOptions, klDiv } from '../ops/kl-div.js';
import {
  checkHuberOptions,
  checkLossOptions,
  checkSmoothL1Options,
  type HuberLossOptions,
  huberLoss,
  type LossOptions,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from '../ops/pointwise-loss.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { Buffer } from './buffer.js';
import { Module, type Slot } from './module.js';

/** A weight of a loss: a tensor, or a number for each class. */
export type LossWeight = Tensor | TypedArray | readonly number[];

/** A copy that belongs to the module's state, and changes its type with it. */
function weightBuffer(op: string, name: string, weight: LossWeight | null | undefined): Buffer | null {
  if (weight === null || weight === undefined) return null;
  const values = weight instanceof Tensor ? weight : tensor(weight, undefined, { dtype: 'float32' });
  try {
    if (values.dtype !== 'float32' && values.dtype !== 'float64') {
      const expected = `${name} to be float32 or float64`;
      throw fail('ERR_DTYPE', { op, expected, received: describe(values.dtype) });
    }
    const buffer = new Buffer(values.shape, { dtype: values.dtype });
    emit('copy', [buffer.handle, values.handle]);
    return buffer;
  } finally {
    if (values !== weight) values.dispose();
  }
}

/** What the losses share: options that were checked, and how they print them. */
abstract class Loss<Options extends object> extends Module {
  protected readonly options: Options;

  protected constructor(options: Options) {
    super();
    this.options = options;
  }

  abstract override forward(input: Tensor, target: Tensor): Tensor;

  override extraRepr(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  }
}

/** Options of `CrossEntropyLoss`: those of `crossEntropy`, with class weights in any form. */
export type CrossEntropyLossOptions = Omit<CrossEntropyOptions, 'weight'> & {
  readonly weight?: LossWeight | null | undefined;
};

/** `crossEntropy` of logits and labels; its class weights are a buffer. */
export class CrossEntropyLoss extends Loss<Omit<CrossEntropyOptions, 'weight'>> {
  /** [classes] */
  readonly weight: Buffer | null;

  constructor(options: CrossEntropyLossOptions = {}) {
    const op = 'CrossEntropyLoss';
    const { weight: _, ignoreIndex, ...rest } = checkCrossEntropyOptions(op, options as CrossEntropyOptions);
    super(options.ignoreIndex === undefined ? rest : { ...rest, ignoreIndex });
    this.weight = weightBuffer(op, 'weight', options.weight);
  }

  /** Shapes: logits [n, classes], labels int32 [n] or probabilities [n, classes]. */
  override forward(logits: Tensor, labels: Tensor): Tensor {
    return crossEntropy(logits, labels, { ...this.options, weight: this.weight });
  }
}

/** Options of `BCEWithLogitsLoss`: those of `binaryCrossEntropyWithLogits`, with weights in any form. */
export type BCEWithLogitsLossOptions = Omit<BinaryCrossEntropyOptions, 'weight' | 'posWeight'> & {
  readonly weight?: LossWeight | null | undefined;
  readonly posWeight?: LossWeight | null | undefined;
};

/** `binaryCrossEntropyWithLogits` of logits and targets from 0 to 1; its weights are buffers. */
export class BCEWithLogitsLoss extends Loss<LossOptions> {
  readonly weight: Buffer | null;
  readonly posWeight: Buffer | null;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    const op = 'BCEWithLogitsLoss';
    const { reduction } = checkBinaryOptions(op, options as BinaryCrossEntropyOptions);
    super({ reduction });
    this.weight = weightBuffer(op, 'weight', options.weight);
    this.posWeight = weightBuffer(op, 'posWeight', options.posWeight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight } = this;
    return binaryCrossEntropyWithLogits(input, target, { ...this.options, weight, posWeight });
  }

  protected override *slots(): Iterable<Slot> {
    for (const slot of super.slots()) yield slot.key === 'posWeight' ? { ...slot, name: 'pos_weight' } : slot;
  }
}

/** `mseLoss` as a module. */
export class MSELoss extends Loss<LossOptions> {
  constructor(options: LossOptions = {}) {
    super(checkLossOptions('MSELoss', options));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}

/** `l1Loss` as a module. */
export class L1Loss extends Loss<LossOptions> {
  constructor(options: LossOptions = {}) {
    super(checkLossOptions('L1Loss', options));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/** `huberLoss` as a module. */
export class HuberLoss extends Loss<HuberLossOptions> {
  constructor(options: HuberLossOptions = {}) {
    super(checkHuberOptions('HuberLoss', options));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/** `smoothL1Loss` as a module. */
export class SmoothL1Loss extends Loss<SmoothL1LossOptions> {
  constructor(options: SmoothL1LossOptions = {}) {
    super(checkSmoothL1Options('SmoothL1Loss', options));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options);
  }
}

/** `klDiv` as a module. */
export class KLDivLoss extends Loss<KlDivOptions> {
  constructor(options: KlDivOptions = {}) {
    super(checkKlDivOptions('KLDivLoss', options));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.options);
  }
}
