// SPDX-License-Identifier: Apache-2.0
// Convolution of sequences and images: check, run, record. Its three passes are three instructions.
import type { BackwardFunction } from '../autograd/node.js';
import { checkOptions } from '../errors.js';
import { emit } from '../native/bindings.js';
import { checkSettings, convolutionAxes } from '../tensor/convolution-window.js';
import { Tensor } from '../tensor/tensor.js';
import {
  CONVOLUTION_OPTIONS,
  type ConvolutionOptions,
  checkBias,
  checkChannels,
  checkGroups,
  checkOperands,
  geometryOf,
  outputPixels,
  reachOf,
} from './convolution.js';
import { passesOf } from './convolution-passes.js';
import { record } from './record.js';

const WEIGHTS = { 1: '[outC, k, inC / groups]', 2: '[outC, kH, kW, inC / groups]' };

/** A convolution with so many axes, under the name of its operation. */
export function convolve(
  op: string,
  axes: 1 | 2,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvolutionOptions,
): Tensor {
  checkOptions(op, options, CONVOLUTION_OPTIONS);
  checkOperands(op, axes, x, weight, WEIGHTS[axes], bias);
  const settings = checkSettings(op, axes, options);
  const { groups } = settings;
  const [batch, inC] = [x.shape[0], weight.shape[axes + 1] * groups];
  const outC = weight.shape[0];
  checkChannels(op, x, weight, inC, groups);
  checkGroups(op, weight, 'outputs', outC, groups);
  checkBias(op, bias, weight, outC);
  const window = convolutionAxes(op, x.shape.slice(1, -1), weight.shape.slice(1, -1), settings);
  const g = geometryOf(op, { batch, inC, outC, groups }, window, options.algorithm);
  const passes = passesOf(g);
  const y = Tensor.empty([batch, ...window.map(({ out }) => out), outC], x.dtype);
  passes.forward(y, x, weight, bias, g);
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  const backward: BackwardFunction = (dy, [x, weight], needs) => {
    const dx = needs[0] ? Tensor.empty(x.shape, x.dtype) : null;
    const dWeight = needs[1] ? Tensor.empty(weight.shape, x.dtype) : null;
    const dBias = needs[2] ? Tensor.empty([outC], x.dtype) : null;
    if (dx !== null) passes.gradInput(dx, dy, weight, g);
    if (dWeight !== null) passes.gradWeight(dWeight, dBias, dy, x, g);
    else if (dBias !== null) emit('column_sum', [dBias.handle, dy.handle], [outputPixels(g), outC]);
    return [dx, dWeight, dBias];
  };
  return record(op, y, inputs, [x, weight], backward, reachOf(g));
}
