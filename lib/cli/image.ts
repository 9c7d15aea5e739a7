// SPDX-License-Identifier: Apache-2.0
// Pictures from files, in the size and colours that a model takes. Decoding is sharp's, an optional package that is
// loaded when the first picture is read.
import { fail } from '../errors.js';

type Sharp = typeof import('sharp').default;

/** When dark and light are swapped. */
export const INVERT_NAMES = ['auto', 'always', 'never'] as const;
export type Invert = (typeof INVERT_NAMES)[number];

/** A picture as bytes, `[h, w, c]`. */
export interface Picture {
  readonly pixels: Uint8Array;
  /** True if dark and light were swapped. */
  readonly inverted: boolean;
}

/** Pictures with more pixels than this are refused before they are decoded. */
const MAX_PIXELS = 100_000_000;

/** sharp, or an error that says how to get it. */
export async function loadSharp(): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw fail('ERR_NATIVE_MISSING', {
      op: 'predict',
      expected: 'the package sharp, which reads PNG and JPEG files',
      received: 'none that loads',
      hint: 'run `npm install sharp`',
      cause,
    });
  }
}

/**
 * Reads a picture: turned as its EXIF data says, transparency on white, grey for a model of one channel, scaled to fit
 * with its proportions kept; what is left over is filled with the colour of its border.
 *
 * @param inkIsBright whether the model was trained on bright figures on a dark ground. With `invert` 'auto', a grey
 *   picture whose border says otherwise is swapped.
 *
 * Throws ERR_FILE for a file that cannot be read, ERR_DATA for one that is no picture, or too large a one.
 */
export async function readPicture(
  sharp: Sharp,
  path: string,
  [height, width, channels]: readonly [number, number, number],
  options: { readonly invert: Invert; readonly inkIsBright: boolean },
): Promise<Picture> {
  if (channels !== 1 && channels !== 3) {
    throw fail('ERR_DATA', {
      op: 'predict',
      expected: 'a model for pictures of 1 or 3 channels',
      received: `${channels}`,
    });
  }
  const { data, info } = await decode(sharp, path, height, width, channels);
  const ground = borderColor(data, info.height, info.width, channels);
  const isGroundBright = ground[0] > 127;
  const inverted =
    options.invert === 'always' ||
    (options.invert === 'auto' && channels === 1 && isGroundBright === options.inkIsBright);
  const pixels = new Uint8Array(height * width * channels);
  const top = Math.floor((height - info.height) / 2);
  const left = Math.floor((width - info.width) / 2);
  for (let i = 0; i < pixels.length; i++) pixels[i] = ground[i % channels];
  for (let row = 0; row < info.height; row++) {
    const line = data.subarray(row * info.width * channels, (row + 1) * info.width * channels);
    pixels.set(line, ((top + row) * width + left) * channels);
  }
  if (inverted) for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i];
  return { pixels, inverted };
}

async function decode(sharp: Sharp, path: string, height: number, width: number, channels: 1 | 3) {
  try {
    return await sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .rotate()
      .flatten({ background: '#ffffff' })
      .resize({ width, height, fit: 'inside' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isMissing = /missing|no such file|ENOENT|EISDIR|EACCES/i.test(reason);
    throw fail(isMissing ? 'ERR_FILE' : 'ERR_DATA', {
      op: 'predict',
      expected: isMissing ? `a file at ${path}` : `${path} to be a picture of at most ${MAX_PIXELS} pixels`,
      received: reason,
      cause,
    });
  }
}

/** The median colour of the outermost pixels. */
function borderColor(data: Uint8Array, height: number, width: number, channels: number): number[] {
  return Array.from({ length: channels }, (_, channel) => {
    const values: number[] = [];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const isBorder = row === 0 || column === 0 || row === height - 1 || column === width - 1;
        if (isBorder) values.push(data[(row * width + column) * channels + channel]);
      }
    }
    return values.sort((a, b) => a - b)[values.length >> 1];
  });
}
