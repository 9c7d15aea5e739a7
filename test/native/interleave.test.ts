// SPDX-License-Identifier: Apache-2.0
// Batch-interleaved images: there and back, and convolutions over them, which have the bits of those that
// interleave by themselves.
import { describe, expect, it } from 'vitest';
import {
  call,
  doubled,
  expectClose,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

function norm(data: NumberArray): number {
  let squares = 0;
  for (const value of data) squares += value ** 2;
  return Math.sqrt(squares);
}
const LANES = 16;
const floats = (size: number) => ({ kind: 'float32', size }) as const;

/** [blocks][elements][LANES], lanes without an image 0. */
function interleaved(images: Float32Array, batch: number): Float32Array {
  const elements = images.length / batch;
  const out = new Float32Array(Math.ceil(batch / LANES) * LANES * elements);
  for (let n = 0; n < batch; n++) {
    for (let e = 0; e < elements; e++) {
      const block = Math.floor(n / LANES);
      out[(block * elements + e) * LANES + (n % LANES)] = images[n * elements + e];
    }
  }
  return out;
}

describe('interleave and deinterleave', () => {
  it('are inverse for any batch and image', () => {
    forSeeds(25, (random) => {
      const batch = random.pick([1, 2, 7, 15, 16, 17, 31, 33, 48]);
      const elements = random.pick([1, 3, 15, 16, 17, 100, 1025]);
      const images = random.floats(batch * elements);
      const lanes = interleaved(images, batch);
      within(`${batch} images of ${elements}`, () =>
        forEachIsaAndThreads(() => {
          expectSameBits(call('interleave', [floats(lanes.length)], [images], [batch, elements])[0], lanes);
          const back = call('deinterleave', [floats(images.length)], [lanes], [batch, elements]);
          expectSameBits(back[0], images);
        }),
      );
    });
  });

  it('refuse other sizes', () => {
    const run = (size: number) => () =>
      call('interleave', [floats(16)], [new Float32Array(size)], [3, 1]) as unknown as undefined;
    expect(refusal(run(4)).code).toBe('ERR_SHAPE');
    expect(run(3)).not.toThrow();
  });
});

/**
 * Few channels, whole blocks: what ops/conv2d_algorithm.cc computes over interleaved images; where `isRow`, by F(2, 5)
 * along the rows.
 */
function makeCase(random: Random, isRow: boolean) {
  const [batch, outC] = [random.pick([16, 32]), random.pick([2, 6, 16])];
  const inC = random.pick(isRow ? [4, 5, 15] : [1, 3, 6]);
  const [kernel, stride] = isRow ? [5, 1] : [random.int(1, 5), random.int(1, 2)];
  const pad = random.int(isRow ? 1 : 0, 2);
  const [h, w] = [random.int(kernel + 2, 11), random.int(kernel + 2, 11)];
  const out = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const [outH, outW] = [out(h), out(w)];
  return {
    batch,
    outC,
    outH,
    outW,
    numbers: [batch, h, w, inC, outH, outW, outC, kernel, kernel, stride, stride, pad, pad],
    x: random.floats(batch * h * w * inC),
    dy: random.floats(batch * outH * outW * outC),
    weight: random.floats(outC * kernel * kernel * inC),
    bias: random.next() < 0.7 ? random.floats(outC) : null,
    relu: random.int(0, 1),
  };
}

describe('convolutions over interleaved images', () => {
  it('have the bits of those over NHWC', () => {
    forSeeds(15, (random) => {
      const { batch, outC, numbers, x, dy, weight, bias, relu } = makeCase(random, random.int(0, 2) === 0);
      const [lanesX, lanesDy] = [interleaved(x, batch), interleaved(dy, batch)];
      within(JSON.stringify(numbers), () =>
        forEachIsaAndThreads(() => {
          const check = (op: string, size: number, inputs: (NumberArray | null)[], lanes: typeof inputs) => {
            const [apart] = call(op, [floats(size)], inputs, [...numbers, relu, 0, 0]);
            const [together] = call(op, [floats(size)], lanes, [...numbers, relu, 0, 1]);
            expectSameBits(together, interleaved(apart as Float32Array, batch), op);
          };
          check('conv2d_forward', dy.length, [x, weight, bias], [lanesX, weight, bias]);
          check('conv2d_grad_input', x.length, [dy, weight], [lanesDy, weight]);
          const outputs = [floats(weight.length), floats(outC)];
          const apart = call('conv2d_grad_weight', outputs, [dy, x], [...numbers, 0, 0, 0]);
          const together = call('conv2d_grad_weight', outputs, [lanesDy, lanesX], [...numbers, 0, 0, 1]);
          together.forEach((output, i) => {
            expectSameBits(output, apart[i], `gradient ${i}`);
          });
        }),
      );
    });
  });

  it('have them with max pooling behind', () => {
    forSeeds(15, (random) => {
      const isRow = random.int(0, 2) === 0;
      const { batch, outC, outH, outW, numbers, x, weight, bias, relu } = makeCase(random, isRow);
      const [size, stride] = random.pick([
        [2, 2],
        [1, 2],
        [2, 3],
      ]);
      if (outH < size || outW < size) return;
      const [pooledH, pooledW] = [outH, outW].map((length) => Math.floor((length - size) / stride) + 1);
      const window = [size, size, stride, stride];
      const pooled = batch * pooledH * pooledW * outC;
      const outputs = [floats(pooled), { kind: 'uint8', size: pooled } as const];
      within(JSON.stringify([numbers, window]), () =>
        forEachIsaAndThreads(() => {
          const lanes = interleaved(x, batch);
          const inputs = [lanes, weight, bias];
          const y = floats(batch * outH * outW * outC);
          const result = call('conv2d_forward', [y], inputs, [...numbers, relu, 0, 1]);
          const shape = [batch / LANES, outH, outW, outC * LANES, pooledH, pooledW];
          const [lanesY, lanesWinners] = call('max_pool2d_forward', outputs, result, [
            ...shape,
            ...window,
            0,
            0,
          ]);
          const numbersOfBoth = [...numbers, relu, 0, 1, ...window];
          const [nhwcY, winners, interleavedY] = call(
            'conv2d_max_pool2d',
            [...outputs, floats(pooled)],
            inputs,
            numbersOfBoth,
          );
          expectSameBits(interleavedY, lanesY, 'interleaved');
          expectSameBits(interleaved(nhwcY as Float32Array, batch), lanesY, 'NHWC');
          expectSameBits(
            interleaved(Float32Array.from(winners), batch),
            Float32Array.from(lanesWinners),
            'winners',
          );
        }),
      );
    });
  });

  it('are those of double precision by F(2, 5) along the rows, rounded as finely as documented', () => {
    forSeeds(8, (random) => {
      const { batch, outC, outH, outW, numbers, x, weight, bias, relu } = makeCase(random, true);
      const size = batch * outH * outW * outC;
      const exact = (inputs: (Float32Array | null)[], last: number) =>
        call('conv2d_forward', [{ kind: 'float64', size }], inputs.map(doubled), [...numbers, last])[0];
      const inputs = [x, weight, bias];
      const expected = exact(inputs, relu);
      const sums = exact(
        inputs.map((data) => data?.map(Math.abs) ?? null),
        0,
      );
      const largest = Float64Array.from(sums).reduce((most, sum) => Math.max(most, sum), 0);
      within(JSON.stringify(numbers), () =>
        forEachIsaAndThreads(() => {
          const [y] = call('conv2d_forward', [floats(size)], inputs, [...numbers, relu, 0, 0]);
          expectClose(y, expected, () => 6 * 2 ** -24 * largest);
          const error = Float64Array.from(y, (value, i) => value - expected[i]);
          expect(norm(error) / norm(expected)).toBeLessThan(8e-7);
        }),
      );
    });
  });

  it('are refused where a block is not full', () => {
    const numbers = [8, 3, 3, 1, 3, 3, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1];
    const run = () =>
      call('conv2d_forward', [floats(72)], [new Float32Array(72), new Float32Array(1)], numbers);
    expect(refusal(run)).toMatchObject({ code: 'ERR_ARGUMENT', received: '8 images' });
  });
});
