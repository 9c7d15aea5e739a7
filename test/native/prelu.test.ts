// SPDX-License-Identifier: Apache-2.0
// PReLU on every instruction set against double precision, with one weight and with one a channel.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  doubled,
  expectGradient,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  free,
  fromTensor,
  type Random,
  refusal,
  run,
  toTensor,
  within,
} from '../helpers/native.js';

const UNIT = 2 ** -24;
const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;

interface Case {
  readonly rows: number;
  readonly channels: number;
  readonly weights: number;
}

function randomCase(random: Random): Case {
  const channels = random.pick([1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130]);
  return { rows: random.int(1, 90), channels, weights: random.pick([1, channels]) };
}

const cases: [string, number, (random: Random) => Case][] = [
  ['random sizes', 40, randomCase],
  ['many chunks, one weight', 2, () => ({ rows: 3000, channels: 24, weights: 1 })],
  ['many chunks, a weight a channel', 2, () => ({ rows: 3000, channels: 24, weights: 24 })],
  ['rows wider than a chunk', 1, () => ({ rows: 3, channels: 16_500, weights: 16_500 })],
];

function operands(random: Random, { rows, channels, weights }: Case) {
  const size = rows * channels;
  return {
    x: random.floats(size),
    dy: random.floats(size),
    weight: random.floats(weights, -0.5, 1.5),
    size,
    numbers: [rows, channels],
  };
}

describe.each(cases)('%s', (_, seeds, make) => {
  it('stays within rounding', () => {
    forSeeds(seeds, (random) => {
      const of = make(random);
      const { x, dy, weight, size, numbers } = operands(random, of);
      within(JSON.stringify(of), () => {
        checkAgainstReference(
          'prelu_forward',
          [floats(size)],
          [x, weight],
          numbers,
          (_, __, y) => UNIT * Math.abs(y),
        );
        const terms = (of.rows * of.channels) / of.weights;
        checkAgainstReference(
          'prelu_backward',
          [floats(size), floats(of.weights)],
          [dy, x, weight],
          numbers,
          (output, _, dx) => (output === 0 ? UNIT * Math.abs(dx) : 4 * Math.sqrt(terms + 8) * UNIT),
        );
      });
    });
  });
});

describe('operands', () => {
  it('results may lie over what they come from', () => {
    forSeeds(4, (random) => {
      const of = randomCase(random);
      const { x, dy, weight, size, numbers } = operands(random, of);
      const inputs = [dy, x, weight];
      forEachIsaAndThreads(() => {
        const [y] = call('prelu_forward', [floats(size)], [x, weight], numbers);
        const [dx, dWeight] = call('prelu_backward', [floats(size), floats(of.weights)], inputs, numbers);
        for (const over of [1, 2]) {
          const handles = [toTensor(new Float32Array(of.weights)), ...inputs.map(toTensor)];
          run('prelu_backward', [handles[over], ...handles], numbers);
          expectSameBits(fromTensor(handles[over]), dx, `dx over operand ${over}`);
          expectSameBits(fromTensor(handles[0]), dWeight);
          if (over === 2) {
            const [fresh, w] = [toTensor(x), handles[3]];
            run('prelu_forward', [fresh, fresh, w], numbers);
            expectSameBits(fromTensor(fresh), y, 'y over x');
            free(fresh);
          }
          free(...handles);
        }
      });
    });
  });

  it('gradients that nobody wants do not change the other', () => {
    forSeeds(4, (random) => {
      const of = randomCase(random);
      const { x, dy, weight, size, numbers } = operands(random, of);
      for (const inputs of [[dy, x, weight], [dy, x, weight].map(doubled)]) {
        const kind = inputs[0] instanceof Float64Array ? doubles : floats;
        const outputs = [kind(size), kind(of.weights)];
        const [dx, dWeight] = call('prelu_backward', outputs, inputs, numbers);
        expectSameBits(call('prelu_backward', [outputs[0]], [null, ...inputs], numbers)[0], dx);
        const handles = [toTensor(new Float64Array(of.weights)), ...inputs.map(toTensor)];
        if (kind === floats) handles[0] = toTensor(new Float32Array(of.weights));
        run('prelu_backward', [-1, ...handles], numbers);
        expectSameBits(fromTensor(handles[0]), dWeight);
        free(...handles);
      }
    });
  });
});

it('has the gradients of central differences, in double precision', () => {
  forSeeds(6, (random) => {
    const [rows, channels] = [random.int(1, 5), random.int(1, 4)];
    const weights = random.pick([1, channels]);
    const numbers = [rows, channels];
    // None at the bend
    const x = Float64Array.from(
      { length: rows * channels },
      () => (random.next() + 0.1) * random.pick([1, -1]),
    );
    const weight = Float64Array.from(random.floats(weights));
    const outputs = [doubles(x.length), doubles(weights)];
    const forward = (x: Float64Array, weight: Float64Array) =>
      call('prelu_forward', [doubles(x.length)], [x, weight], numbers)[0];
    const backward = (dy: Float64Array, which: number) =>
      call('prelu_backward', outputs, [dy, x, weight], numbers)[which];
    expectGradient(
      x,
      (at) => forward(at, weight),
      (dy) => backward(dy, 0),
      random,
    );
    expectGradient(
      weight,
      (at) => forward(x, at),
      (dy) => backward(dy, 1),
      random,
    );
  });
});

it('keeps NaN, and multiplies infinities', () => {
  const x = Float32Array.of(NaN, Infinity, -Infinity, -0);
  forEachIsaAndThreads(() => {
    const [y] = call('prelu_forward', [floats(4)], [x, Float32Array.of(0.25)], [4, 1]);
    expect([...y]).toEqual([NaN, Infinity, -Infinity, -0]);
  });
});

it('refuses operands that do not fit', () => {
  const x = new Float32Array(12);
  const of = (weight: Float32Array | Float64Array, numbers: number[]) =>
    refusal(() => call('prelu_forward', [floats(12)], [x, weight], numbers)).code;
  expect(of(new Float32Array(2), [4, 3])).toBe('ERR_SHAPE');
  expect(of(new Float64Array(3), [4, 3])).toBe('ERR_DTYPE');
  expect(of(new Float32Array(3), [5, 3])).toBe('ERR_SHAPE');
  for (const bad of [-1, 0, 1.5, NaN, Infinity]) {
    expect(of(new Float32Array(3), [bad, 3])).toBe('ERR_ARGUMENT');
    expect(of(new Float32Array(3), [4, bad])).toBe('ERR_ARGUMENT');
  }
  const backward = (dWeight: number, inputs: Float32Array[]) =>
    refusal(() => call('prelu_backward', [floats(12), floats(dWeight)], inputs, [4, 3])).code;
  expect(backward(1, [x, x, new Float32Array(3)])).toBe('ERR_SHAPE');
  expect(backward(3, [x, new Float32Array(11), new Float32Array(3)])).toBe('ERR_SHAPE');
});
