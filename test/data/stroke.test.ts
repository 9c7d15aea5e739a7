// SPDX-License-Identifier: Apache-2.0
// The geometry of strokes and the ink of the pen, on shapes whose answer is known.
import { describe, expect, it } from 'vitest';
import { GLYPH_VARIANTS } from '../../lib/data/glyph-strokes.js';
import { bend, fitBox, parseStrokes, trace, turn } from '../../lib/data/stroke.js';
import { Canvas, type Pen } from '../../lib/data/stroke-raster.js';
import { RandomStream } from '../../lib/tensor/philox.js';

const random = () => new RandomStream(1, 0, 0);

describe('parseStrokes', () => {
  it('reads knots, corners and strokes', () => {
    expect(parseStrokes('0,5 50,100 / 20,30 + 1,2 3,4')).toEqual([
      [
        [0, 0.05, 0.5, 1],
        [0.2, 0.3],
      ],
      [[0.01, 0.02, 0.03, 0.04]],
    ]);
  });

  it.each(['1,2 x,3', '', '1,2  3,4'])('refuses %j', (notation) => {
    expect(() => parseStrokes(notation)).toThrow(SyntaxError);
  });

  it('has several ways to write each of ten digits, all within the box', () => {
    expect(GLYPH_VARIANTS).toHaveLength(10);
    for (const variants of GLYPH_VARIANTS) {
      expect(variants.length).toBeGreaterThanOrEqual(3);
      for (const knots of variants.flatMap((variant) => variant.strokes.flat())) {
        expect(knots.length % 2).toBe(0);
        for (const value of knots) expect(value >= 0 && value <= 1).toBe(true);
      }
    }
  });
});

describe('trace', () => {
  it('passes through every knot and joins pieces at corners', () => {
    const [stroke] = parseStrokes('0,0 30,60 80,20 / 10,90 70,70');
    const { x, y } = trace(stroke, random(), 0);
    for (const [kx, ky] of [
      [0, 0],
      [0.3, 0.6],
      [0.8, 0.2],
      [0.1, 0.9],
      [0.7, 0.7],
    ]) {
      expect(Math.min(...x.map((px, i) => Math.hypot(px - kx, y[i] - ky)))).toBeLessThan(1e-12);
    }
  });

  it('keeps a straight line straight', () => {
    const { x, y } = trace(parseStrokes('0,0 10,20 50,100')[0], random(), 0);
    for (const [i, px] of x.entries()) expect(y[i]).toBeCloseTo(2 * px, 12);
  });

  it('moves no knot by more than two deviations', () => {
    for (let index = 0; index < 200; index++) {
      const { x, y } = trace([[0, 0, 1, 1]], new RandomStream(1, 0, index), 0.05);
      expect(Math.max(Math.abs(x[0]), Math.abs(y[0]))).toBeLessThanOrEqual(0.1 + 1e-12);
    }
  });
});

describe('turn, bend and fitBox', () => {
  it('turns by a matrix', () => {
    const line = { x: [1, 0], y: [0, 1] };
    turn([line], 0, -1, 1, 0);
    expect(line).toEqual({ x: [0, -1], y: [1, 0] });
  });

  it('bends by no more than it should, and all lines alike', () => {
    const lines = [
      { x: [0.2, 0.9], y: [0.4, 0.1] },
      { x: [0.2, 0.9], y: [0.4, 0.1] },
    ];
    bend(lines, random(), 0.05);
    expect(lines[0]).toEqual(lines[1]);
    expect(Math.abs(lines[0].x[0] - 0.2)).toBeGreaterThan(0);
    expect(Math.hypot(lines[0].x[0] - 0.2, lines[0].y[0] - 0.4)).toBeLessThan(0.05 * 1.2 * Math.sqrt(6));
  });

  it('fits the longer side and centres', () => {
    const lines = [
      { x: [0, 1], y: [5, 5] },
      { x: [0.5], y: [7] },
    ];
    fitBox(lines, 20, 14, 10);
    expect(lines).toEqual([
      { x: [9, 19], y: [0, 0] },
      { x: [14], y: [20] },
    ]);
  });
});

describe('Canvas', () => {
  const pen: Pen = { radius: 1, waver: 0, frequency: 1, phase: 0, taper: 1, softness: 1 };
  const picture = (canvas: Canvas, brightness = 200, noise = 0) => {
    const out = new Uint8Array(canvas.height * canvas.width);
    canvas.develop(out, 0, brightness, noise, random());
    return out;
  };

  it('draws a line two pixels thick over two rows, and half ink where the edge meets a pixel', () => {
    const canvas = new Canvas(6, 8);
    canvas.draw({ x: [-5, 20], y: [3, 3] }, pen); // rows 2 and 3 touch the line at a distance of 0.5
    const column = Array.from({ length: 6 }, (_, row) => picture(canvas)[row * 8 + 4]);
    expect(column).toEqual([0, 0, 200, 200, 0, 0]);
    const lower = new Canvas(6, 8);
    lower.draw({ x: [-5, 20], y: [2.5, 2.5] }, pen); // row 2 lies on the line, rows 1 and 3 at the edge
    expect(Array.from({ length: 6 }, (_, row) => picture(lower)[row * 8 + 4])).toEqual([
      0, 100, 200, 100, 0, 0,
    ]);
  });

  it('keeps ink that lies outside out', () => {
    const canvas = new Canvas(4, 4);
    canvas.draw({ x: [-9, -5], y: [-9, 20] }, pen);
    expect(picture(canvas)).toEqual(new Uint8Array(16));
  });

  it('draws a dot', () => {
    const canvas = new Canvas(3, 3);
    canvas.draw({ x: [1.5, 1.5], y: [1.5, 1.5] }, pen);
    expect(picture(canvas)[4]).toBe(200);
  });

  it('blurs without losing ink inside the picture, by the product of the two kernels', () => {
    const canvas = new Canvas(5, 5);
    canvas.draw({ x: [2.5, 2.5], y: [2.5, 2.5] }, { ...pen, radius: 0.5 });
    expect(picture(canvas, 100).filter((value) => value > 0)).toEqual(Uint8Array.of(100));
    canvas.blur(0.25);
    const blurred = picture(canvas, 160);
    expect([...blurred.subarray(6, 9)]).toEqual([10, 20, 10]);
    expect([...blurred.subarray(11, 14)]).toEqual([20, 40, 20]);
    expect(blurred.reduce((a, b) => a + b)).toBe(160);
  });

  it('adds grain of the deviation asked for', () => {
    const canvas = new Canvas(100, 100);
    canvas.draw({ x: [50, 50], y: [50, 50] }, { ...pen, radius: 1000 });
    const values = picture(canvas, 128, 10);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean - 128)).toBeLessThan(0.4);
    expect(Math.abs(deviation - 10)).toBeLessThan(0.4);
    let covariance = 0;
    for (let i = 0; i < values.length; i += 2) covariance += (values[i] - mean) * (values[i + 1] - mean);
    expect(Math.abs(covariance / (values.length / 2))).toBeLessThan(6); // 4 standard errors: neighbours are independent
  });
});
