// SPDX-License-Identifier: Apache-2.0
// The gradients of a convolution in front of a max pool: against double precision, and the same bits whether they are
// found in the dense gradient or told by the pool's winners.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;

/** A convolution of few channels, and windows that cover its outputs. */
function makeCase(random: Random) {
  const [batch, inC, outC] = [
    random.pick([1, 3, 16, 37]),
    random.int(1, 15),
    random.pick([1, 6, 16, 17, 32]),
  ];
  const [kernel, stride, pad] = [random.int(1, 5), random.int(1, 2), random.int(0, 2)];
  const [poolH, poolW] = random.pick([
    [2, 2],
    [2, 1],
    [1, 3],
    [3, 2],
  ]);
  const [windowsH, windowsW] = [random.int(1, 3), random.int(1, 4)];
  const [outH, outW] = [windowsH * poolH, windowsW * poolW];
  // Some inputs at the end of an axis may be read by no output.
  const size = (out: number) =>
    Math.max(1, (out - 1) * stride + kernel - 2 * pad + random.int(0, stride - 1));
  const [h, w] = [size(outH), size(outW)];
  const pooled = batch * windowsH * windowsW * outC;
  const dz = random.floats(pooled).map((value) => (random.next() < 0.3 ? 0 : value));
  const winners = Uint8Array.from({ length: pooled }, () => random.int(0, poolH * poolW - 1));
  return {
    numbers: [batch, h, w, inC, outH, outW, outC, kernel, kernel, stride, stride, pad, pad, 0, 0, 0],
    pool: [batch, outH, outW, outC, windowsH, windowsW, poolH, poolW, poolH, poolW, 0, 0],
    window: [poolH, poolW, poolH, poolW],
    rows: (poolH - 1) * stride + kernel,
    dz,
    winners,
    x: random.floats(batch * h * w * inC),
    weight: random.floats(outC * kernel * kernel * inC),
    outC,
    dySize: batch * outH * outW * outC,
  };
}

type Case = ReturnType<typeof makeCase>;

/** Both gradients of dy, against double precision; the sums have at most k terms. */
function checkGradients({ x, weight, outC, numbers, window }: Case, dy: Float32Array, k: number): void {
  const passes: [string, number[], Float32Array[]][] = [
    ['conv2d_grad_input', [x.length], [dy, weight]],
    ['conv2d_grad_weight', [weight.length, outC], [dy, x]],
  ];
  for (const [op, sizes, inputs] of passes) {
    const magnitudes = inputs.map((input) => Float64Array.from(input, Math.abs));
    const doubles = sizes.map((size) => ({ kind: 'float64', size }) as const);
    const sums = call(op, doubles, magnitudes, numbers);
    const bound = (o: number, i: number) => 4 * Math.sqrt(k) * 2 ** -24 * sums[o][i];
    checkAgainstReference(op, sizes.map(floats), inputs, [...numbers, ...window], bound);
  }
}

describe("gradients by a max pool's winners", () => {
  it('are those of double precision, and have the same bits however they are found', () => {
    forSeeds(60, (random) => {
      const c = makeCase(random);
      if (c.rows > 8) return;
      const { numbers, pool, window, dz, winners, x, weight, outC } = c;
      within(JSON.stringify([numbers, window]), () => {
        const [dy] = call('max_pool2d_backward', [floats(c.dySize)], [dz, winners], pool) as [Float32Array];
        checkGradients(c, dy, Math.max(dz.length / outC, weight.length));
        forEachIsaAndThreads(() => {
          const all = [...numbers, ...window];
          const outputs = [floats(x.length), floats(weight.length), floats(outC)];
          const together = call('conv2d_winner_gradients', outputs, [dz, winners, x, weight], all);
          const apart = [
            ...call('conv2d_grad_input', outputs.slice(0, 1), [dy, weight], all),
            ...call('conv2d_grad_weight', outputs.slice(1), [dy, x], all),
          ];
          apart.forEach((gradient, i) => {
            expectSameBits(gradient, together[i], `gradient ${i}`);
          });
        });
      });
    });
  });

  it('are right where a window has several gradients, as after a sum', () => {
    forSeeds(20, (random) => {
      const c = makeCase(random);
      if (c.rows > 8) return;
      within(JSON.stringify([c.numbers, c.window]), () =>
        checkGradients(c, random.floats(c.dySize), Math.max(c.dySize / c.outC, c.weight.length)),
      );
    });
  });

  it('keep NaN', () => {
    const numbers = [1, 2, 2, 1, 2, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2, 2, 2];
    const inputs = [
      Float32Array.of(Number.NaN),
      Uint8Array.of(3),
      new Float32Array(4).fill(1),
      Float32Array.of(1),
    ];
    const [dx, dWeight, dBias] = call(
      'conv2d_winner_gradients',
      [floats(4), floats(1), floats(1)],
      inputs,
      numbers,
    );
    expect(dx[3]).toBeNaN();
    expect([dWeight[0], dBias[0]]).toEqual([Number.NaN, Number.NaN]);
  });

  it('are refused where windows do not cover the outputs', () => {
    const numbers = [1, 3, 3, 1, 3, 3, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2, 2, 2];
    const inputs = [new Float32Array(1), new Uint8Array(1), new Float32Array(9), new Float32Array(1)];
    const run = () => call('conv2d_winner_gradients', [floats(9), floats(1), floats(1)], inputs, numbers);
    expect(refusal(run).code).toBe('ERR_ARGUMENT');
  });
});
