// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10, the counter-based random function of Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (2011), and a stream of numbers on top of it. The kernels carry the same
// function: a number depends on (seed, stream, step, index) only, never on what was drawn before it.

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // golden ratio
const WEYL_1 = 0xbb67ae85; // sqrt(3) - 1
const ROUNDS = 10;
const TWO_TO_32 = 0x1_0000_0000;

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2^32: no carry is lost
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/**
 * One block of Philox4x32-10.
 *
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param out receives four uniform 32-bit words; may be the same array as `counter`
 */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array): void {
  let c0 = counter[0] >>> 0;
  let c1 = counter[1] >>> 0;
  let c2 = counter[2] >>> 0;
  let c3 = counter[3] >>> 0;
  let k0 = key[0] >>> 0;
  let k1 = key[1] >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The two key words of a seed: a safe integer, negative ones included (as 64-bit two's complement). */
export function philoxKey(seed: number): [low: number, high: number] {
  return [seed >>> 0, Math.floor(seed / TWO_TO_32) >>> 0];
}

/**
 * A reproducible sequence of random numbers named by (seed, stream, index, step). Two streams that differ in any
 * of the four share nothing, so sample `i` of a data set is the same whether or not others were drawn.
 */
export class RandomStream {
  readonly #key: [number, number];
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);
  #used = 4;
  #spareNormal: number | undefined;

  /**
   * @param seed safe integer
   * @param stream which purpose the numbers serve: unsigned 32-bit integer
   * @param index which sample they serve: unsigned 32-bit integer
   * @param step which moment they serve: unsigned 32-bit integer
   */
  constructor(seed: number, stream: number, index: number, step = 0) {
    this.#key = philoxKey(seed);
    this.#counter[1] = index;
    this.#counter[2] = stream;
    this.#counter[3] = step;
  }

  /** A uniform unsigned 32-bit word. */
  word(): number {
    if (this.#used === 4) {
      philox4x32(this.#counter, this.#key, this.#block);
      this.#counter[0]++;
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** A uniform number in [0, 1) with 24 random bits, so that it is exact in float32 too. */
  uniform(): number {
    return (this.word() >>> 8) / 0x100_0000;
  }

  /** A uniform number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A normal number of mean 0 and standard deviation 1 (Box and Muller). */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - u lies in (0, 1]
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A uniform integer in [0, n), without bias; `n` from 1 to 2^32. */
  int(n: number): number {
    const limit = TWO_TO_32 - (TWO_TO_32 % n);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % n;
  }
}
