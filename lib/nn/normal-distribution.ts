// SPDX-License-Identifier: Apache-2.0
// The standard normal distribution and its inverse, in double precision.

const SQRT_TAU = Math.sqrt(2 * Math.PI);

function density(x: number): number {
  return Math.exp((-x * x) / 2) / SQRT_TAU;
}

/** Below this a series would cancel, and a continued fraction converges fast. */
const FAR = -5;
const FRACTION_TERMS = 40;

/** The share of the distribution below x, to about ten digits of itself where it is small. */
export function normalCdf(x: number): number {
  if (x > 0) return 1 - normalCdf(-x);
  if (x > FAR) {
    // 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + …) (Marsaglia 2004, "Evaluating the normal distribution")
    let [term, sum] = [x, x];
    for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
      term *= (x * x) / i;
      sum += term;
    }
    return 0.5 + density(x) * sum;
  }
  // φ(x) / (t + 1/(t + 2/(t + 3/…))) with t = -x (Laplace)
  let fraction = -x;
  for (let i = FRACTION_TERMS; i > 0; i--) fraction = -x + i / fraction;
  return density(x) / fraction;
}

/** The x with this share below it; ±Infinity for 0 and 1. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p <= 0) return -Infinity;
  // Within 5e-4 (Abramowitz and Stegun 1964, 26.2.23); each Halley step cubes the error.
  const t = Math.sqrt(-2 * Math.log(p));
  const above = (0.010328 * t + 0.802853) * t + 2.515517;
  const below = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1;
  let x = above / below - t;
  for (let step = 0; step < 2; step++) {
    const off = (normalCdf(x) - p) / density(x);
    x -= off / (1 + (x * off) / 2);
  }
  return x;
}
