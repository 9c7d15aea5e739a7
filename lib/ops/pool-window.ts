// SPDX-License-Identifier: Apache-2.0
// Which gradients came through a max pool. In each of its windows at most one element of a channel is not zero then, and
// a convolution's gradients may go through those alone. That is a hint where to look: it decides how the gradients are
// computed, eagerly and captured alike, and results are right whatever the elements are.
import type { PoolWindow, Tensor } from '../tensor/tensor.js';

/** Notes that `dx` is the gradient of a max pool's input. */
export function markPoolWindow(dx: Tensor, window: PoolWindow | undefined): void {
  dx.poolWindow = window;
}

/** The windows that a gradient came through, if it came through any. */
export function poolWindowOf(dy: Tensor): PoolWindow | undefined {
  return dy.poolWindow;
}
