// SPDX-License-Identifier: Apache-2.0
// What becomes of the losses of rows or elements, and how a loss enters the recorded computation with gradients that were
// computed in the same pass.
import { describe, didYouMean, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { isRecording, record } from './record.js';

/** One number, their mean or sum, or all of them. */
export type Reduction = 'mean' | 'sum' | 'none';

/** The position is the code in native/ops/cross_entropy.h. */
export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'none'];

/** Refuses what is no reduction of this loss. */
export function checkReduction<Name extends string>(
  op: string,
  reduction: Name,
  known: readonly Name[],
): Name {
  if (known.includes(reduction)) return reduction;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `reduction to be one of ${known.map((name) => `'${name}'`).join(', ')}`,
    received: describe(reduction),
    hint: didYouMean(reduction, known),
  });
}

/** Refuses a weight that wants a gradient, which it would not get. */
export function checkConstant(op: string, name: string, weight: Tensor): void {
  if (!weight.requiresGrad) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `${name} without requiresGrad`,
    received: 'one with it',
    hint: `a loss has no gradient for its ${name}: give ${name}.detach()`,
  });
}

/** Room for the gradient of each input; null for one that needs none. */
export function gradientsLike(inputs: readonly Tensor[]): (Tensor | null)[] {
  return inputs.map((input) => (isRecording([input]) ? Tensor.empty(input.shape, input.dtype) : null));
}

/** Multiplies the gradient of a sum of losses by that of the losses: dx = gradient * dLoss. */
export type Spread = (dx: Tensor, gradient: Tensor, dLoss: Tensor) => void;

/** Where the losses became one number. */
export const spreadOne: Spread = (dx, gradient, dLoss) => {
  emit('scale_by', [dx.handle, gradient.handle, dLoss.handle]);
};

/** Where each element has its own loss. */
export const spreadEach: Spread = (dx, gradient, dLoss) => {
  emit('multiply', [dx.handle, gradient.handle, dLoss.handle]);
};

/** Where each row, [..., columns], has its own loss. */
export const spreadRows: Spread = (dx, gradient, dLoss) => {
  emit('scale_rows', [dx.handle, gradient.handle, dLoss.handle], [dLoss.size, gradient.size / dLoss.size]);
};

/**
 * Records a loss whose gradients are there already; returns it.
 *
 * @param gradients of the sum of what is in `loss`, by each input; they become the recorded operation's
 */
export function recordLoss(
  op: string,
  loss: Tensor,
  inputs: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
  spread: Spread,
): Tensor {
  const saved = gradients.filter((gradient) => gradient !== null);
  record(op, loss, inputs, saved, (dLoss, saved) => {
    let next = 0;
    return gradients.map((made) => {
      if (made === null) return null;
      const gradient = saved[next++];
      const dx = Tensor.empty(gradient.shape, gradient.dtype);
      spread(dx, gradient, dLoss);
      return dx;
    });
  });
  for (const gradient of saved) gradient.dispose(); // the recorded operation holds them, if anyone does
  return loss;
}
