// SPDX-License-Identifier: Apache-2.0
// Gradients kept within bounds: by the norm of all of them together, or element by element.
import { describe, fail } from '../errors.js';
import { emit, NO_TENSOR } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';

/** How gradients are clipped before an update: in one of two ways, or not at all. */
export interface ClipOptions {
  /**
   * Scale the gradients of a step down so that the norm of all of them together, as of one vector, is at most this. Above 0.
   * Default: as they are.
   */
  readonly clipGradNorm?: number | undefined;
  /** Keep each element of the gradients within ± this. Above 0. Default: as they are. */
  readonly clipGradValue?: number | undefined;
}

/** Refuses bounds that are none, and two ways at once. */
export function checkClip(op: string, { clipGradNorm, clipGradValue }: ClipOptions): ClipOptions {
  if (clipGradNorm !== undefined) checkBound(op, 'clipGradNorm', clipGradNorm);
  if (clipGradValue !== undefined) checkBound(op, 'clipGradValue', clipGradValue);
  if (clipGradNorm === undefined || clipGradValue === undefined) return { clipGradNorm, clipGradValue };
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'clipGradNorm or clipGradValue',
    received: 'both',
    hint: 'call optim.clipGradNorm and optim.clipGradValue in a step of your own, in the order you want',
  });
}

function checkBound(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} above 0`, received: describe(value) });
}

/** @internal The sum of the squares of all elements, float64 []: in double precision, in fixed chunks, added in order. */
export function squareSum(tensors: readonly Tensor[]): Tensor {
  const squares = Tensor.empty([], 'float64');
  tensors.forEach(({ handle }, i) => {
    emit('square_sum', [squares.handle, handle], [i === 0 ? 1 : 0]);
  });
  return squares;
}

/**
 * Scales the gradients of these parameters in place so that their norm, as of one vector, is at most `maxNorm`: by maxNorm /
 * (norm + 1e-6) where that is below 1 (Pascanu, Mikolov and Bengio 2013; PyTorch's `clip_grad_norm_`). Parameters without a
 * gradient count for nothing. In a step that is recorded, it clips each time the step is replayed.
 *
 * @returns the norm before clipping, a tensor with one element: float64 where all gradients are, else float32. It is NaN or
 *   Infinity where gradients are, which then become NaN
 *
 * Throws ERR_ARGUMENT, ERR_DISPOSED.
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): Tensor {
  checkBound('clipGradNorm', 'maxNorm', maxNorm);
  const grads = gradientsOf('clipGradNorm', parameters);
  const isDouble = grads.length > 0 && grads.every(({ dtype }) => dtype === 'float64');
  const norm = Tensor.empty([], isDouble ? 'float64' : 'float32');
  if (grads.length === 0) {
    emit('fill', [norm.handle], [0]);
    return norm;
  }
  using squares = squareSum(grads);
  emit('norm', [norm.handle, squares.handle]);
  for (const { handle } of grads) emit('clip', [handle, squares.handle], [maxNorm, 0]);
  return norm;
}

/**
 * Keeps every element of the gradients of these parameters within ±clipValue, in place. NaN stays NaN.
 *
 * Throws ERR_ARGUMENT, ERR_DISPOSED.
 */
export function clipGradValue(parameters: readonly Tensor[], clipValue: number): void {
  checkBound('clipGradValue', 'clipValue', clipValue);
  for (const { handle } of gradientsOf('clipGradValue', parameters)) {
    emit('clip', [handle, NO_TENSOR], [0, clipValue]);
  }
}

function gradientsOf(op: string, parameters: readonly Tensor[]): Tensor[] {
  const isList = Array.isArray(parameters) && parameters.every((item) => item instanceof Tensor);
  if (!isList) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'an array of parameters such as model.parameters()',
      received: describe(parameters),
    });
  }
  const grads = parameters.flatMap(({ grad }) => grad ?? []);
  for (const grad of grads) void grad.handle; // refuses a disposed one before any is changed
  return grads;
}
