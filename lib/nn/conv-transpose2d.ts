// SPDX-License-Identifier: Apache-2.0
// The transposed convolution layer: a weight and a bias for ops/conv-transpose2d.
import { checkOptions } from '../errors.js';
import {
  checkOutputPadding,
  convTranspose2d,
  TRANSPOSED_OPTIONS,
  type ConvTranspose2dOptions as TransposeOptions,
} from '../ops/conv-transpose2d.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Convolution } from './convolution.js';

/** How a transposed convolution layer is built. */
export interface ConvTranspose2dOptions extends TransposeOptions {
  readonly kernelSize: Pair;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * 2-D transposed convolution. Shapes: x [n, h, w, inC]; result [n, outH, outW, outC] with
 * outH = (h - 1) stride - 2 padding + dilation (kH - 1) + outputPadding + 1; weight [inC, kH, kW, outC / groups], in
 * PyTorch's files [inC, outC / groups, kH, kW]; bias [outC].
 *
 * Weights start as PyTorch's do: uniform in ±1 / sqrt(outC / groups kH kW).
 */
export class ConvTranspose2d extends Convolution<readonly [number, number]> {
  readonly outputPadding: readonly [number, number];

  /**
   * @param options kernelSize is needed; stride 1, padding 0, outputPadding 0, dilation 1, groups 1, bias true, algorithm
   * 'auto' are the defaults
   */
  constructor(inChannels: number, outChannels: number, options: ConvTranspose2dOptions) {
    const op = 'ConvTranspose2d';
    checkOptions(op, options, ['kernelSize', ...TRANSPOSED_OPTIONS, 'bias']);
    checkPair(op, 'padding', options.padding ?? 0, 0); // no 'same'
    super({ op, axes: 2, transposed: true }, inChannels, outChannels, options);
    this.outputPadding = checkOutputPadding(op, options.outputPadding ?? 0, this);
  }

  override forward(x: Tensor): Tensor {
    const { stride, outputPadding, dilation, groups, algorithm } = this;
    const padding = this.padding as readonly [number, number];
    const options = { stride, padding, outputPadding, dilation, groups, algorithm };
    return convTranspose2d(x, this.weight, this.bias, options);
  }

  override multiplyAdds([n, h, w]: Shape): number {
    return n * h * w * this.weight.size;
  }

  override extraRepr(): string {
    const { outputPadding } = this;
    const extra = outputPadding.some((pad) => pad > 0) ? `, outputPadding=[${outputPadding.join(', ')}]` : '';
    return super.extraRepr() + extra;
  }
}
