// SPDX-License-Identifier: Apache-2.0
// Activations over the whole range of float32, on every instruction set, against double precision.
import { describe, expect, it } from 'vitest';
import { type ActivationRow, activationRows, rowName } from '../helpers/activations.js';
import {
  addon,
  call,
  checkAgainstReference,
  expectClose,
  expectGradient,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  free,
  fromTensor,
  refusal,
  run,
  seeded,
  toTensor,
} from '../helpers/native.js';

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

/** Floats over the whole range, dense where an activation bends, with the special values at the end. */
function wholeRange(): Float32Array {
  const values: number[] = [];
  for (let exponent = -149; exponent < 128; exponent += 0.037) values.push(2 ** exponent, -(2 ** exponent));
  for (let x = -105; x <= 105; x += 0.0137) values.push(x);
  for (let x = -0.4; x <= 0.4; x += 0.00013) values.push(x);
  values.push(0, -0, Infinity, -Infinity, NaN, 3.4028234663852886e38, -3.4028234663852886e38);
  return Float32Array.from(values);
}

const whole = wholeRange();
/** Without denormals, which count as 0: on which side of a bend they stand is lost. */
const normal = whole.filter((x) => !(Math.abs(x) < 2 ** -126 && x !== 0));
const sizes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000, 16384, 16385, 50_001];

/** What the backward pass of a row is given at x. */
const keptAt = ({ instruction, kept, numbers }: ActivationRow, x: Float32Array) =>
  kept === 'x' ? x : (call(`${instruction}_forward`, [floats(x.length)], [x], numbers)[0] as Float32Array);

it('every activation of the addon has a row', () => {
  const names = addon.opcodes();
  const first = names.indexOf('elu_forward');
  const last = names.indexOf('tanh_backward');
  const listed = names.slice(first, last + 1).map((name) => name.replace(/_(forward|backward)$/, ''));
  expect(new Set(activationRows.map(({ instruction }) => instruction))).toEqual(new Set(listed));
});

describe.each(activationRows.map((row) => ({ row, name: rowName(row) })))('$name', ({ row }) => {
  const { instruction, kept, numbers, forwardBound, backwardBound } = row;

  it('is accurate over the whole range', () => {
    checkAgainstReference(`${instruction}_forward`, [floats(whole.length)], [whole], numbers, (_, i, y) =>
      forwardBound(y, whole[i]),
    );
  });

  it('has an accurate gradient over the whole range', () => {
    const dy = seeded(5).floats(normal.length);
    const saved = keptAt(row, normal);
    checkAgainstReference(
      `${instruction}_backward`,
      [floats(normal.length)],
      [dy, saved],
      numbers,
      (_, i, dx) => backwardBound(dx, dy[i], saved[i]),
    );
  });

  it('of every length, in place too', () => {
    forSeeds(2, (random) => {
      for (const size of sizes) {
        const [x, dy] = [random.floats(size, -4, 4), random.floats(size)];
        const saved = keptAt(row, x);
        forEachIsaAndThreads(() => {
          const [y] = call(`${instruction}_forward`, [floats(size)], [x], numbers);
          const [dx] = call(`${instruction}_backward`, [floats(size)], [dy, saved], numbers);
          const handles = [toTensor(x), toTensor(dy), toTensor(saved)];
          const [over, gradient, output] = handles;
          run(`${instruction}_forward`, [over, over], numbers);
          expectSameBits(fromTensor(over), y, 'y over x');
          run(`${instruction}_backward`, [output, gradient, output], numbers);
          expectSameBits(fromTensor(output), dx, 'dx over what was kept');
          free(...handles);
        });
      }
    });
  });

  it('has the gradient of central differences, in double precision', () => {
    // None at a bend: 0, 3, -3, and where softplus becomes a line
    const x = Float64Array.from({ length: 60 }, (_, i) => -6.13 + 0.217 * i);
    const forward = (at: Float64Array) => call(`${instruction}_forward`, [doubles(60)], [at], numbers)[0];
    const saved = kept === 'x' ? x : forward(x);
    const backward = (dy: Float64Array) =>
      call(`${instruction}_backward`, [doubles(60)], [dy, saved], numbers)[0];
    expectGradient(x, forward, backward, seeded(9));
  });

  it('refuses operands of another size or type', () => {
    const x = new Float32Array(4);
    const of = (op: string, inputs: (Float32Array | Float64Array)[]) =>
      refusal(() => call(`${instruction}_${op}`, [floats(4)], inputs, numbers)).code;
    expect(of('forward', [new Float32Array(3)])).toBe('ERR_SHAPE');
    expect(of('forward', [new Float64Array(4)])).toBe('ERR_DTYPE');
    expect(of('backward', [x, new Float32Array(5)])).toBe('ERR_SHAPE');
    expect(of('backward', [x])).toBe('ERR_ARGUMENT');
  });
});

describe('NaN and infinities', () => {
  // As PyTorch has them: what multiplies an infinity by 0 is NaN. See also test/ops/activations-golden.test.ts.
  const limits: [string, readonly number[], number[]][] = [
    ['relu', [], [NaN, Infinity, 0]],
    ['relu6', [], [NaN, 6, 0]],
    ['tanh', [], [NaN, 1, -1]],
    ['sigmoid', [], [NaN, 1, 0]],
    ['leaky_relu', [0.25], [NaN, Infinity, -Infinity]],
    ['elu', [0.5], [NaN, Infinity, -0.5]],
    ['gelu', [], [NaN, Infinity, NaN]],
    ['gelu_tanh', [], [NaN, Infinity, NaN]],
    ['silu', [], [NaN, Infinity, NaN]],
    ['hardswish', [], [NaN, Infinity, NaN]],
    ['softplus', [1, 20], [NaN, Infinity, 0]],
  ];

  it.each(limits)('%s', (instruction, numbers, expected) => {
    forEachIsaAndThreads(() => {
      for (const x of [
        Float32Array.of(NaN, Infinity, -Infinity),
        Float64Array.of(NaN, Infinity, -Infinity),
      ]) {
        const out = x instanceof Float32Array ? floats(3) : doubles(3);
        expect([...call(`${instruction}_forward`, [out], [x], numbers)[0]]).toEqual(expected);
      }
    });
  });

  it('zeros keep their signs where the function passes through them', () => {
    const zeros = Float32Array.of(0, -0);
    forEachIsaAndThreads(() => {
      for (const instruction of ['relu', 'relu6', 'tanh', 'elu', 'gelu', 'gelu_tanh', 'silu', 'hardswish']) {
        expectSameBits(call(`${instruction}_forward`, [floats(2)], [zeros], [1])[0], zeros, instruction);
      }
    });
  });

  it('a large number is no infinity to the gradients', () => {
    const dy = Float32Array.of(1, 1);
    forEachIsaAndThreads(() => {
      for (const instruction of ['gelu', 'gelu_tanh', 'silu', 'hardswish']) {
        const x = Float32Array.of(3e38, -3e38);
        expectClose(call(`${instruction}_backward`, [floats(2)], [dy, x])[0], [1, 0], () => 0, instruction);
      }
    });
  });
});
