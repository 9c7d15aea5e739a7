// SPDX-License-Identifier: Apache-2.0
// Losses of predicted numbers: squared, absolute, and what lies between. Each comes with its gradients in one pass.
import { checkOptions, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkSameShape } from './check.js';
import { compute } from './compute.js';
import {
  checkReduction,
  gradientsLike,
  REDUCTIONS,
  type Reduction,
  recordLoss,
  spreadEach,
  spreadOne,
} from './reduction.js';

/** The position is the code in native/kernels/loss_kernels.h. */
const KINDS = ['mse', 'l1', 'huber', 'bceWithLogits', 'klDiv', 'klDivLog'] as const;

/** Weights of elements: the elements `inner * k` to `inner * (k + 1) - 1` share one, and they repeat. */
export interface RepeatedWeight {
  readonly tensor: Tensor;
  readonly inner: number;
}

/** What makes one of the losses. */
export interface PointwiseRule {
  readonly kind: (typeof KINDS)[number];
  /** Of 'huber': where it turns from squared to absolute. */
  readonly delta?: number;
  /** Factor of each loss. Default 1. */
  readonly factor?: number;
  readonly weight?: RepeatedWeight | undefined;
  readonly positive?: RepeatedWeight | undefined;
}

/**
 * @internal A loss of each element of `input`, whose shape and type `target` has; for 'batchmean' the sum over the first
 * dimension.
 */
export function pointwiseLoss(
  op: string,
  input: Tensor,
  target: Tensor,
  reduction: Reduction | 'batchmean',
  rule: PointwiseRule,
): Tensor {
  const reduces = reduction !== 'none';
  const parts = { mean: input.size, batchmean: input.shape[0] ?? 1, sum: 1, none: 1 }[reduction];
  const { kind, delta = 0, factor = 1, weight, positive } = rule;
  const loss = Tensor.empty(reduces ? [] : input.shape, input.dtype);
  const inputs = [input, target];
  const gradients = gradientsLike(inputs);
  compute(
    'pointwise_loss',
    [loss, ...gradients],
    [...inputs, weight?.tensor ?? null, positive?.tensor ?? null],
    [KINDS.indexOf(kind), reduces ? 1 : 0, delta, factor / parts, weight?.inner ?? 1, positive?.inner ?? 1],
  );
  return recordLoss(op, loss, inputs, gradients, reduces ? spreadOne : spreadEach);
}

/** @internal Refuses an input and a target that cannot be compared. */
export function checkPair(op: string, input: Tensor, target: Tensor): void {
  checkFloat(op, 'input', input);
  checkFloat(op, 'target', target, input);
  checkSameShape(op, input, target);
}

/** What becomes of the losses of all elements. */
export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
}

/** Options of `huberLoss`. */
export interface HuberLossOptions extends LossOptions {
  /** Above 0: differences up to it count squared, larger ones by their size. Default 1. */
  readonly delta?: number | undefined;
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1LossOptions extends LossOptions {
  /** At least 0: differences up to it count squared, larger ones by their size. Default 1. */
  readonly beta?: number | undefined;
}

/** @internal The options with their defaults. */
export function checkLossOptions(op: string, options: LossOptions): { readonly reduction: Reduction } {
  checkOptions(op, options, ['reduction']);
  return { reduction: checkReduction(op, options.reduction ?? 'mean', REDUCTIONS) };
}

/** @internal The options with their defaults. Throws ERR_ARGUMENT unless delta is a finite number above 0. */
export function checkHuberOptions(op: string, options: HuberLossOptions) {
  checkOptions(op, options, ['reduction', 'delta']);
  const { delta = 1, reduction = 'mean' } = options;
  if (!(Number.isFinite(delta) && delta > 0)) {
    throw fail('ERR_ARGUMENT', { op, expected: 'delta to be a number above 0', received: describe(delta) });
  }
  return { delta, reduction: checkReduction(op, reduction, REDUCTIONS) };
}

/** @internal The options with their defaults. Throws ERR_ARGUMENT unless beta is a finite number of at least 0. */
export function checkSmoothL1Options(op: string, options: SmoothL1LossOptions) {
  checkOptions(op, options, ['reduction', 'beta']);
  const { beta = 1, reduction = 'mean' } = options;
  if (!(Number.isFinite(beta) && beta >= 0)) {
    const expected = 'beta to be a number of at least 0';
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(beta) });
  }
  return { beta, reduction: checkReduction(op, reduction, REDUCTIONS) };
}

/**
 * (input - target)², the mean of all elements by default.
 *
 * Shapes: input and target the same; result [], or as input for reduction 'none'. Both have gradients.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair('mseLoss', input, target);
  const { reduction } = checkLossOptions('mseLoss', options);
  return pointwiseLoss('mseLoss', input, target, reduction, { kind: 'mse' });
}

/**
 * |input - target|, the mean of all elements by default; its gradient is 0 where they are equal.
 *
 * Shapes: input and target the same; result [], or as input for reduction 'none'. Both have gradients.
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair('l1Loss', input, target);
  const { reduction } = checkLossOptions('l1Loss', options);
  return pointwiseLoss('l1Loss', input, target, reduction, { kind: 'l1' });
}

/**
 * With d = |input - target|: d² / 2 up to delta, delta (d - delta / 2) beyond (Huber 1964); the mean of all elements by
 * default.
 *
 * Shapes: input and target the same; result [], or as input for reduction 'none'. Both have gradients.
 *
 * @param options delta 1 and reduction 'mean' are the defaults
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  checkPair('huberLoss', input, target);
  const { delta, reduction } = checkHuberOptions('huberLoss', options);
  return pointwiseLoss('huberLoss', input, target, reduction, { kind: 'huber', delta });
}

/**
 * With d = |input - target|: d² / (2 beta) below beta, d - beta / 2 beyond; `l1Loss` for a beta of 0. The mean of all
 * elements by default.
 *
 * Shapes: input and target the same; result [], or as input for reduction 'none'. Both have gradients.
 *
 * @param options beta 1 and reduction 'mean' are the defaults
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  checkPair('smoothL1Loss', input, target);
  const { beta, reduction } = checkSmoothL1Options('smoothL1Loss', options);
  const rule =
    beta === 0 ? ({ kind: 'l1' } as const) : ({ kind: 'huber', delta: beta, factor: 1 / beta } as const);
  return pointwiseLoss('smoothL1Loss', input, target, reduction, rule);
}
