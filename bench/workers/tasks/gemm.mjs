// SPDX-License-Identifier: Apache-2.0
// A matrix product: the `matmul` instruction, output and operands allocated beforehand.
import { allocate, emit } from '../../../dist/native/bindings.js';
import { download, largestError, randomArray, release, upload } from './arrays.mjs';

export const variants = () => ['auto'];

export function prepare({ m, n, k, transposeA = false, transposeB = false }) {
  const a = randomArray(m * k, 1);
  const b = randomArray(k * n, 2);
  const handles = [allocate(m * n, 'float32'), upload(a), upload(b)];
  const numbers = [m, n, k, transposeA ? 1 : 0, transposeB ? 1 : 0];
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];

  function product(index) {
    const [row, column] = [Math.floor(index / n), index % n];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[row * aRow + i * aColumn] * b[i * bRow + column * bColumn];
    return sum;
  }

  return {
    run: () => emit('matmul', handles, numbers),
    error: () => largestError(download(handles[0], m * n), k, product),
    dispose: () => release(handles),
  };
}
