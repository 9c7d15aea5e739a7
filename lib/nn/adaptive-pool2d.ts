// SPDX-License-Identifier: Apache-2.0
// Layers that pool images of any size to one size, or to one vector.
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  checkOutputSize,
  checkPyramid,
  globalMaxPool2d,
  type OutputSize,
  type SpatialPyramidPool2dOptions,
  spatialPyramidPool2d,
} from '../ops/adaptive-pool2d.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** A layer with a size that its result has. */
abstract class AdaptivePool2d extends Module {
  /** Null for an axis that stays as it is. */
  readonly outputSize: readonly [number | null, number | null];

  constructor(op: string, outputSize: OutputSize) {
    super();
    this.outputSize = checkOutputSize(op, outputSize);
  }

  override extraRepr(): string {
    return `[${this.outputSize.map(String).join(', ')}]`;
  }
}

/** The largest value of each part of an image: `new AdaptiveMaxPool2d(6)`. Shapes: x [n, h, w, c]; result [n, 6, 6, c]. */
export class AdaptiveMaxPool2d extends AdaptivePool2d {
  /** @param outputSize of both axes, or [height, width]; null leaves an axis as it is */
  constructor(outputSize: OutputSize) {
    super('AdaptiveMaxPool2d', outputSize);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** The mean of each part of an image: `new AdaptiveAvgPool2d([6, 7])`. Shapes: x [n, h, w, c]; result [n, 6, 7, c]. */
export class AdaptiveAvgPool2d extends AdaptivePool2d {
  /** @param outputSize of both axes, or [height, width]; null leaves an axis as it is */
  constructor(outputSize: OutputSize) {
    super('AdaptiveAvgPool2d', outputSize);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** The largest of all pixels, channel by channel. Shapes: x [n, h, w, c]; result [n, c], ready for a `Linear`. */
export class GlobalMaxPool2d extends Module {
  override forward(x: Tensor): Tensor {
    return globalMaxPool2d(x);
  }
}

/**
 * A vector of one length for images of any size: `new SpatialPyramidPool2d([1, 2, 4])` in front of a `Linear` of 21 c
 * features. Shapes: x [n, h, w, c]; result [n, c times the sum of level²].
 */
export class SpatialPyramidPool2d extends Module {
  readonly levels: readonly number[];
  readonly mode: 'max' | 'avg';

  /**
   * @param levels sides of the pooled images
   * @param options mode 'max' (default) or 'avg'
   */
  constructor(levels: readonly number[], options: SpatialPyramidPool2dOptions = {}) {
    super();
    this.mode = checkPyramid('SpatialPyramidPool2d', levels, options);
    this.levels = [...levels];
  }

  override forward(x: Tensor): Tensor {
    return spatialPyramidPool2d(x, this.levels, { mode: this.mode });
  }

  override extraRepr(): string {
    return `[${this.levels.join(', ')}], mode=${this.mode}`;
  }
}
