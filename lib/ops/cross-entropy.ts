// SPDX-License-Identifier: Apache-2.0
// Softmax and cross-entropy in one pass, from logits and labels: whole numbers, or probabilities of all classes.
import { checkOptions, describe, fail } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkTensor } from './check.js';
import { compute } from './compute.js';
import {
  checkConstant,
  checkReduction,
  gradientsLike,
  REDUCTIONS,
  type Reduction,
  recordLoss,
  spreadOne,
  spreadRows,
} from './reduction.js';

/** How cross-entropy counts, in PyTorch's terms and with its defaults. */
export interface CrossEntropyOptions {
  /** [classes]: how much each class counts. Default: all the same. */
  readonly weight?: Tensor | null | undefined;
  /** Rows with this label count for nothing. Of whole-number labels only. Default -100. */
  readonly ignoreIndex?: number | undefined;
  /** Share of each label that is spread over all classes, from 0 to below 1. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** Default 'mean': over the rows that count, by the weight of their label; over all rows for soft labels. */
  readonly reduction?: Reduction | undefined;
}

const OPTIONS = ['weight', 'ignoreIndex', 'labelSmoothing', 'reduction'];
const MAX_LABEL = 2 ** 31;

/** Refuses anything but int32 labels of this shape, one for each row of logits. */
export function checkLabels(
  op: string,
  labels: Tensor,
  shape: readonly number[],
  softShape?: readonly number[],
): void {
  checkTensor(op, 'labels', labels);
  if (labels.dtype !== 'int32') {
    const soft = softShape === undefined ? '' : `, or give probabilities [${softShape.join(', ')}]`;
    throw fail('ERR_DTYPE', {
      op,
      expected: 'labels to be int32',
      received: labels.dtype,
      hint: `make them with tensor(Int32Array.from(labels))${soft}`,
    });
  }
  if (!sameShape(labels.shape, shape)) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `labels [${shape.join(', ')}], one per row of logits`,
      received: `[${labels.shape.join(', ')}]`,
    });
  }
}

/** @internal The options with their defaults. Throws ERR_ARGUMENT for numbers out of range. */
export function checkCrossEntropyOptions(op: string, options: CrossEntropyOptions) {
  checkOptions(op, options, OPTIONS);
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  if (!(typeof labelSmoothing === 'number' && labelSmoothing >= 0 && labelSmoothing < 1)) {
    const expected = 'labelSmoothing from 0 to below 1';
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(labelSmoothing) });
  }
  if (!(Number.isSafeInteger(ignoreIndex) && Math.abs(ignoreIndex) <= MAX_LABEL)) {
    const expected = 'ignoreIndex to be a whole number';
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(ignoreIndex) });
  }
  return { weight, ignoreIndex, labelSmoothing, reduction: checkReduction(op, reduction, REDUCTIONS) };
}

function checkWeight(weight: Tensor | null, logits: Tensor, classes: number): void {
  if (weight === null) return;
  checkFloat('crossEntropy', 'weight', weight, logits);
  checkConstant('crossEntropy', 'weight', weight);
  if (weight.shape.length === 1 && weight.size === classes) return;
  throw fail('ERR_SHAPE', {
    op: 'crossEntropy',
    expected: `weight [${classes}], one for each class of logits [${logits.shape.join(', ')}]`,
    received: `[${weight.shape.join(', ')}]`,
  });
}

/**
 * -log softmax(logits)[label], of each row of the last dimension; by default the mean over rows, a scalar. With class weights
 * w, smoothing ε and C classes, the loss of label y is -Σ_c w_c ((1 - ε) [c = y] + ε / C) log softmax(logits)_c.
 *
 * Shapes: logits [n, classes], or [n, h, w, classes] for a class of each pixel; labels int32 [n] or [n, h, w] with values
 * from 0 to classes - 1 or ignoreIndex, or soft ones in the shape and type of logits, which have a gradient as well;
 * result [], or the labels' [n] or [n, h, w] for reduction 'none'.
 *
 * @param options see `CrossEntropyOptions`
 *
 * Throws ERR_DATA for a label out of range, with its row; ERR_ARGUMENT for options, ERR_SHAPE (also for class weights of
 * another number), ERR_DTYPE, ERR_DISPOSED.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkFloat('crossEntropy', 'logits', logits);
  const { shape, dtype } = logits;
  if (shape.length < 2) {
    throw fail('ERR_SHAPE', {
      op: 'crossEntropy',
      expected: 'logits of rank 2 or more, [n, classes]',
      received: `[${shape.join(', ')}]`,
    });
  }
  const { weight, ignoreIndex, labelSmoothing, reduction } = checkCrossEntropyOptions(
    'crossEntropy',
    options,
  );
  const places = shape.slice(0, -1);
  const classes = shape[shape.length - 1];
  const isSoft = labels instanceof Tensor && labels.dtype === dtype && sameShape(labels.shape, shape);
  if (!isSoft) checkLabels('crossEntropy', labels, places, shape);
  if (isSoft && options.ignoreIndex !== undefined) {
    throw fail('ERR_ARGUMENT', {
      op: 'crossEntropy',
      expected: 'ignoreIndex with whole-number labels only',
      received: 'soft labels',
      hint: 'rows of zeros count for nothing, but in the mean',
    });
  }
  checkWeight(weight, logits, classes);
  const loss = Tensor.empty(reduction === 'none' ? places : [], dtype);
  const inputs = isSoft ? [logits, labels] : [logits];
  const gradients = gradientsLike(inputs);
  const numbers = [logits.size / classes, classes, REDUCTIONS.indexOf(reduction), labelSmoothing];
  if (isSoft) compute('soft_cross_entropy', [loss, ...gradients], [logits, labels, weight], numbers);
  else {
    const instruction = 'softmax_cross_entropy';
    compute(instruction, [loss, ...gradients], [logits, labels, weight], [...numbers, ignoreIndex]);
  }
  return recordLoss('crossEntropy', loss, inputs, gradients, reduction === 'none' ? spreadRows : spreadOne);
}
