// SPDX-License-Identifier: Apache-2.0
// `glyphs`: digits as people write them, drawn by this library itself. Each picture depends on its seed, stream
// and index alone, so the set is endless, needs no download, and is the same on every machine.

import { RandomStream } from '../tensor/philox.js';
import type { Split } from './dataset.js';
import { generateSplit, type PictureSeries, type SplitSizes } from './generated.js';
import { GLYPH_VARIANTS, type GlyphVariant } from './glyph-strokes.js';
import { bend, fitBox, trace, turn } from './stroke.js';
import { Canvas } from './stroke-raster.js';

/** Height and width of a glyph. */
export const GLYPH_SIZE = 28;

const CLASS_NAMES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/**
 * Draws one digit, white on black, `[28, 28, 1]`.
 *
 * @param seed safe integer
 * @param index which picture of the endless series, from 0 to 2^32 - 1
 * @param out receives 784 bytes
 * @param offset where in `out` they begin
 * @param stream which series: training and test pictures come from different ones
 * @returns the digit
 */
export function drawGlyph(seed: number, index: number, out: Uint8Array, offset = 0, stream = 0): number {
  const random = new RandomStream(seed, stream, index);
  const digit = random.int(CLASS_NAMES.length);
  const variant = pick(GLYPH_VARIANTS[digit], random);

  // 1. The hand: each knot a little off, then the whole turned, slanted, squeezed and bent.
  const care = random.between(0.015, 0.05);
  const lines = variant.strokes.map((stroke) => trace(stroke, random, care));
  const angle = random.between(-0.26, 0.26); // 15 degrees either way
  const slant = Math.max(-0.3, Math.min(0.6, 0.12 + 0.2 * random.normal())); // most hands lean to the right
  const aspect = random.between(0.6, 1);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  bend(lines, random, random.between(0.01, 0.06));
  turn(lines, aspect * cos, -slant * cos - sin, aspect * sin, cos - slant * sin);

  // 2. The paper: size and place.
  const size = random.between(15.5, 20);
  const middle = GLYPH_SIZE / 2;
  fitBox(lines, size, middle + random.between(-2, 2), middle + random.between(-2, 2));

  // 3. The pen.
  const canvas = new Canvas(GLYPH_SIZE, GLYPH_SIZE);
  const radius = random.between(0.7, 1.75);
  const waver = random.between(0, 0.25);
  const taper = random.between(0.7, 1);
  const softness = random.between(0.9, 1.6);
  for (const line of lines) {
    const frequency = random.between(0.5, 2);
    const phase = random.between(0, 2 * Math.PI);
    canvas.draw(line, { radius, waver, frequency, phase, taper, softness });
  }

  // 4. The scan.
  canvas.blur(random.between(0, 0.12));
  canvas.develop(out, offset, random.between(200, 255), random.between(0, 9), random);
  return digit;
}

function pick(variants: readonly GlyphVariant[], random: RandomStream): GlyphVariant {
  const total = variants.reduce((sum, variant) => sum + variant.weight, 0);
  let left = random.int(total);
  for (const variant of variants) {
    left -= variant.weight;
    if (left < 0) return variant;
  }
  throw new RangeError('unreachable: the weights sum to the total');
}

/** The series as `loadDataset` draws it. */
export const GLYPH_SERIES: PictureSeries = {
  name: 'glyphs',
  imageShape: [GLYPH_SIZE, GLYPH_SIZE, 1],
  classNames: CLASS_NAMES,
  normalization: { mean: [0.124], std: [0.259] }, // measured on 20,000 pictures
  defaultTrainSize: 20_000,
  defaultTestSize: 4_000,
  draw: drawGlyph,
};

/**
 * Handwritten-like digits, images `[n, 28, 28, 1]` of bytes in 10 classes.
 *
 * @param sizes seed (default 1) and how many pictures to train (20,000) and to test with (4,000)
 * @throws ERR_ARGUMENT for a seed or size that is not a whole number in range
 */
export function glyphs(sizes: SplitSizes = {}): Split {
  return generateSplit(GLYPH_SERIES, sizes);
}
