// SPDX-License-Identifier: Apache-2.0
// Writes IDX files for the tests.

/** An IDX file of bytes with the given dimensions; the values need not fit them. */
export function idxFile(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((n, i) => {
    view.setUint32(4 + 4 * i, n);
  });
  file.set(values, 4 + 4 * shape.length);
  return file;
}
