// SPDX-License-Identifier: Apache-2.0
// The three passes of a convolution, by their instructions or over a matrix of patches.
import { emit } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { compute } from './compute.js';
import { im2colForward, im2colGradInput, im2colGradWeight } from './conv2d-im2col.js';
import { type ConvolutionGeometry, numbersOf } from './convolution.js';
import { poolWindowOf } from './pool-window.js';

/** The passes of a convolution, each from tensors to tensors that were made for it. */
export interface Passes {
  forward(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvolutionGeometry): void;
  gradInput(dx: Tensor, dy: Tensor, weight: Tensor, g: ConvolutionGeometry): void;
  gradWeight(dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, g: ConvolutionGeometry): void;
}

// Gradients are told of the max pool that dy came through, too.
const native: Passes = {
  forward(y, x, weight, bias, g) {
    compute('conv2d_forward', [y], [x, weight, bias], numbersOf(g));
  },
  gradInput(dx, dy, weight, g) {
    emit('conv2d_grad_input', [dx.handle, dy.handle, weight.handle], numbersOf(g, poolWindowOf(dy)));
  },
  gradWeight(dWeight, dBias, dy, x, g) {
    const handles = [dWeight.handle, dBias?.handle ?? -1, dy.handle, x.handle];
    emit('conv2d_grad_weight', handles, numbersOf(g, poolWindowOf(dy)));
  },
};

const im2col: Passes = { forward: im2colForward, gradInput: im2colGradInput, gradWeight: im2colGradWeight };

export function passesOf({ algorithm }: ConvolutionGeometry): Passes {
  return algorithm === 'im2col' ? im2col : native;
}
