// SPDX-License-Identifier: Apache-2.0
// Images in another size, as a layer.
import { checkUpsampling, type UpsampleOptions, type Upsampling, upsample } from '../ops/upsample.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/**
 * `new Upsample({ scaleFactor: 2 })`, `new Upsample({ size: [64, 48], mode: 'bilinear' })`.
 * Shapes: x [n, h, w, c]; result [n, outH, outW, c].
 */
export class Upsample extends Module {
  readonly #options: Upsampling;

  /** @param options size or scaleFactor; mode 'nearest' (default) or 'bilinear', which has alignCorners */
  constructor(options: UpsampleOptions) {
    super();
    this.#options = checkUpsampling('Upsample', options);
  }

  override forward(x: Tensor): Tensor {
    return upsample(x, this.#options);
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode, alignCorners } = this.#options;
    const much =
      size === undefined ? `scaleFactor=[${scaleFactor?.join(', ')}]` : `size=[${size.join(', ')}]`;
    return `${much}, mode=${mode}${alignCorners ? ', alignCorners=true' : ''}`;
  }
}
