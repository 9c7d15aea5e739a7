// SPDX-License-Identifier: Apache-2.0
// Convolution the way textbooks write it: the matrix of all patches, [pixels, kH * kW * inC], times the weight. The
// readable fallback (`algorithm: 'im2col'`) and a second oracle for the kernels that never write that matrix. Groups are
// convolutions of their own, whose channels are copied out and back.
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { compute } from './compute.js';
import { type ConvolutionGeometry, numbersOf, outputPixels } from './convolution.js';

/** Elements of a patch: those of one kernel over all channels. */
function patchOf({ axes: [h, w], inC }: ConvolutionGeometry): number {
  return h.kernel * w.kernel * inC;
}

function patchesOf(x: Tensor, g: ConvolutionGeometry): Tensor {
  const patches = Tensor.empty([outputPixels(g), patchOf(g)], x.dtype);
  compute('im2col', [patches], [x], numbersOf(g));
  return patches;
}

/** The layer as a linear one over patches: rows, in, out. */
function linearNumbers(g: ConvolutionGeometry): number[] {
  return [outputPixels(g), patchOf(g), g.outC];
}

/** Part `i` of `parts` equal ones of each row of a matrix. */
function takePart(from: Tensor, rows: number, i: number, parts: number): Tensor {
  const width = from.size / rows / parts;
  const part = Tensor.empty([rows, width], from.dtype);
  emit('copy_columns', [part.handle, from.handle], [rows, width, width, 0, width * parts, i * width]);
  return part;
}

function putPart(to: Tensor, part: Tensor, rows: number, i: number, parts: number): void {
  const width = to.size / rows / parts;
  emit('copy_columns', [to.handle, part.handle], [rows, width, width * parts, i * width, width, 0]);
}

/** Each group as a convolution in one group. Its weight is a part of the one row that all weights make. */
function forEachGroup(g: ConvolutionGeometry, body: (i: number, group: ConvolutionGeometry) => void): void {
  const { groups, inC, outC } = g;
  const group = { ...g, groups: 1, inC: inC / groups, outC: outC / groups };
  for (let i = 0; i < groups; i++) body(i, group);
}

/** Pixels of the input. */
function inputPixels({ batch, axes: [h, w] }: ConvolutionGeometry): number {
  return batch * h.in * w.in;
}

/** y = patches(x) · weightᵀ + bias */
export function im2colForward(
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  g: ConvolutionGeometry,
): void {
  if (g.groups > 1) {
    forEachGroup(g, (i, group) => {
      using ofX = takePart(x, inputPixels(g), i, g.groups);
      using ofWeight = takePart(weight, 1, i, g.groups);
      using ofBias = bias === null ? null : takePart(bias, 1, i, g.groups);
      using ofY = Tensor.empty([outputPixels(g), group.outC], y.dtype);
      im2colForward(ofY, ofX, ofWeight, ofBias, group);
      putPart(y, ofY, outputPixels(g), i, g.groups);
    });
    return;
  }
  using patches = patchesOf(x, g);
  compute('linear_forward', [y], [patches, weight, bias], linearNumbers(g));
}

/** dx = the patches of dy · weight, each added back to where it came from */
export function im2colGradInput(dx: Tensor, dy: Tensor, weight: Tensor, g: ConvolutionGeometry): void {
  if (g.groups > 1) {
    forEachGroup(g, (i, group) => {
      using ofDy = takePart(dy, outputPixels(g), i, g.groups);
      using ofWeight = takePart(weight, 1, i, g.groups);
      using ofDx = Tensor.empty([inputPixels(g), group.inC], dx.dtype);
      im2colGradInput(ofDx, ofDy, ofWeight, group);
      putPart(dx, ofDx, inputPixels(g), i, g.groups);
    });
    return;
  }
  using patches = Tensor.empty([outputPixels(g), patchOf(g)], dx.dtype);
  emit('linear_grad_input', [patches.handle, dy.handle, weight.handle], linearNumbers(g));
  emit('col2im', [dx.handle, patches.handle], numbersOf(g));
}

/** dWeight = dyᵀ · patches(x), dBias = the sum of dy over the pixels */
export function im2colGradWeight(
  dWeight: Tensor,
  dBias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  g: ConvolutionGeometry,
): void {
  if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [outputPixels(g), dBias.size]);
  if (g.groups > 1) {
    forEachGroup(g, (i, group) => {
      using ofDy = takePart(dy, outputPixels(g), i, g.groups);
      using ofX = takePart(x, inputPixels(g), i, g.groups);
      using ofWeight = Tensor.empty([dWeight.size / g.groups], dWeight.dtype);
      im2colGradWeight(ofWeight, null, ofDy, ofX, group);
      putPart(dWeight, ofWeight, 1, i, g.groups);
    });
    return;
  }
  using patches = patchesOf(x, g);
  emit('linear_grad_weight', [dWeight.handle, dy.handle, patches.handle], linearNumbers(g));
}
