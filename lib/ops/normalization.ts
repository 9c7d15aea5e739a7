// SPDX-License-Identifier: Apache-2.0
// What normalisations share: a mean and an inverse standard deviation that backward needs again, then a weight and a bias
// that may be missing.
import { emit, NO_TENSOR } from '../native/bindings.js';
import type { Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { record } from './record.js';

/** The outputs of a forward pass. */
export interface Normalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly inverseStd: Tensor;
}

/** Room for them. */
export function emptyNormalized(x: Tensor, statistics: Shape): Normalized {
  return {
    y: Tensor.empty(x.shape, x.dtype),
    mean: Tensor.empty(statistics, x.dtype),
    inverseStd: Tensor.empty(statistics, x.dtype),
  };
}

/**
 * Records y = weight * (x - mean) * inverseStd + bias and returns y.
 *
 * @param instruction the backward pass: (dx?, dweight?, dbias?, dy, x, mean, inverse std, weight?)
 * @param numbers its parameters
 */
export function recordNormalized(
  op: string,
  instruction: 'batch_norm_backward' | 'group_norm_backward' | 'layer_norm_backward',
  { y, mean, inverseStd }: Normalized,
  [x, weight, bias]: readonly [Tensor, Tensor | null, Tensor | null],
  numbers: readonly number[],
): Tensor {
  const learnt = [weight, bias].filter((parameter) => parameter !== null);
  const saved = weight === null ? [x, mean, inverseStd] : [x, mean, inverseStd, weight];
  const columns = (weight ?? bias)?.shape ?? [];
  record(op, y, [x, ...learnt], saved, (dy, [x, mean, inverseStd, scale], needs) => {
    const needsWeight = weight !== null && needs[1];
    const needsBias = bias !== null && needs[learnt.length];
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needsWeight ? Tensor.empty(columns, x.dtype) : null;
    const dBias = needsBias ? Tensor.empty(columns, x.dtype) : null;
    const gradients = [dx, dWeight, dBias].map((gradient) => gradient?.handle ?? NO_TENSOR);
    const operands = [dy, x, mean, inverseStd].map(({ handle }) => handle);
    emit(instruction, [...gradients, ...operands, scale?.handle ?? NO_TENSOR], numbers);
    return [dx, ...(weight === null ? [] : [dWeight]), ...(bias === null ? [] : [dBias])];
  });
  mean.dispose(); // the recorded operation holds both, if anyone does
  inverseStd.dispose();
  return y;
}
