// SPDX-License-Identifier: Apache-2.0
// Native tensors for the tasks that call single instructions, and the comparison of a result with double precision.
import { allocate, free, read, write } from '../../../dist/native/bindings.js';
import { seededRandom } from '../../harness/statistics.mjs';

/** Uniform numbers in [-1, 1), the same for a seed. */
export function randomArray(size, seed) {
  const random = seededRandom(seed);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = 2 * random() - 1;
  return values;
}

/** A handle to a copy of the array. */
export function upload(values) {
  const handle = allocate(values.length, 'float32');
  write(handle, values);
  return handle;
}

export function download(handle, size) {
  const values = new Float32Array(size);
  read(handle, values);
  return values;
}

export function release(handles) {
  for (const handle of handles) free(handle);
}

const WORK = 2e7;
const GOLDEN_RATIO = 0.618033988749895;

/**
 * The largest difference between a result and its value in double precision, over the root mean square of the values.
 * Large results are sampled at scattered places: as many as some 20 million multiplications allow.
 *
 * @param valueAt the value in double precision at an index
 * @param depth multiplications that one value takes
 */
export function largestError(actual, depth, valueAt) {
  const count = Math.min(actual.length, Math.max(64, Math.floor(WORK / depth)));
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const index = count === actual.length ? i : Math.floor(((i * GOLDEN_RATIO) % 1) * actual.length);
    const expected = valueAt(index);
    const difference = Math.abs(actual[index] - expected);
    if (!(difference <= largest)) largest = difference; // NaN becomes the largest, and stays
    squares += expected ** 2;
  }
  return largest / Math.sqrt(squares / count);
}
