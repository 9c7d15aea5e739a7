// SPDX-License-Identifier: Apache-2.0
// One augmentation of a batch, or the gather of it, as the instruction that a recorded step runs; tensors are there already.
import { augmentInstructions } from '../../../dist/data/augment.js';
import { allocate, emit, write } from '../../../dist/native/bindings.js';
import { seededRandom } from '../../harness/statistics.mjs';
import { randomArray, release, upload } from './arrays.mjs';

/** Whole numbers as a native tensor. */
function uploadWhole(values, dtype) {
  const handle = allocate(values.length, dtype);
  write(handle, values);
  return handle;
}

export const variants = () => ['native'];

export function prepare({ step, imageShape, batch }) {
  const [h, w, c] = imageShape;
  const size = h * w * c;
  const random = seededRandom(3);
  const indices = uploadWhole(
    Int32Array.from({ length: batch }, (_, i) => i),
    'int32',
  );
  const out = allocate(batch * size, 'float32');
  const normalization = { mean: new Array(c).fill(0.5), std: new Array(c).fill(0.25) };
  if (step === undefined) {
    const images = uploadWhole(
      Uint8Array.from({ length: batch * size }, () => 256 * random()),
      'uint8',
    );
    const numbers = [batch, size, c, ...normalization.mean, ...normalization.std.map((std) => 1 / std)];
    const handles = [out, images, indices];
    return { run: () => emit('gather_images', handles, numbers), dispose: () => release(handles) };
  }
  const [{ instruction, numbers: own }] = augmentInstructions('bench', [step], { imageShape, normalization });
  const handles = [out, upload(randomArray(batch * size, 1)), indices];
  let epoch = 0;
  return {
    run: () => emit(instruction, handles, [batch, h, w, c, 1, 0, 16, epoch++ % 1000, ...own]),
    dispose: () => release(handles),
  };
}
