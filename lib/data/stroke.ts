// SPDX-License-Identifier: Apache-2.0
// Pen strokes: a few knots of a drawn line become a smooth polyline, and polylines are moved, turned and bent as
// a hand would do it. Coordinates: x to the right, y down, the drawing about one unit high.

import type { RandomStream } from '../tensor/philox.js';

/** Knots `x0, y0, x1, y1, …` of one smooth line. */
export type Piece = readonly number[];

/** One movement of the pen. Each piece starts where the one before it ended, and the joint is a corner. */
export type Stroke = readonly Piece[];

/** A stroke as points: the `x` and `y` of each. */
export interface Polyline {
  readonly x: number[];
  readonly y: number[];
}

/**
 * Strokes from their notation: knots `x,y` in hundredths, ` / ` at a corner, ` + ` between strokes.
 * Only the tables of this folder are written in it, so a slip in one is a programming error.
 */
export function parseStrokes(notation: string): Stroke[] {
  return notation.split(' + ').map((stroke) =>
    stroke.split(' / ').map((piece) =>
      piece.split(/[ ,]/).map((text) => {
        const hundredths = Number.parseFloat(text);
        if (!Number.isFinite(hundredths)) throw new SyntaxError(`not a knot in "${notation}": "${text}"`);
        return hundredths / 100;
      }),
    ),
  );
}

/** Points between two knots: 7 keep the error of a tight loop below a tenth of a pixel at 28 pixels. */
const POINTS_PER_KNOT = 7;

/**
 * The polyline through the knots of a stroke.
 *
 * @param jitter standard deviation of the random shift of each knot, in units of the drawing
 */
export function trace(stroke: Stroke, random: RandomStream, jitter: number): Polyline {
  const line: Polyline = { x: [], y: [] };
  for (const piece of stroke) {
    const x: number[] = [];
    const y: number[] = [];
    const joint = line.x.length - 1;
    if (joint >= 0) {
      x.push(line.x[joint]);
      y.push(line.y[joint]);
    }
    for (let i = 0; i < piece.length; i += 2) {
      x.push(piece[i] + shift(random, jitter));
      y.push(piece[i + 1] + shift(random, jitter));
    }
    appendSpline(line, x, y);
  }
  return line;
}

/** A normal shift cut at two deviations: a hand is inexact, but never writes elsewhere. */
function shift(random: RandomStream, deviation: number): number {
  return deviation * Math.max(-2, Math.min(2, random.normal()));
}

/**
 * Centripetal Catmull-Rom through the knots: it passes through each, and has neither cusps nor loops of its own
 * however unevenly they lie (Yuksel, Schaefer, Keyser: "Parameterization and applications of Catmull-Rom curves").
 */
function appendSpline(line: Polyline, x: readonly number[], y: readonly number[]): void {
  const last = x.length - 1;
  const at = (values: readonly number[], i: number): number => {
    if (i < 0) return 2 * values[0] - values[1]; // reflected beyond the ends
    if (i > last) return 2 * values[last] - values[last - 1];
    return values[i];
  };
  const spacing = (i: number): number =>
    Math.max(1e-3, Math.sqrt(Math.hypot(at(x, i + 1) - at(x, i), at(y, i + 1) - at(y, i))));
  if (line.x.length === 0) {
    line.x.push(at(x, 0));
    line.y.push(at(y, 0));
  }
  for (let i = 0; i < last; i++) {
    const before = spacing(i - 1);
    const here = spacing(i);
    const after = spacing(i + 1);
    const startX = tangent(at(x, i - 1), at(x, i), at(x, i + 1), before, here) * here;
    const startY = tangent(at(y, i - 1), at(y, i), at(y, i + 1), before, here) * here;
    const endX = tangent(at(x, i), at(x, i + 1), at(x, i + 2), here, after) * here;
    const endY = tangent(at(y, i), at(y, i + 1), at(y, i + 2), here, after) * here;
    for (let k = 1; k <= POINTS_PER_KNOT; k++) {
      const t = k / POINTS_PER_KNOT;
      line.x.push(hermite(at(x, i), at(x, i + 1), startX, endX, t));
      line.y.push(hermite(at(y, i), at(y, i + 1), startY, endY, t));
    }
  }
}

/** The slope at `b` of the parabola through three values that lie `before` and `after` apart. */
function tangent(a: number, b: number, c: number, before: number, after: number): number {
  return (b - a) / before - (c - a) / (before + after) + (c - b) / after;
}

function hermite(from: number, to: number, slopeFrom: number, slopeTo: number, t: number): number {
  const t2 = t * t;
  const t3 = t2 * t;
  return (
    (2 * t3 - 3 * t2 + 1) * from +
    (t3 - 2 * t2 + t) * slopeFrom +
    (3 * t2 - 2 * t3) * to +
    (t3 - t2) * slopeTo
  );
}

// ---------------------------------------------------------------------------------------------------------------

/** Applies `[[a, b], [c, d]]` to every point. */
export function turn(lines: readonly Polyline[], a: number, b: number, c: number, d: number): void {
  for (const { x, y } of lines) {
    for (let i = 0; i < x.length; i++) {
      const px = x[i];
      const py = y[i];
      x[i] = a * px + b * py;
      y[i] = c * px + d * py;
    }
  }
}

/** How many waves make a bend: three of each axis look neither regular nor ragged. */
const WAVES = 3;

/**
 * Bends all lines together by a smooth random field (an elastic deformation): a few slow sine waves a direction.
 *
 * @param amount about the largest shift of a point, in units of the drawing
 */
export function bend(lines: readonly Polyline[], random: RandomStream, amount: number): void {
  for (let wave = 0; wave < 2 * WAVES; wave++) {
    const frequencyX = random.between(-5, 5); // below one period in the drawing
    const frequencyY = random.between(-5, 5);
    const phase = random.between(0, 2 * Math.PI);
    const strength = (amount / Math.sqrt(WAVES)) * random.between(0.4, 1.2);
    for (const { x, y } of lines) {
      const moved = wave < WAVES ? x : y;
      for (let i = 0; i < x.length; i++) {
        const angle = frequencyX * x[i] + frequencyY * y[i] + phase;
        moved[i] = moved[i] + strength * Math.sin(angle);
      }
    }
  }
}

/**
 * Scales all lines so that the longer side of their bounding box is `size`, and puts its middle at
 * (`centerX`, `centerY`): from units of the drawing to pixels.
 */
export function fitBox(lines: readonly Polyline[], size: number, centerX: number, centerY: number): void {
  let left = Infinity;
  let right = -Infinity;
  let top = Infinity;
  let bottom = -Infinity;
  for (const { x, y } of lines) {
    for (let i = 0; i < x.length; i++) {
      const px = x[i];
      const py = y[i];
      if (px < left) left = px;
      if (px > right) right = px;
      if (py < top) top = py;
      if (py > bottom) bottom = py;
    }
  }
  const scale = size / Math.max(right - left, bottom - top);
  const middleX = (left + right) / 2;
  const middleY = (top + bottom) / 2;
  for (const { x, y } of lines) {
    for (let i = 0; i < x.length; i++) {
      x[i] = (x[i] - middleX) * scale + centerX;
      y[i] = (y[i] - middleY) * scale + centerY;
    }
  }
}
