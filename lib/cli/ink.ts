// SPDX-License-Identifier: Apache-2.0
// Figure and ground of a picture: pure functions over its bytes.

/** Bytes of a picture, `[height, width, channels]`. */
export interface RawImage {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A part of a picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Share of the greatest contrast with the ground from which on a pixel is ink: above grain and JPEG's ringing. */
const INK_SHARE = 0.25;
/** Contrast below which a picture is empty. */
const LEAST_CONTRAST = 16;

/** The median colour of the outermost pixels. */
export function groundOf({ data, height, width, channels }: RawImage): number[] {
  return Array.from({ length: channels }, (_, channel) => {
    const values: number[] = [];
    for (let row = 0; row < height; row++) {
      const isEdge = row === 0 || row === height - 1;
      for (let column = 0; column < width; column += isEdge ? 1 : Math.max(1, width - 1)) {
        values.push(data[(row * width + column) * channels + channel]);
      }
    }
    return values.sort((a, b) => a - b)[values.length >> 1];
  });
}

/** The smallest box around everything that differs from the ground, in a grey picture; nothing for an empty one. */
export function inkBox({ data, height, width }: RawImage, [ground]: readonly number[]): Box | undefined {
  let contrast = 0;
  for (const value of data) contrast = Math.max(contrast, Math.abs(value - ground));
  if (contrast < LEAST_CONTRAST) return undefined;
  let [left, right, top, bottom] = [width, -1, height, -1];
  data.forEach((value, i) => {
    if (Math.abs(value - ground) < INK_SHARE * contrast) return;
    const row = Math.floor(i / width);
    const column = i % width;
    left = Math.min(left, column);
    right = Math.max(right, column);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
  });
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}
