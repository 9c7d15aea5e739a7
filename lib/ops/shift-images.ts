// SPDX-License-Identifier: Apache-2.0
// Images moved by whole pixels or seen in a mirror: other views of a picture, for predictions that average over them.
import { checkBooleans, checkOptions, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';

/** How to look at images. */
export interface ShiftImagesOptions {
  /** Left and right exchanged, before anything is moved. Default false. */
  readonly mirror?: boolean | undefined;
  /** Pixels that the picture moves down, less than its height; negative ones move it up. Default 0. */
  readonly down?: number | undefined;
  /** Pixels that it moves to the right, less than its width; negative ones move it to the left. Default 0. */
  readonly right?: number | undefined;
}

/**
 * Moved or mirrored copies; what comes in at an edge is the image in a mirror, without the edge itself. Nothing is recorded for
 * gradients: images are data.
 *
 * Shapes: images float32 or float64 [n, h, w, c]; result the same. Throws ERR_ARGUMENT for shifts that are no whole numbers or as
 * large as a side.
 */
export function shiftImages(images: Tensor, options: ShiftImagesOptions = {}): Tensor {
  const op = 'shiftImages';
  checkFloat(op, 'images', images);
  checkRank(op, 'images', images, '[n, h, w, c]');
  checkOptions(op, options, ['mirror', 'down', 'right']);
  const { mirror = false, down = 0, right = 0 } = options;
  checkBooleans(op, { mirror });
  const [n, h, w, c] = images.shape;
  for (const [name, shift, side] of [['down', down, h] as const, ['right', right, w] as const]) {
    if (Number.isInteger(shift) && Math.abs(shift) < side) continue;
    const expected = `${name} to be a whole number between ${-side} and ${side}`;
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(shift) });
  }
  const shifted = Tensor.empty([n, h, w, c], images.dtype);
  compute('shift_images', [shifted], [images], [n, h, w, c, mirror ? 1 : 0, down, right]);
  return shifted;
}
