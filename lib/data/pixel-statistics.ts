// SPDX-License-Identifier: Apache-2.0
// Mean and standard deviation of pixels, channel by channel, of images that come one after another: from exact counts of the
// 256 values.
import type { Normalization } from './dataset.js';

export class PixelStatistics {
  readonly #channels: number;
  /** `[channels][256]` */
  readonly #counts: Float64Array;

  constructor(channels: number) {
    this.#channels = channels;
    this.#counts = new Float64Array(channels * 256);
  }

  /** Takes whole pixels. */
  add(pixels: Uint8Array): void {
    for (let i = 0, c = 0; i < pixels.length; i++) {
      this.#counts[256 * c + pixels[i]] += 1;
      c = c + 1 === this.#channels ? 0 : c + 1;
    }
  }

  /** Of values in [0, 1]. A channel that is everywhere the same has the deviation 1, so that it can be divided by. */
  get normalization(): Normalization {
    const mean: number[] = [];
    const std: number[] = [];
    for (let c = 0; c < this.#channels; c++) {
      const counts = this.#counts.subarray(256 * c, 256 * (c + 1));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const average = counts.reduce((sum, count, value) => sum + count * (value / 255), 0) / total;
      const variance =
        counts.reduce((sum, count, value) => sum + count * (value / 255 - average) ** 2, 0) / total;
      mean.push(average);
      std.push(Math.sqrt(variance) || 1);
    }
    return { mean, std };
  }
}
