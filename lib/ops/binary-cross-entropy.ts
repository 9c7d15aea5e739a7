// SPDX-License-Identifier: Apache-2.0
// Cross-entropy of answers that are yes or no, each for itself, from logits.
import { checkOptions, fail } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { checkPair, pointwiseLoss, type RepeatedWeight } from './pointwise-loss.js';
import { checkConstant, checkReduction, REDUCTIONS, type Reduction } from './reduction.js';

/** How binary cross-entropy counts, in PyTorch's terms and with its defaults. */
export interface BinaryCrossEntropyOptions {
  /** How much each element counts, in a shape that fits the input from its end, such as [classes] or [n, 1]. Default 1. */
  readonly weight?: Tensor | null | undefined;
  /** How much more a yes counts than a no, in such a shape as well: most often [classes]. Default 1. */
  readonly posWeight?: Tensor | null | undefined;
  /** Default 'mean': over all elements, whatever their weights. */
  readonly reduction?: Reduction | undefined;
}

/** @internal The options with their defaults. */
export function checkBinaryOptions(op: string, options: BinaryCrossEntropyOptions) {
  checkOptions(op, options, ['weight', 'posWeight', 'reduction']);
  const { weight = null, posWeight = null, reduction = 'mean' } = options;
  return { weight, posWeight, reduction: checkReduction(op, reduction, REDUCTIONS) };
}

/**
 * How a weight repeats over `input`. Its dimensions, counted from the last, are those of the input or 1: first some that are 1,
 * then some that are equal, then some that are 1.
 */
function repeated(
  op: string,
  name: string,
  weight: Tensor | null,
  input: Tensor,
): RepeatedWeight | undefined {
  if (weight === null) return undefined;
  checkFloat(op, name, weight, input);
  checkConstant(op, name, weight);
  const { shape } = input;
  const missing = shape.length - weight.shape.length;
  const aligned = [...new Array<number>(Math.max(0, missing)).fill(1), ...weight.shape];
  const first = aligned.findIndex((length) => length !== 1);
  const last = aligned.reduce((at, length, i) => (length === 1 ? at : i), -1);
  const middle = first < 0 ? [] : aligned.slice(first, last + 1);
  if (missing >= 0 && middle.every((length, i) => length === shape[first + i])) {
    return { tensor: weight, inner: shape.slice(last + 1).reduce((product, length) => product * length, 1) };
  }
  throw fail('ERR_SHAPE', {
    op,
    expected: `${name} in a shape that fits the end of input [${shape.join(', ')}]`,
    received: `[${weight.shape.join(', ')}]`,
    hint: 'as many numbers as the last dimension has, or 1 where they repeat',
  });
}

/**
 * -(p t log σ(x) + (1 - t) log(1 - σ(x))) for each logit x and target t from 0 to 1, with p its posWeight; times its weight.
 * The mean of all elements by default.
 *
 * Shapes: input and target the same; weight and posWeight fit them from the end; result [], or as input for reduction
 * 'none'. Input and target have gradients.
 *
 * @param options see `BinaryCrossEntropyOptions`
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  checkPair(op, input, target);
  const { weight, posWeight, reduction } = checkBinaryOptions(op, options);
  return pointwiseLoss(op, input, target, reduction, {
    kind: 'bceWithLogits',
    weight: repeated(op, 'weight', weight, input),
    positive: repeated(op, 'posWeight', posWeight, input),
  });
}
