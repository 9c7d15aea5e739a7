// SPDX-License-Identifier: Apache-2.0
// Convolution the way textbooks write it: the matrix of all patches, [pixels, kH * kW * inC], times the weight. The
// readable fallback (`algorithm: 'im2col'`) and a second oracle for the kernels that never write that matrix.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { compute } from './compute.js';
import type { Conv2dGeometry } from './conv2d.js';

function patchesOf(x: Tensor, g: Conv2dGeometry): Tensor {
  const patches = Tensor.empty([g.pixels, g.patch], x.dtype);
  compute('im2col', [patches], [x], g.numbers);
  return patches;
}

/** The layer as a linear one over patches: rows, in, out. */
function linearNumbers(g: Conv2dGeometry): number[] {
  return [g.pixels, g.patch, g.outShape[3]];
}

/** y = patches(x) · weightᵀ + bias */
export function im2colForward(
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  g: Conv2dGeometry,
): void {
  using patches = patchesOf(x, g);
  compute('linear_forward', [y], [patches, weight, bias], linearNumbers(g));
}

/** dx = the patches of dy · weight, each added back to where it came from */
export function im2colGradInput(dx: Tensor, dy: Tensor, weight: Tensor, g: Conv2dGeometry): void {
  using patches = Tensor.empty([g.pixels, g.patch], dx.dtype);
  emit('linear_grad_input', [patches.handle, dy.handle, weight.handle], linearNumbers(g));
  emit('col2im', [dx.handle, patches.handle], g.numbers);
}

/** dWeight = dyᵀ · patches(x), dBias = the sum of dy over the pixels */
export function im2colGradWeight(
  dWeight: Tensor,
  dBias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  g: Conv2dGeometry,
): void {
  using patches = patchesOf(x, g);
  if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [g.pixels, dBias.size]);
  emit('linear_grad_weight', [dWeight.handle, dy.handle, patches.handle], linearNumbers(g));
}
