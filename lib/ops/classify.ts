// SPDX-License-Identifier: Apache-2.0
// From logits to answers. Nothing here has a gradient.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
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
  checkLabels('countCorrect', labels, logits.shape[0]);
  using predicted = argmax(logits);
  using count = Tensor.empty([], 'int32');
  emit('count_equal', [count.handle, predicted.handle, labels.handle]);
  return count.item();
}
