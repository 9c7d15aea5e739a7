// SPDX-License-Identifier: Apache-2.0
// Softmax and cross-entropy in one pass, from logits and integer labels.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank, checkTensor } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** Refuses anything but int32 labels, one per row. */
export function checkLabels(op: string, labels: Tensor, rows: number): void {
  checkTensor(op, 'labels', labels);
  if (labels.dtype !== 'int32') {
    throw fail('ERR_DTYPE', {
      op,
      expected: 'labels to be int32',
      received: labels.dtype,
      hint: 'make them with tensor(Int32Array.from(labels))',
    });
  }
  if (labels.shape.length !== 1 || labels.size !== rows) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `labels [${rows}], one per row of logits`,
      received: `[${labels.shape.join(', ')}]`,
    });
  }
}

/**
 * The mean over rows of -log softmax(logits)[label], a scalar.
 *
 * Shapes: logits [n, classes], labels int32 [n] with values from 0 to classes - 1.
 *
 * Throws ERR_DATA for a label out of range, with its row; ERR_SHAPE, ERR_DTYPE, ERR_DISPOSED.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  checkFloat('crossEntropy', 'logits', logits);
  checkRank('crossEntropy', 'logits', logits, '[n, classes]');
  const [rows, classes] = logits.shape;
  checkLabels('crossEntropy', labels, rows);
  const loss = Tensor.empty([], logits.dtype);
  const gradient = Tensor.empty(logits.shape, logits.dtype);
  compute('softmax_cross_entropy', [loss, gradient], [logits, labels], [rows, classes]);
  record('crossEntropy', loss, [logits], [gradient], (dLoss, [gradient]) => {
    const dLogits = Tensor.empty(gradient.shape, gradient.dtype);
    emit('scale_by', [dLogits.handle, gradient.handle, dLoss.handle]);
    return [dLogits];
  });
  gradient.dispose(); // the recorded operation holds it, if anyone does
  return loss;
}
