// SPDX-License-Identifier: Apache-2.0
// Eigenvalues and eigenvectors of small symmetric matrices, in double precision.

/** What a symmetric matrix does to its own directions. */
export interface Eigen {
  /** The largest first. */
  readonly values: Float64Array;
  /** `[size, size]`: row i is the unit vector of value i; its element of largest magnitude is positive. */
  readonly vectors: Float64Array;
}

/** Far more than it takes: a sweep doubles the digits that are right. */
const MOST_SWEEPS = 60;

/**
 * By Jacobi's method: rotations of two axes at a time, each of which makes an element off the diagonal 0, until none is left that
 * a double next to the diagonal would notice (Golub and Van Loan 2013, section 8.5).
 *
 * @param matrix `[size, size]`, symmetric and finite; it is not changed
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const a = matrix.slice();
  const vectors = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const least = Number.EPSILON * Math.sqrt(a.reduce((sum, value) => sum + value * value, 0)) * 2 ** -10;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let isDiagonal = true;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        if (Math.abs(a[p * size + q]) <= least) continue;
        isDiagonal = false;
        rotate(a, vectors, size, p, q);
      }
    }
    if (isDiagonal) break;
  }
  return sorted(a, vectors, size);
}

/** Turns the axes p and q so that a[p, q] becomes 0; rows of `vectors` are the axes so far. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const ratio = (a[q * size + q] - a[p * size + p]) / (2 * a[p * size + q]);
  const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
  const cosine = 1 / Math.hypot(1, tangent);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, i: number, j: number) => {
    const [first, second] = [values[i], values[j]];
    values[i] = cosine * first - sine * second;
    values[j] = sine * first + cosine * second;
  };
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q);
  for (let k = 0; k < size; k++) {
    turn(a, p * size + k, q * size + k);
    turn(vectors, p * size + k, q * size + k);
  }
}

function sorted(a: Float64Array, vectors: Float64Array, size: number): Eigen {
  const places = Array.from({ length: size }, (_, i) => i);
  places.sort((i, j) => a[j * (size + 1)] - a[i * (size + 1)]);
  const rows = places.flatMap((place) => {
    const row = [...vectors.subarray(place * size, (place + 1) * size)];
    const largest = row.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    return largest < 0 ? row.map((value) => -value) : row;
  });
  return {
    values: Float64Array.from(places, (place) => a[place * (size + 1)]),
    vectors: Float64Array.from(rows),
  };
}
