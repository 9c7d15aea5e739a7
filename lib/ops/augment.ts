// SPDX-License-Identifier: Apache-2.0
// Random changes of a batch of images, behind the gather of a step. What is drawn for an image depends on the seed, the stream,
// the epoch and the image's index, so that batches, threads and resumed trainings change nothing.
import { emit } from '../native/bindings.js';
import type { InstructionNumber } from '../native/varying.js';
import { philoxKey } from '../tensor/philox.js';
import { Tensor } from '../tensor/tensor.js';
import { compute } from './compute.js';

/** One instruction of native/plan/augment.cc, and its own numbers. */
export interface AugmentInstruction {
  readonly instruction: string;
  readonly numbers: readonly number[];
}

/** Which random numbers: they are those of `RandomStream(seed, stream, index, epoch)`. */
export interface AugmentDraw {
  readonly seed: number;
  /** Of the first instruction; the others have the next ones. */
  readonly stream: number;
  readonly epoch: InstructionNumber;
}

/**
 * Changes images one instruction after another. Nothing is recorded for gradients: images are data.
 *
 * Shapes: images float32 or float64 [n, h, w, c], disposed where a changed copy takes their place; indices int32 [n].
 */
export function augmentImages(
  images: Tensor,
  indices: Tensor,
  instructions: readonly AugmentInstruction[],
  { seed, stream, epoch }: AugmentDraw,
): Tensor {
  const [n, h, w, c] = images.shape;
  let current = images;
  instructions.forEach(({ instruction, numbers }, position) => {
    const next = Tensor.empty([n, h, w, c], images.dtype);
    const key = [...philoxKey(seed), stream + position, epoch];
    try {
      emit(instruction, [next.handle, current.handle, indices.handle], [n, h, w, c, ...key, ...numbers]);
    } catch (error) {
      next.dispose();
      current.dispose();
      throw error;
    }
    current.dispose();
    current = next;
  });
  return current;
}

/**
 * The labels that go with the images of a `mix_images` instruction: shares of the classes, float32 [n, classes].
 *
 * Shapes: labels and indices int32 [n]; imageShape [h, w, c], `stream` that of the instruction.
 */
export function mixLabels(
  labels: Tensor,
  indices: Tensor,
  { numbers }: AugmentInstruction,
  [h, w, c]: readonly [number, number, number],
  classes: number,
  { seed, stream, epoch }: AugmentDraw,
): Tensor {
  const n = labels.size;
  const targets = Tensor.empty([n, classes], 'float32');
  const key = [...philoxKey(seed), stream, epoch];
  compute('mix_labels', [targets], [labels, indices], [n, h, w, c, ...key, ...numbers, classes]);
  return targets;
}
