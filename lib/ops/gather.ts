// SPDX-License-Identifier: Apache-2.0
// A batch out of a data set that lies in native memory: rows by index, images converted and normalised on the way.
import { fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { checkRank, checkTensor } from './check.js';
import { compute } from './compute.js';

/** Numbers of a normalisation: (value - mean[c]) / std[c], after uint8 values were divided by 255. */
export interface GatherNormalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const MAX_CHANNELS = 16;

function checkIndices(op: string, name: string, value: Tensor): void {
  checkTensor(op, name, value);
  if (value.dtype !== 'int32') {
    throw fail('ERR_DTYPE', { op, expected: `${name} to be int32`, received: value.dtype });
  }
  checkRank(op, name, value, '[n]');
}

/**
 * Shapes: images uint8 or float32 [total, h, w, c], indices int32 [n]; result float32 [n, h, w, c].
 *
 * Throws ERR_DATA for an index out of range.
 */
export function gatherImages(images: Tensor, indices: Tensor, normalization: GatherNormalization): Tensor {
  checkTensor('gatherImages', 'images', images);
  checkRank('gatherImages', 'images', images, '[total, h, w, c]');
  if (images.dtype !== 'uint8' && images.dtype !== 'float32') {
    throw fail('ERR_DTYPE', {
      op: 'gatherImages',
      expected: 'images to be uint8 or float32',
      received: images.dtype,
    });
  }
  checkIndices('gatherImages', 'indices', indices);
  const [, h, w, c] = images.shape;
  const { mean, std } = normalization;
  if (c > MAX_CHANNELS || mean.length !== c || std.length !== c || std.some((value) => !(value > 0))) {
    throw fail('ERR_ARGUMENT', {
      op: 'gatherImages',
      expected: `mean and positive std for each of ${c} channels, at most ${MAX_CHANNELS}`,
      received: `mean [${mean.join(', ')}], std [${std.join(', ')}]`,
    });
  }
  const batch = Tensor.empty([indices.size, h, w, c], 'float32');
  const numbers = [indices.size, h * w * c, c, ...mean, ...std.map((value) => 1 / value)];
  compute('gather_images', [batch], [images, indices], numbers);
  return batch;
}

/** Images of bytes in an open file, one after another. */
export interface ImagePlace {
  readonly descriptor: number;
  /** Where the first one begins. */
  readonly offset: number;
  readonly count: number;
  /** The file when it was opened: its size, and when it was written last, in seconds and nanoseconds. */
  readonly stamp: readonly [size: number, seconds: number, nanoseconds: number];
}

/**
 * `gatherImages` from a file: each image is read when the instruction runs.
 *
 * Shapes: indices int32 [n]; result float32 [n, h, w, c]. Throws ERR_DATA for an index out of range, ERR_FILE where an image
 * cannot be read whole, or the file was changed since it was opened.
 */
export function gatherFile(
  { descriptor, offset, count, stamp }: ImagePlace,
  [h, w, c]: readonly [number, number, number],
  indices: Tensor,
  { mean, std }: GatherNormalization,
): Tensor {
  checkIndices('gatherFile', 'indices', indices);
  const batch = Tensor.empty([indices.size, h, w, c], 'float32');
  const by = [...mean, ...std.map((value) => 1 / value)];
  const where = [descriptor, offset, count, ...stamp];
  compute('gather_file', [batch], [indices], [indices.size, h * w * c, c, ...by, ...where]);
  return batch;
}

/** Shapes: labels int32 [total], indices int32 [n]; result int32 [n]. Throws ERR_DATA for an index out of range. */
export function gatherLabels(labels: Tensor, indices: Tensor): Tensor {
  checkIndices('gatherLabels', 'indices', indices);
  checkIndices('gatherLabels', 'labels', labels);
  const batch = Tensor.empty([indices.size], 'int32');
  compute('gather_labels', [batch], [labels, indices], [indices.size]);
  return batch;
}
