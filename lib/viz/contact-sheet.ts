// SPDX-License-Identifier: Apache-2.0
// Many small pictures as one: rows and columns of them, enlarged pixel by pixel, with gaps between.

/** A picture as bytes, red, green and blue. */
export interface Sheet {
  /** `[height, width, 3]` */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

const GAP = 4;
const PAPER = 255;
/** Pictures are enlarged to at least so many pixels a side. */
const LEAST_SIDE = 72;

/**
 * Puts pictures side by side.
 *
 * @param rows of as many pictures each, every one `[h, w, c]` of bytes; 3 channels are colours, of others the first is grey
 */
export function contactSheet(
  rows: readonly (readonly Uint8Array[])[],
  [h, w, c]: readonly [number, number, number],
): Sheet {
  const scale = Math.max(1, Math.ceil(LEAST_SIDE / Math.max(h, w)));
  const [cellHeight, cellWidth] = [h * scale + GAP, w * scale + GAP];
  const height = rows.length * cellHeight + GAP;
  const width = (rows[0]?.length ?? 0) * cellWidth + GAP;
  const pixels = new Uint8Array(height * width * 3).fill(PAPER);
  rows.forEach((pictures, row) => {
    pictures.forEach((picture, column) => {
      const [top, left] = [row * cellHeight + GAP, column * cellWidth + GAP];
      for (let y = 0; y < h * scale; y++) {
        for (let x = 0; x < w * scale; x++) {
          const from = (Math.floor(y / scale) * w + Math.floor(x / scale)) * c;
          const to = ((top + y) * width + left + x) * 3;
          for (let k = 0; k < 3; k++) pixels[to + k] = picture[from + (c === 3 ? k : 0)];
        }
      }
    });
  });
  return { pixels, height, width };
}
