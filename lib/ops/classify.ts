// SPDX-License-Identifier: Apache-2.0
// From logits to answers, and from labels to targets. Nothing here has a gradient.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank, checkTensor } from './check.js';
import { compute } from './compute.js';
import { checkLabels } from './cross-entropy.js';

/** The column of the largest value of each row; the first of equal ones. Shapes: x [n, classes]; result int32 [n]. */
export function argmax(x: Tensor): Tensor {
  checkFloat('argmax', 'input', x);
  checkRank('argmax', 'input', x, '[n, classes]');
  const [rows, columns] = x.shape;
  const result = Tensor.empty([rows], 'int32');
  compute('argmax', [result], [x], [rows, columns]);
  return result;
}

/** How many of `labels` [n] are where the rows of `logits` [n, classes] are largest: a number. */
export function countCorrect(logits: Tensor, labels: Tensor): number {
  checkFloat('countCorrect', 'logits', logits);
  checkRank('countCorrect', 'logits', logits, '[n, classes]');
  checkLabels('countCorrect', labels, [logits.shape[0]]);
  using predicted = argmax(logits);
  using count = Tensor.empty([], 'int32');
  emit('count_equal', [count.handle, predicted.handle, labels.handle]);
  return count.item();
}

/**
 * @internal How many classes come before the label of each row, by score and, where scores are equal, by number: 0 where it
 * is the `argmax`, below k where it is among the k best. Shapes: logits [n, classes], labels int32 [n]; result int32 [n].
 */
export function labelRank(logits: Tensor, labels: Tensor): Tensor {
  checkFloat('labelRank', 'logits', logits);
  checkRank('labelRank', 'logits', logits, '[n, classes]');
  const [rows, classes] = logits.shape;
  checkLabels('labelRank', labels, [rows]);
  const ranks = Tensor.empty([rows], 'int32');
  compute('label_rank', [ranks], [logits, labels], [rows, classes]);
  return ranks;
}

/** @internal The largest probability of softmax(logits) of each row. Shapes: logits [n, classes]; result [n]. */
export function confidence(logits: Tensor): Tensor {
  checkFloat('confidence', 'logits', logits);
  checkRank('confidence', 'logits', logits, '[n, classes]');
  const [rows, classes] = logits.shape;
  const result = Tensor.empty([rows], logits.dtype);
  compute('confidence', [result], [logits], [rows, classes]);
  return result;
}

/**
 * A row for each label with 1 at the label and 0 elsewhere: the targets of losses that compare numbers.
 *
 * Shapes: labels int32 [...]; result [..., classes].
 *
 * @param options dtype 'float32' is the default
 *
 * Throws ERR_DATA for a label out of range, with its row; ERR_DTYPE, ERR_ARGUMENT.
 */
export function oneHot(
  labels: Tensor,
  classes: number,
  options: { readonly dtype?: 'float32' | 'float64' } = {},
): Tensor {
  checkTensor('oneHot', 'labels', labels);
  checkLabels('oneHot', labels, labels.shape);
  checkWhole('oneHot', 'classes', classes);
  checkOptions('oneHot', options, ['dtype']);
  const { dtype = 'float32' } = options;
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw fail('ERR_DTYPE', { op: 'oneHot', expected: 'float32 or float64', received: describe(dtype) });
  }
  const rows = Tensor.empty([...labels.shape, classes], dtype);
  compute('one_hot', [rows], [labels], [labels.size, classes]);
  return rows;
}
