// SPDX-License-Identifier: Apache-2.0
// Decoded pictures of a folder or archive, in order, while the next ones are being read and decoded; and where they are
// collected.
import { checkListeners, checkOptions, checkWhole, describe, fail, ReceptiveError } from '../errors.js';
import { ClassCounts } from './class-counts.js';
import { type Decoded, decodeImage } from './decode.js';
import { type ImageFile, imageFiles } from './image-files.js';
import type { PartName } from './layout.js';
import { FIT_NAMES, type Fit } from './picture-fit.js';
import { BAD_FILE_NAMES, type ImageReport, LAYOUT, type OnBadFile, Problems } from './problems.js';
import { loadSharp } from './sharp.js';

/** How pictures are read. */
export interface ImageOptions {
  /** Height and width that all pictures are brought to; default: they must have one size. A number means a square. */
  readonly size?: number | readonly [height: number, width: number] | undefined;
  /** 3 (default): red, green, blue; 1: grey. */
  readonly channels?: 1 | 3 | undefined;
  /** How: 'cover' (default) cuts off what is too long, 'contain' leaves black borders, 'fill' distorts. */
  readonly fit?: Fit | undefined;
  /** Pictures that claim more pixels are not decoded. Default 50,000,000. */
  readonly maxPixels?: number | undefined;
  /** 'refuse' (default): the first file that cannot be used ends the reading; 'skip': such files are left out and counted. */
  readonly onBad?: OnBadFile | undefined;
}

/** How far the reading is. */
export interface ImageProgress {
  /** Pictures read so far. */
  readonly images: number;
  readonly skipped: number;
}

export interface ReadImagesOptions extends ImageOptions {
  readonly signal?: AbortSignal | undefined;
  /** About ten times a second, and at the end. */
  readonly onImages?: ((progress: ImageProgress) => void) | undefined;
}

export const IMAGE_OPTIONS = ['size', 'channels', 'fit', 'maxPixels', 'onBad', 'signal', 'onImages'] as const;

/** A decoded picture, `[h, w, channels]`. */
export interface SinkImage {
  readonly pixels: Uint8Array;
  readonly channels: number;
}

/** Takes the pictures as they come. Those of classes that are not among the names in the end are to be left out. */
export interface ImageSink {
  /** Whether a set without parts is divided afterwards: a class needs two pictures then. */
  readonly divides?: boolean;
  add(part: PartName, className: string, image: SinkImage): void | Promise<void>;
}

/** What was read. */
export interface ReadImages {
  readonly imageShape: readonly [number, number, number];
  /** Sorted by their letters. */
  readonly classNames: readonly string[];
  readonly report: ImageReport;
}

/** Pictures that are decoded at once: libuv has four threads for it, and the next files are read meanwhile. */
const AT_ONCE = 12;
const PROGRESS_INTERVAL = 100; // ms

interface Pending {
  readonly file: ImageFile;
  readonly decoded: Promise<Decoded | ReceptiveError>;
}

/** Reads all pictures of `path` into `sink`. Throws what `imageFolder` throws. */
export async function readImages(
  op: string,
  path: string,
  sink: ImageSink,
  options: ReadImagesOptions,
): Promise<ReadImages> {
  const { size, channels, fit, maxPixels, onBad } = checkImageOptions(op, options);
  const { signal, onImages } = options;
  const sharp = await loadSharp(op);
  const problems = new Problems(onBad);
  const classes = new ClassCounts();
  const pending: Pending[] = [];
  let shape: readonly [number, number, number] | undefined = size && [...size, channels];
  let images = 0;
  let told = performance.now();

  const takeFirst = async (): Promise<void> => {
    const { file, decoded } = pending.shift() as Pending;
    const result = await decoded;
    if (result instanceof ReceptiveError) return problems.bad(reasonOf(result), result);
    shape ??= [result.height, result.width, channels];
    if (result.height !== shape[0] || result.width !== shape[1]) {
      return problems.bad(
        'another size',
        fail('ERR_DATA', {
          op: `reading ${file.name}`,
          expected: `a picture of ${shape[1]} by ${shape[0]}, as the first has`,
          received: `${result.width} by ${result.height}`,
          hint: 'bring all to one size with size: [height, width] (--image-size)',
        }),
      );
    }
    problems.converted(result.conversions);
    await sink.add(file.part, file.className, { pixels: result.pixels, channels });
    classes.count(file);
    images += 1;
    if (performance.now() - told < PROGRESS_INTERVAL) return;
    told = performance.now();
    onImages?.({ images, skipped: sumOf(problems.reportOf(images)) });
  };

  try {
    for await (const file of imageFiles(path, problems, signal)) {
      if (signal?.aborted) {
        throw fail('ERR_ABORTED', { op, expected: 'to run to the end', received: 'an abort signal' });
      }
      classes.add(file);
      if (file.bytes === undefined) continue;
      const decoding = decodeImage(sharp, file.name, file.bytes, { size, channels, fit, maxPixels });
      pending.push({ file, decoded: decoding.catch(asRefusal) });
      if (pending.length >= AT_ONCE) await takeFirst();
    }
    while (pending.length > 0) await takeFirst();
  } finally {
    await Promise.all(pending.map(({ decoded }) => decoded));
  }
  if (images > 0) classes.checkNoneEmpty(problems); // where all are, that is no matter of a class
  if (sink.divides) classes.checkDivisible(problems);
  const report = problems.reportOf(classes.images);
  if (shape === undefined || report.images === 0) throw noImages(path, report);
  onImages?.({ images: report.images, skipped: sumOf(report) });
  return { imageShape: shape, classNames: classes.names, report };
}

function noImages(path: string, { ignored, examples }: ImageReport) {
  return fail('ERR_DATA', {
    op: `reading ${path}`,
    expected: 'pictures (JPEG, PNG or WebP) in a folder for each class',
    received: `none that can be used, ${ignored} other file${ignored === 1 ? '' : 's'}${examples.map((text) => `; ${text}`).join('')}`,
    hint: `it should look like ${LAYOUT}`,
  });
}

const sumOf = ({ skipped }: ImageReport) => Object.values(skipped).reduce((sum, count) => sum + count, 0);

/** Errors of decoding are values until their turn; others are mistakes of this library, and stay thrown. */
function asRefusal(error: unknown): ReceptiveError {
  if (error instanceof ReceptiveError) return error;
  throw error;
}

function reasonOf({ expected, received }: ReceptiveError): string {
  if (received === 'an animation') return 'animated';
  if (expected.includes('pixels')) return 'too many pixels';
  return expected.startsWith('a JPEG') ? 'no picture' : 'damaged';
}

interface CheckedImageOptions {
  readonly size: readonly [number, number] | undefined;
  readonly channels: 1 | 3;
  readonly fit: Fit;
  readonly maxPixels: number;
  readonly onBad: OnBadFile;
}

/** Refuses options that are none, before anything is read. */
export function checkImageOptions(op: string, options: ReadImagesOptions): CheckedImageOptions {
  checkOptions(op, options, IMAGE_OPTIONS);
  checkListeners(op, options.signal, { onImages: options.onImages });
  const { channels = 3, fit = 'cover', onBad = 'refuse' } = options;
  const oneOf = (name: string, value: unknown, known: readonly unknown[]) => {
    if (known.includes(value)) return;
    const expected = `${name} to be one of ${known.join(', ')}`;
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(value) });
  };
  oneOf('channels', channels, [1, 3]);
  oneOf('fit', fit, FIT_NAMES);
  oneOf('onBad', onBad, BAD_FILE_NAMES);
  const maxPixels = checkWhole(op, 'maxPixels', options.maxPixels ?? 50_000_000);
  const sides = typeof options.size === 'number' ? [options.size, options.size] : options.size;
  if (sides !== undefined && !(Array.isArray(sides) && sides.length === 2)) {
    throw fail('ERR_ARGUMENT', { op, expected: 'size as [height, width]', received: describe(sides) });
  }
  const size = sides && ([checkWhole(op, 'size', sides[0]), checkWhole(op, 'size', sides[1])] as const);
  if (size !== undefined && size[0] * size[1] > maxPixels) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `a size of at most ${maxPixels} pixels`,
      received: describe(size),
    });
  }
  return { size, channels, fit, maxPixels, onBad };
}
