// SPDX-License-Identifier: Apache-2.0
// Numbers that golden files need not hold, because both sides compute them from positions. The same function as in
// test/golden/make_resnet_golden.py.

/** Numbers in [-1, 1) with 16 bits, exact in float32: a hash of their positions. */
export function pattern(salt: number, count: number): Float64Array {
  return new Float64Array(count).map((_, i) => {
    let h = (Math.imul(i, 0x9e3779b1) + salt) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x85ebca77) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae3d) >>> 0;
    return (h >>> 16) / 32768 - 1;
  });
}
