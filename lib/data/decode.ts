// SPDX-License-Identifier: Apache-2.0
// From the bytes of a picture file to pixels of a given size and number of channels. What a file claims is looked at before it
// is decoded, and everything that is wrong with it is told by name.
import { fail, ReceptiveError } from '../errors.js';
import { readImageHeader } from './image-header.js';
import type { Fit } from './picture-fit.js';
import type { Sharp } from './sharp.js';

export interface DecodeOptions {
  /** Height and width of the result; default: those of the picture. */
  readonly size?: readonly [height: number, width: number] | undefined;
  readonly channels: 1 | 3;
  readonly fit: Fit;
  /** Pictures that claim more pixels are refused. */
  readonly maxPixels: number;
}

/** What was done to a picture that is not plain: told in reports. */
export type Conversion = 'grey' | 'cmyk' | '16-bit' | 'misnamed' | 'resized';

export interface Decoded {
  /** `[h, w, c]`. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly conversions: readonly Conversion[];
}

/** Endings of the formats. A map, for it is asked with names from disk, and an object knows `constructor`. */
const ENDINGS: ReadonlyMap<string, 'jpeg' | 'png' | 'webp'> = new Map(
  Object.entries({ jpg: 'jpeg', jpeg: 'jpeg', jpe: 'jpeg', png: 'png', webp: 'webp' } as const),
);

/** The format that a file's name promises, if it is one of those that are read. */
export function promisedFormat(name: string): 'jpeg' | 'png' | 'webp' | undefined {
  return ENDINGS.get(/\.([a-z]+)$/i.exec(name)?.[1].toLowerCase() ?? '');
}

/**
 * Decodes a picture: turned as its EXIF data says, transparency on white, 16 bits cut to 8, CMYK converted, to grey or to three
 * channels.
 *
 * Throws ERR_DATA, naming the file, for one that is no JPEG, PNG or WebP, is cut off or damaged, has several frames, or claims
 * more than `maxPixels`.
 */
export async function decodeImage(
  sharp: Sharp,
  name: string,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<Decoded> {
  const refuse = (expected: string, received: string, cause?: unknown) =>
    fail('ERR_DATA', { op: `reading ${name}`, expected, received, cause });
  const header = readImageHeader(bytes);
  if (header === undefined) {
    throw refuse('a JPEG, PNG or WebP picture', bytes.length === 0 ? 'an empty file' : 'something else');
  }
  const { width, height } = header;
  if (width * height > options.maxPixels) {
    throw refuse(`a picture of at most ${options.maxPixels} pixels`, `${width} by ${height}`);
  }
  if (header.isAnimated) throw refuse('a picture of one frame', 'an animation');
  const [h, w] = options.size ?? [undefined, undefined];
  try {
    const image = sharp(bytes, { limitInputPixels: options.maxPixels, failOn: 'warning' });
    // What is asked for is the size of the picture as it is seen. Only where the header's sides fit does turning matter.
    const fits = (h === height && w === width) || (h === width && w === height);
    const isTurned = fits && height !== width && ((await image.metadata()).orientation ?? 1) >= 5;
    const isResized = h !== (isTurned ? width : height) || w !== (isTurned ? height : width);
    const pipeline = image.rotate().flatten({ background: '#ffffff' });
    if (h !== undefined && w !== undefined && isResized) {
      pipeline.resize({ height: h, width: w, fit: options.fit, background: '#000000' });
    }
    const { data, info } = await pipeline
      .toColourspace(options.channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== options.channels) {
      throw refuse(`${options.channels} channels`, `${info.channels}`);
    }
    const conversions: Conversion[] = [];
    if (header.colours === 'grey' && options.channels === 3) conversions.push('grey');
    if (header.colours === 'cmyk') conversions.push('cmyk');
    if (header.depth > 8) conversions.push('16-bit');
    if (promisedFormat(name) !== header.format) conversions.push('misnamed');
    if (h !== undefined && isResized) conversions.push('resized');
    return { pixels: new Uint8Array(data), height: info.height, width: info.width, conversions };
  } catch (cause) {
    if (cause instanceof ReceptiveError) throw cause;
    const reason = cause instanceof Error ? cause.message.replaceAll(/\s*\n\s*/g, '; ') : String(cause);
    throw refuse('a whole, undamaged picture', reason, cause);
  }
}
