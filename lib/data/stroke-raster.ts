// SPDX-License-Identifier: Apache-2.0
// Ink on paper: polylines drawn white on black by a pen of varying thickness, by the distance of each pixel's
// middle to the line, then softened and made slightly noisy as a scan would be. All lengths are in pixels.

import type { RandomStream } from '../tensor/philox.js';
import type { Polyline } from './stroke.js';

/** How a pen draws. */
export interface Pen {
  /** Half the thickness of the line. */
  readonly radius: number;
  /** The share of the radius by which the thickness wavers along a line, 0 to 1. */
  readonly waver: number;
  /** Waves of that a line, and where in the wave it begins. */
  readonly frequency: number;
  readonly phase: number;
  /** The share of the radius left at both ends of a line, 0 to 1. */
  readonly taper: number;
  /** Width of the soft edge: 1 is plain antialiasing. */
  readonly softness: number;
}

/** A picture of `height` times `width` values in [0, 1]: 0 is paper, 1 is ink. */
export class Canvas {
  readonly height: number;
  readonly width: number;
  readonly #ink: Float32Array;
  readonly #scratch: Float32Array;

  constructor(height: number, width: number) {
    this.height = height;
    this.width = width;
    this.#ink = new Float32Array(height * width);
    this.#scratch = new Float32Array(height * width);
  }

  /** Draws a line; where lines cross, the darker ink wins. */
  draw(line: Polyline, pen: Pen): void {
    const last = line.x.length - 1;
    const radius = (i: number): number => {
      const t = i / last;
      const waver = 1 + pen.waver * Math.sin(2 * Math.PI * pen.frequency * t + pen.phase);
      const fromEnd = Math.min(1, 5 * Math.min(t, 1 - t)); // the taper covers a fifth at each end
      return pen.radius * waver * (pen.taper + (1 - pen.taper) * fromEnd);
    };
    for (let i = 0; i < last; i++) {
      this.#drawSegment(
        line.x[i],
        line.y[i],
        line.x[i + 1],
        line.y[i + 1],
        radius(i),
        radius(i + 1),
        pen.softness,
      );
    }
  }

  #drawSegment(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    r0: number,
    r1: number,
    softness: number,
  ): void {
    const reach = Math.max(r0, r1) + softness / 2;
    const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach - 0.5));
    const right = Math.min(this.width - 1, Math.floor(Math.max(x0, x1) + reach - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach - 0.5));
    const bottom = Math.min(this.height - 1, Math.floor(Math.max(y0, y1) + reach - 0.5));
    const dx = x1 - x0;
    const dy = y1 - y0;
    const lengthSquared = dx * dx + dy * dy + 1e-12; // a dot has no direction, but still a distance
    for (let row = top; row <= bottom; row++) {
      const py = row + 0.5 - y0;
      for (let column = left; column <= right; column++) {
        const px = column + 0.5 - x0;
        const t = Math.max(0, Math.min(1, (px * dx + py * dy) / lengthSquared));
        const ex = px - t * dx;
        const ey = py - t * dy;
        const distance = Math.sqrt(ex * ex + ey * ey);
        const coverage = Math.min(1, (r0 + t * (r1 - r0) - distance) / softness + 0.5);
        const at = row * this.width + column;
        if (coverage > this.#ink[at]) this.#ink[at] = coverage;
      }
    }
  }

  /** Mixes each pixel with its neighbours by the kernel [s, 1 - 2s, s] in both directions, `s` from 0 to 0.33. */
  blur(s: number): void {
    this.#blurAlong(this.#ink, this.#scratch, 1, this.width, s);
    this.#blurAlong(this.#scratch, this.#ink, this.width, this.height, s);
  }

  #blurAlong(from: Float32Array, to: Float32Array, stride: number, count: number, s: number): void {
    for (let i = 0; i < from.length; i++) {
      const position = Math.floor(i / stride) % count;
      const before = position > 0 ? from[i - stride] : 0;
      const after = position < count - 1 ? from[i + stride] : 0;
      to[i] = (1 - 2 * s) * from[i] + s * (before + after);
    }
  }

  /**
   * Writes the picture as bytes.
   *
   * @param brightness value of full ink, 0 to 255
   * @param noise standard deviation of the grain, in the same units; it shows on ink and paper alike
   */
  develop(out: Uint8Array, offset: number, brightness: number, noise: number, random: RandomStream): void {
    let word = 0;
    for (let i = 0; i < this.#ink.length; i++) {
      word = i % 2 === 0 ? random.word() : word >>> 16; // each half of a word is the grain of one pixel
      const value = brightness * this.#ink[i] + noise * grain(word);
      out[offset + i] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
}

/** The lower two bytes of a word added up: a triangular number of mean 0 and deviation 1, enough for a grain. */
function grain(word: number): number {
  return ((word & 255) + ((word >>> 8) & 255) - 255) / 104.5; // each byte has a variance of (256² - 1) / 12
}
