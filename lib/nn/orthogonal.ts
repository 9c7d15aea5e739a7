// SPDX-License-Identifier: Apache-2.0
// Orthonormal rows or columns from random ones.

/**
 * Makes the rows of a [rows, columns] matrix orthonormal, in place; rows of at most columns. Gram and Schmidt, each row twice,
 * which leaves no more than rounding (Giraud, Langou and Rozložník 2005). It is the Q of a QR decomposition of the transposed
 * matrix whose R has a positive diagonal, and so without preference for a direction where the matrix is normal.
 */
export function orthonormalizeRows(matrix: Float64Array, rows: number, columns: number): void {
  for (let i = 0; i < rows; i++) {
    const row = matrix.subarray(i * columns, (i + 1) * columns);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = matrix.subarray(j * columns, (j + 1) * columns);
        const share = dot(row, other);
        for (let k = 0; k < columns; k++) row[k] -= share * other[k];
      }
    }
    const length = Math.sqrt(dot(row, row));
    for (let k = 0; k < columns; k++) row[k] /= length;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let [even, odd] = [0, 0]; // two sums: one would wait for itself
  const pairs = a.length - (a.length % 2);
  for (let k = 0; k < pairs; k += 2) {
    even += a[k] * b[k];
    odd += a[k + 1] * b[k + 1];
  }
  if (pairs < a.length) even += a[pairs] * b[pairs];
  return even + odd;
}

/** A [columns, rows] matrix from a [rows, columns] one. */
export function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
