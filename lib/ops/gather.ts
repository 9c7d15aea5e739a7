// SPDX-License-Identifier: Apache-2.0
// A batch out of a data set that lies in native memory: rows by index, images converted and normalised on the way.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkRank, checkTensor } from './check.js';

/** Numbers of a normalisation: (value - mean[c]) / std[c], after uint8 values were divided by 255. */
export interface GatherNormalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const MAX_CHANNELS = 16;

function checkIndices(op: string, indices: Tensor): void {
  checkTensor(op, 'indices', indices);
  if (indices.dtype !== 'int32' || indices.shape.length !== 1) {
    throw fail('ERR_DTYPE', { op, expected: 'int32 indices of rank 1', received: String(indices) });
  }
}

/**
 * Shapes: images uint8 or float32 [total, h, w, c], indices int32 [n]; result float32 [n, h, w, c].
 *
 * Throws ERR_DATA for an index out of range.
 */
export function gatherImages(images: Tensor, indices: Tensor, normalization: GatherNormalization): Tensor {
  checkTensor('gatherImages', 'images', images);
  checkRank('gatherImages', 'images', images, '[total, h, w, c]');
  checkIndices('gatherImages', indices);
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
  emit('gather_images', [batch.handle, images.handle, indices.handle], numbers);
  return batch;
}

/** Shapes: labels int32 [total], indices int32 [n]; result int32 [n]. Throws ERR_DATA for an index out of range. */
export function gatherLabels(labels: Tensor, indices: Tensor): Tensor {
  checkIndices('gatherLabels', indices);
  checkIndices('gatherLabels', labels);
  const batch = Tensor.empty([indices.size], 'int32');
  emit('gather_labels', [batch.handle, labels.handle, indices.handle], [indices.size]);
  return batch;
}
