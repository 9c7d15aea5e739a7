// SPDX-License-Identifier: Apache-2.0
// Test-time augmentation: a model looks at an image in several ways, and its logits are averaged.
import { describe, didYouMean, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { add, scale } from '../ops/arithmetic.js';
import { type ShiftImagesOptions, shiftImages } from '../ops/shift-images.js';
import type { Tensor } from '../tensor/tensor.js';

/** Names of the ways to look at an image. */
export const TTA_NAMES = ['none', 'mirror', 'mirror-shift'] as const;
export type TtaName = (typeof TTA_NAMES)[number];

/** In how many ways each image is looked at. */
export interface TtaOptions {
  /**
   * Test-time augmentation: the logits are means over several views of each image. 'mirror': the image and its mirror image, in
   * twice the time. 'mirror-shift': those two count half, the other half is both of them moved by a pixel up and left, and down and
   * right, in six times the time (as airbench does: Jordan 2024). Default 'none'.
   */
  readonly tta?: TtaName | undefined;
}

/** One way to look at an image, and how much it counts. */
interface View extends ShiftImagesOptions {
  readonly share: number;
}

const both = (share: number, pixels: number): readonly View[] =>
  [false, true].map((mirror) => ({ mirror, down: pixels, right: pixels, share }));

const VIEWS: Readonly<Record<TtaName, readonly View[]>> = {
  none: [{ share: 1 }],
  mirror: both(1 / 2, 0),
  'mirror-shift': [...both(1 / 4, 0), ...both(1 / 8, -1), ...both(1 / 8, 1)],
};

/** The option with its default. Throws ERR_ARGUMENT. */
export function checkTta(op: string, { tta = 'none' }: TtaOptions): TtaName {
  if (TTA_NAMES.includes(tta)) return tta;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `tta to be one of ${TTA_NAMES.map((name) => `'${name}'`).join(', ')}`,
    received: describe(tta),
    hint: typeof tta === 'string' ? didYouMean(tta, TTA_NAMES) : undefined,
  });
}

/**
 * What a model makes of images: means over the views, in the order of the list, so that their bits do not depend on the batch.
 *
 * Shapes: images [n, h, w, c]; result [n, classes]. Throws ERR_ARGUMENT where an image of one pixel's height or width is to be moved.
 */
export function callOnViews(model: Module, images: Tensor, tta: TtaName): Tensor {
  if (tta === 'none') return model.call(images);
  const parts = VIEWS[tta].map(({ share, ...view }) => {
    const isItself = !view.mirror && view.down === 0 && view.right === 0;
    return scale(model.call(isItself ? images : shiftImages(images, view)), share);
  });
  return parts.reduce((sum, part) => add(sum, part));
}
