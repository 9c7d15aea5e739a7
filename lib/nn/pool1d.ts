// SPDX-License-Identifier: Apache-2.0
// The pooling layers of sequences: options for ops/pool1d.
import { checkBooleans, checkWhole, describe, fail } from '../errors.js';
import {
  type AvgPool1dOptions,
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  lpPool1d,
  maxPool1d,
  type Pool1dOptions,
} from '../ops/pool1d.js';
import { checkNorm } from '../ops/pool2d.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { type BesidesSize, optionsOfWindow, WINDOW_OPTIONS } from './pool-options.js';

/** A layer that slides a window along a sequence. */
abstract class Pool1d extends Module {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  /** Whether a last window may reach beyond the padding. */
  readonly ceilMode: boolean;

  constructor(op: string, options: Pool1dOptions) {
    super();
    checkBooleans(op, { ceilMode: options.ceilMode });
    this.kernelSize = checkWhole(op, 'kernelSize', options.kernelSize);
    this.stride = checkWhole(op, 'stride', options.stride ?? this.kernelSize);
    this.padding = checkWhole(op, 'padding', options.padding ?? 0, 0);
    this.ceilMode = options.ceilMode ?? false;
    if (this.padding > this.kernelSize / 2) {
      throw fail('ERR_ARGUMENT', {
        op,
        expected: `padding of at most half the kernel, ${this.kernelSize}`,
        received: describe(options.padding),
      });
    }
  }

  protected get window(): Pool1dOptions {
    const { kernelSize, stride, padding, ceilMode } = this;
    return { kernelSize, stride, padding, ceilMode };
  }

  override extraRepr(): string {
    const window = `kernelSize=${this.kernelSize}, stride=${this.stride}, padding=${this.padding}`;
    return this.ceilMode ? `${window}, ceilMode=true` : window;
  }
}

/** The largest value of each window. Shapes: x [n, l, c]; result [n, outL, c]. */
export class MaxPool1d extends Pool1d {
  /** @param window kernelSize, then the other options, or all of them; stride defaults to kernelSize, padding to 0, ceilMode to false */
  constructor(window: number | Pool1dOptions, besides?: BesidesSize<Pool1dOptions>) {
    super('MaxPool1d', optionsOfWindow<Pool1dOptions>('MaxPool1d', window, besides, WINDOW_OPTIONS));
  }

  override forward(x: Tensor): Tensor {
    return maxPool1d(x, this.window);
  }
}

/** The mean of each window. Shapes: x [n, l, c]; result [n, outL, c]. */
export class AvgPool1d extends Pool1d {
  /** Whether the zeros of the padding count in the mean. */
  readonly countIncludePad: boolean;

  /** @param window kernelSize, then the other options, or all of them; as for `MaxPool1d`, and countIncludePad, default true */
  constructor(window: number | AvgPool1dOptions, besides?: BesidesSize<AvgPool1dOptions>) {
    const known = [...WINDOW_OPTIONS, 'countIncludePad'];
    const options = optionsOfWindow<AvgPool1dOptions>('AvgPool1d', window, besides, known);
    super('AvgPool1d', options);
    checkBooleans('AvgPool1d', { countIncludePad: options.countIncludePad });
    this.countIncludePad = options.countIncludePad ?? true;
  }

  override forward(x: Tensor): Tensor {
    return avgPool1d(x, { ...this.window, countIncludePad: this.countIncludePad });
  }

  override extraRepr(): string {
    return this.countIncludePad ? super.extraRepr() : `${super.extraRepr()}, countIncludePad=false`;
  }
}

/** The p-norm of each window: `new LPPool1d(2, 3)`. Shapes: x [n, l, c]; result [n, outL, c]. */
export class LPPool1d extends Pool1d {
  readonly normType: number;

  /**
   * @param normType which norm, a whole number from 1 to 64
   * @param window kernelSize, then the other options, or all of them; as for `MaxPool1d`
   */
  constructor(normType: number, window: number | Pool1dOptions, besides?: BesidesSize<Pool1dOptions>) {
    super('LPPool1d', optionsOfWindow<Pool1dOptions>('LPPool1d', window, besides, WINDOW_OPTIONS));
    this.normType = checkNorm('LPPool1d', normType);
  }

  override forward(x: Tensor): Tensor {
    return lpPool1d(x, { ...this.window, normType: this.normType });
  }

  override extraRepr(): string {
    return `normType=${this.normType}, ${super.extraRepr()}`;
  }
}

/** The largest value of each of `outputSize` parts. Shapes: x [n, l, c]; result [n, outputSize, c]. */
export class AdaptiveMaxPool1d extends Module {
  readonly outputSize: number;

  constructor(outputSize: number) {
    super();
    this.outputSize = checkWhole('AdaptiveMaxPool1d', 'outputSize', outputSize);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }

  override extraRepr(): string {
    return `${this.outputSize}`;
  }
}

/** The mean of each of `outputSize` parts. Shapes: x [n, l, c]; result [n, outputSize, c]. */
export class AdaptiveAvgPool1d extends Module {
  readonly outputSize: number;

  constructor(outputSize: number) {
    super();
    this.outputSize = checkWhole('AdaptiveAvgPool1d', 'outputSize', outputSize);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }

  override extraRepr(): string {
    return `${this.outputSize}`;
  }
}
