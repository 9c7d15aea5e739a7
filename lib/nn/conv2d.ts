// SPDX-License-Identifier: Apache-2.0
// The convolution layer: a weight and a bias for ops/conv2d.
import { checkOptions } from '../errors.js';
import { type Conv2dOptions as ConvolveOptions, conv2d } from '../ops/conv2d.js';
import { type Conv2dAlgorithm, checkAlgorithm } from '../ops/conv2d-algorithm.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCount } from './check.js';
import { defaultInit_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How a convolution layer is built. */
export interface Conv2dOptions extends ConvolveOptions {
  readonly kernelSize: Pair;
  /** Default true. */
  readonly bias?: boolean;
}

const OPTIONS = ['kernelSize', 'stride', 'padding', 'bias', 'algorithm'];

/**
 * 2-D convolution with zero padding. Shapes: x [n, h, w, inC]; result [n, outH, outW, outC].
 *
 * Weights start as PyTorch's do: uniform in ±1 / sqrt(inC kH kW).
 */
export class Conv2d extends Module {
  /** [outC, kH, kW, inC] */
  readonly weight: Parameter;
  /** [outC] */
  readonly bias: Parameter | null;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  #algorithm: Conv2dAlgorithm;

  /** @param options kernelSize is needed; stride 1, padding 0, bias true, algorithm 'auto' are the defaults */
  constructor(inChannels: number, outChannels: number, options: Conv2dOptions) {
    super();
    checkOptions('Conv2d', options, OPTIONS);
    this.inChannels = checkCount('Conv2d', 'inChannels', inChannels);
    this.outChannels = checkCount('Conv2d', 'outChannels', outChannels);
    this.kernelSize = checkPair('Conv2d', 'kernelSize', options.kernelSize, 1);
    this.stride = checkPair('Conv2d', 'stride', options.stride ?? 1, 1);
    this.padding = checkPair('Conv2d', 'padding', options.padding ?? 0, 0);
    this.#algorithm = checkAlgorithm('Conv2d', options.algorithm, this.kernelSize, this.stride);
    this.weight = new Parameter([outChannels, ...this.kernelSize, inChannels]);
    this.bias = (options.bias ?? true) ? new Parameter([outChannels]) : null;
    defaultInit_(this.weight, this.bias);
  }

  /** How to compute it; may be set at any time, and holds for what is recorded or captured from then on. */
  get algorithm(): Conv2dAlgorithm {
    return this.#algorithm;
  }

  /** Throws ERR_ARGUMENT where the layer cannot be computed that way. */
  set algorithm(algorithm: Conv2dAlgorithm) {
    this.#algorithm = checkAlgorithm('Conv2d', algorithm, this.kernelSize, this.stride);
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, algorithm } = this;
    return conv2d(x, this.weight, this.bias, { stride, padding, algorithm });
  }

  override multiplyAdds(_inputShape: Shape, [n, h, w]: Shape): number {
    return n * h * w * this.weight.size;
  }

  override extraRepr(): string {
    const pair = ([h, w]: readonly [number, number]) => `[${h}, ${w}]`;
    const { inChannels, outChannels, kernelSize, stride, padding } = this;
    const parts = [inChannels, outChannels, `kernelSize=${pair(kernelSize)}`, `stride=${pair(stride)}`];
    if (padding[0] + padding[1] > 0) parts.push(`padding=${pair(padding)}`);
    if (this.bias === null) parts.push('bias=false');
    if (this.algorithm !== 'auto') parts.push(`algorithm=${this.algorithm}`);
    return parts.join(', ');
  }
}
