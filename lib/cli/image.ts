// SPDX-License-Identifier: Apache-2.0
// Pictures from files, in the size and colours that a model takes. Decoding and scaling are sharp's, an optional package
// that is loaded when the first picture is read.
import type { Sharp } from '../data/sharp.js';
import { fail } from '../errors.js';
import { groundOf, inkBox, type RawImage } from './ink.js';

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
/** Larger ones are scaled down to this before anything else. */
const WORKING_SIZE = 1024;
/** Share of the frame that a figure fills, as in MNIST, where 28 pixels hold digits of 20. */
const FIGURE_SHARE = 5 / 7;

/**
 * Reads a picture: turned as its EXIF data says, transparency on white, grey for a model of one channel. One that has
 * the model's size is taken as it is. Any other is scaled to fit with its proportions kept; for a model of one channel
 * it is first cut to its figure, which then fills 5/7 of the frame. The rest has the colour of the border.
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
  const image = await decode(sharp, path, channels);
  const ground = groundOf(image);
  const isReady = image.height === height && image.width === width;
  const pixels = isReady ? image.data : await frame(sharp, image, ground, height, width);
  const inverted =
    options.invert === 'always' ||
    (options.invert === 'auto' && channels === 1 && ground[0] > 127 === options.inkIsBright);
  return { pixels: inverted ? pixels.map((value) => 255 - value) : pixels, inverted };
}

async function decode(sharp: Sharp, path: string, channels: 1 | 3): Promise<RawImage> {
  try {
    const { data, info } = await sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .rotate()
      .flatten({ background: '#ffffff' })
      .resize({ width: WORKING_SIZE, height: WORKING_SIZE, fit: 'inside', withoutEnlargement: true })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data), height: info.height, width: info.width, channels };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isMissing = /missing|no such file|ENOENT|EACCES/i.test(reason);
    throw fail(isMissing ? 'ERR_FILE' : 'ERR_DATA', {
      op: 'predict',
      expected: isMissing ? `a file at ${path}` : `${path} to be a picture of at most ${MAX_PIXELS} pixels`,
      received: reason,
      cause,
    });
  }
}

/** Scales the picture, or its figure, into a frame of the ground's colour. */
async function frame(
  sharp: Sharp,
  image: RawImage,
  ground: readonly number[],
  height: number,
  width: number,
): Promise<Uint8Array> {
  const { channels } = image;
  const box = channels === 1 ? inkBox(image, ground) : undefined;
  const share = box === undefined ? 1 : FIGURE_SHARE;
  const raw = { width: image.width, height: image.height, channels: channels as 1 | 3 };
  const scaled = await sharp(image.data, { raw })
    .extract(box ?? { left: 0, top: 0, width: image.width, height: image.height })
    .resize({ width: Math.round(width * share), height: Math.round(height * share), fit: 'inside' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(height * width * channels);
  for (let i = 0; i < pixels.length; i++) pixels[i] = ground[i % channels];
  const top = Math.floor((height - scaled.info.height) / 2);
  const left = Math.floor((width - scaled.info.width) / 2);
  const line = scaled.info.width * channels;
  for (let row = 0; row < scaled.info.height; row++) {
    pixels.set(scaled.data.subarray(row * line, (row + 1) * line), ((top + row) * width + left) * channels);
  }
  return pixels;
}
