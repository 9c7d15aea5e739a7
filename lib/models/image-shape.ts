// SPDX-License-Identifier: Apache-2.0
// The size of the images that a model is built for.
import { describe, fail } from '../errors.js';

/** [h, w, c] */
export type ImageShape = readonly [number, number, number];

/** Refuses what is not [h, w, c] with both sides of at least `smallest`. */
export function checkImageShape(op: string, shape: ImageShape, smallest: number): ImageShape {
  const valid =
    Array.isArray(shape) &&
    shape.length === 3 &&
    shape.every(Number.isSafeInteger) &&
    Math.min(shape[0], shape[1]) >= smallest &&
    shape[2] > 0;
  if (valid) return shape;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `inputShape [h, w, c] with h and w of at least ${smallest}`,
    received: describe(shape),
  });
}
