// SPDX-License-Identifier: Apache-2.0
// The pooling layers: options for ops/pool2d. They have nothing to learn.
import { checkBooleans, describe, fail } from '../errors.js';
import {
  type AvgPool2dOptions,
  avgPool2d,
  checkNorm,
  lpPool2d,
  maxPool2d,
  type Pool2dOptions,
} from '../ops/pool2d.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { type BesidesSize, optionsOfWindow, WINDOW_OPTIONS } from './pool-options.js';

/** A layer that slides a window. */
abstract class Pool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  /** Whether a last window may reach beyond the padding. */
  readonly ceilMode: boolean;

  constructor(op: string, options: Pool2dOptions) {
    super();
    checkBooleans(op, { ceilMode: options.ceilMode });
    this.kernelSize = checkPair(op, 'kernelSize', options.kernelSize, 1);
    this.stride = checkPair(op, 'stride', options.stride ?? this.kernelSize, 1);
    this.padding = checkPair(op, 'padding', options.padding ?? 0, 0);
    this.ceilMode = options.ceilMode ?? false;
    if (this.padding.some((pad, axis) => pad > this.kernelSize[axis] / 2)) {
      throw fail('ERR_ARGUMENT', {
        op,
        expected: `padding of at most half the kernel, [${this.kernelSize.join(', ')}]`,
        received: describe(options.padding),
      });
    }
  }

  protected get window(): Pool2dOptions {
    const { kernelSize, stride, padding, ceilMode } = this;
    return { kernelSize, stride, padding, ceilMode };
  }

  override extraRepr(): string {
    const pair = ([h, w]: readonly [number, number]) => `[${h}, ${w}]`;
    const window = `kernelSize=${pair(this.kernelSize)}, stride=${pair(this.stride)}, padding=${pair(this.padding)}`;
    return this.ceilMode ? `${window}, ceilMode=true` : window;
  }
}

/**
 * The largest value of each window: `new MaxPool2d(2)`, `new MaxPool2d(3, { stride: 2, padding: 1 })`, or
 * `new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 })`.
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 */
export class MaxPool2d extends Pool2d {
  /** @param window kernelSize, then the other options, or all of them; stride defaults to kernelSize, padding to 0, ceilMode to false */
  constructor(window: Pair | Pool2dOptions, besides?: BesidesSize<Pool2dOptions>) {
    super('MaxPool2d', optionsOfWindow<Pool2dOptions>('MaxPool2d', window, besides, WINDOW_OPTIONS));
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.window);
  }
}

/** The mean of each window. Shapes: x [n, h, w, c]; result [n, outH, outW, c]. */
export class AvgPool2d extends Pool2d {
  /** Whether the zeros of the padding count in the mean. */
  readonly countIncludePad: boolean;

  /** @param window kernelSize, then the other options, or all of them; as for `MaxPool2d`, and countIncludePad, default true */
  constructor(window: Pair | AvgPool2dOptions, besides?: BesidesSize<AvgPool2dOptions>) {
    const known = [...WINDOW_OPTIONS, 'countIncludePad'];
    const options = optionsOfWindow<AvgPool2dOptions>('AvgPool2d', window, besides, known);
    super('AvgPool2d', options);
    checkBooleans('AvgPool2d', { countIncludePad: options.countIncludePad });
    this.countIncludePad = options.countIncludePad ?? true;
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, { ...this.window, countIncludePad: this.countIncludePad });
  }

  override extraRepr(): string {
    return this.countIncludePad ? super.extraRepr() : `${super.extraRepr()}, countIncludePad=false`;
  }
}

/** The p-norm of each window: `new LPPool2d(2, 3)`. Shapes: x [n, h, w, c]; result [n, outH, outW, c]. */
export class LPPool2d extends Pool2d {
  readonly normType: number;

  /**
   * @param normType which norm, a whole number from 1 to 64: 2 is the Euclidean one
   * @param window kernelSize, then the other options, or all of them; as for `MaxPool2d`
   */
  constructor(normType: number, window: Pair | Pool2dOptions, besides?: BesidesSize<Pool2dOptions>) {
    super('LPPool2d', optionsOfWindow<Pool2dOptions>('LPPool2d', window, besides, WINDOW_OPTIONS));
    this.normType = checkNorm('LPPool2d', normType);
  }

  override forward(x: Tensor): Tensor {
    return lpPool2d(x, { ...this.window, normType: this.normType });
  }

  override extraRepr(): string {
    return `normType=${this.normType}, ${super.extraRepr()}`;
  }
}
