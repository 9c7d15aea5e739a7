// SPDX-License-Identifier: Apache-2.0
// Which gradients came through a max pool. In each of its windows at most one element of a channel is not zero then, and
// a convolution's gradients may go through those alone. That is a hint where to look: it decides how the gradients are
// computed, eagerly and captured alike, and results are right whatever the elements are.
import type { Tensor } from '../tensor/tensor.js';

/** Height and width of the windows, then their strides; windows without padding. */
export type PoolWindow = readonly [number, number, number, number];

const windows = new WeakMap<Tensor, PoolWindow>();

/** Notes that `dx` is the gradient of a max pool's input. */
export function markPoolWindow(dx: Tensor, window: PoolWindow | undefined): void {
  if (window !== undefined) windows.set(dx, window);
}

/** The windows that a gradient came through, if it came through any. */
export function poolWindowOf(dy: Tensor): PoolWindow | undefined {
  return windows.get(dy);
}
