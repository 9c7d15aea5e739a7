// SPDX-License-Identifier: Apache-2.0
// The pooling layers: options for ops/pool2d. They have nothing to learn.
import { checkOptions, describe, fail } from '../errors.js';
import { type AvgPool2dOptions, avgPool2d, lpPool2d, maxPool2d, type Pool2dOptions } from '../ops/pool2d.js';
import { checkPair, type Pair } from '../tensor/conv-geometry.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

const OPTIONS = ['kernelSize', 'stride', 'padding'];

/** A layer that slides a window. */
abstract class Pool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];

  constructor(op: string, window: Pair | Pool2dOptions, known: readonly string[] = OPTIONS) {
    super();
    const isPair = typeof window !== 'object' || Array.isArray(window);
    const options = isPair ? { kernelSize: window as Pair } : (window as Pool2dOptions);
    checkOptions(op, options, known);
    this.kernelSize = checkPair(op, 'kernelSize', options.kernelSize, 1);
    this.stride = checkPair(op, 'stride', options.stride ?? this.kernelSize, 1);
    this.padding = checkPair(op, 'padding', options.padding ?? 0, 0);
    if (this.padding.some((pad, axis) => pad > this.kernelSize[axis] / 2)) {
      throw fail('ERR_ARGUMENT', {
        op,
        expected: `padding of at most half the kernel, [${this.kernelSize.join(', ')}]`,
        received: describe(options.padding),
      });
    }
  }

  protected get window(): Pool2dOptions {
    return { kernelSize: this.kernelSize, stride: this.stride, padding: this.padding };
  }

  override extraRepr(): string {
    const pair = ([h, w]: readonly [number, number]) => `[${h}, ${w}]`;
    return `kernelSize=${pair(this.kernelSize)}, stride=${pair(this.stride)}, padding=${pair(this.padding)}`;
  }
}

/**
 * The largest value of each window: `new MaxPool2d(2)`, `new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 })`.
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 */
export class MaxPool2d extends Pool2d {
  /** @param window kernelSize, or options; stride defaults to kernelSize, padding to 0 */
  constructor(window: Pair | Pool2dOptions) {
    super('MaxPool2d', window);
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.window);
  }
}

/** The mean of each window. Shapes: x [n, h, w, c]; result [n, outH, outW, c]. */
export class AvgPool2d extends Pool2d {
  /** Whether the zeros of the padding count in the mean. */
  readonly countIncludePad: boolean;

  /** @param window kernelSize, or options; stride defaults to kernelSize, padding to 0, countIncludePad to true */
  constructor(window: Pair | AvgPool2dOptions) {
    super('AvgPool2d', window, [...OPTIONS, 'countIncludePad']);
    const asked = typeof window === 'object' && 'countIncludePad' in window ? window.countIncludePad : true;
    this.countIncludePad = asked ?? true;
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, { ...this.window, countIncludePad: this.countIncludePad });
  }
}

/** The Euclidean norm of each window: `new LPPool2d(2, 3)`. Shapes: x [n, h, w, c]; result [n, outH, outW, c]. */
export class LPPool2d extends Pool2d {
  readonly normType = 2;

  /**
   * @param normType only 2
   * @param window kernelSize, or options; stride defaults to kernelSize, padding to 0
   */
  constructor(normType: 2, window: Pair | Pool2dOptions) {
    super('LPPool2d', window);
    if (normType === 2) return;
    throw fail('ERR_ARGUMENT', { op: 'LPPool2d', expected: 'normType 2', received: describe(normType) });
  }

  override forward(x: Tensor): Tensor {
    return lpPool2d(x, this.window);
  }

  override extraRepr(): string {
    return `normType=2, ${super.extraRepr()}`;
  }
}
