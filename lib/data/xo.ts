// SPDX-License-Identifier: Apache-2.0
// `xo`: the X's and O's that introductions to convolutional networks begin with, shifted, shrunk, turned, bent and
// drawn with thick and thin pens. Two classes, one channel, and yet no template matches them.

import { RandomStream } from '../tensor/philox.js';
import type { Split } from './dataset.js';
import { generateSplit, type PictureSeries, type SplitSizes } from './generated.js';
import { bend, fitBox, parseStrokes, trace, turn } from './stroke.js';
import { Canvas } from './stroke-raster.js';

/** Height and width of a picture. */
export const XO_SIZE = 24;

const CLASS_NAMES = ['X', 'O'] as const;

const CROSS = parseStrokes('2,2 50,50 98,98 + 98,2 50,50 2,98');
const RING = parseStrokes('50,0 15,15 0,50 15,85 50,100 85,85 100,50 85,15 50,1');

/**
 * Draws one X or O, white on black, `[24, 24, 1]`.
 *
 * @param seed safe integer
 * @param index which picture of the endless series, from 0 to 2^32 - 1
 * @param out receives 576 bytes
 * @param offset where in `out` they begin
 * @param stream which series: training and test pictures come from different ones
 * @returns 0 for an X, 1 for an O
 */
export function drawXo(seed: number, index: number, out: Uint8Array, offset = 0, stream = 0): number {
  const random = new RandomStream(seed, stream, index);
  const label = random.int(CLASS_NAMES.length);

  // 1. The hand. An X turned by 45 degrees would be a plus, so it stops at 25; a ring has no such limit.
  const care = random.between(0.01, 0.05);
  const lines = (label === 0 ? CROSS : RING).map((stroke) => trace(stroke, random, care));
  bend(lines, random, random.between(0.01, 0.09));
  const angle = label === 0 ? random.between(-0.44, 0.44) : random.between(-Math.PI, Math.PI);
  const slant = random.between(-0.2, 0.2);
  const aspect = random.between(0.65, 1.35);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  turn(lines, aspect * cos, -slant * cos - sin, aspect * sin, cos - slant * sin);

  // 2. The paper: half to nearly all of the picture, anywhere that it fits.
  const radius = random.between(0.7, 1.5);
  const size = random.between(9.5, 19);
  const room = (XO_SIZE - size) / 2 - radius;
  const middle = XO_SIZE / 2;
  fitBox(lines, size, middle + random.between(-room, room), middle + random.between(-room, room));

  // 3. The pen and the scan.
  const canvas = new Canvas(XO_SIZE, XO_SIZE);
  const waver = random.between(0, 0.25);
  const taper = random.between(0.8, 1);
  const softness = random.between(0.9, 1.5);
  for (const line of lines) {
    const frequency = random.between(0.5, 2);
    const phase = random.between(0, 2 * Math.PI);
    canvas.draw(line, { radius, waver, frequency, phase, taper, softness });
  }
  canvas.blur(random.between(0, 0.1));
  canvas.develop(out, offset, random.between(180, 255), random.between(0, 14), random);
  return label;
}

/** The series as `loadDataset` draws it. */
export const XO_SERIES: PictureSeries = {
  name: 'xo',
  imageShape: [XO_SIZE, XO_SIZE, 1],
  classNames: CLASS_NAMES,
  normalization: { mean: [0.127], std: [0.249] }, // measured on 20,000 pictures
  defaultTrainSize: 8_000,
  defaultTestSize: 2_000,
  draw: drawXo,
};

/**
 * X's and O's, images `[n, 24, 24, 1]` of bytes in 2 classes.
 *
 * @param sizes seed (default 1) and how many pictures to train (8,000) and to test with (2,000)
 * @throws ERR_ARGUMENT for a seed or size that is not a whole number in range
 */
export function xo(sizes: SplitSizes = {}): Split {
  return generateSplit(XO_SERIES, sizes);
}
