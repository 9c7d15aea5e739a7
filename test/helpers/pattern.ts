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

/** What make_resnet_golden.py and make_models_golden.py fill a tensor of this name and PyTorch's shape with. */
export function patternState(
  name: string,
  shape: readonly number[],
  salt: number,
): Float64Array | Int32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  if (name.endsWith('num_batches_tracked')) return Int32Array.of(3);
  const numbers = pattern(salt, size);
  if (shape.length === 3) return numbers.map((value) => value / 4); // the weights of a partial convolution
  if (shape.length > 1) {
    const fanIn = size / shape[0];
    const scale = 2 ** Math.round(Math.log2(Math.sqrt(6 / fanIn)));
    return numbers.map((value) => value * scale);
  }
  const startsAtOne = name.endsWith('running_var') || name.endsWith('weight');
  return numbers.map((value) => (startsAtOne ? 1 + value / 2 : value / 4));
}
