// SPDX-License-Identifier: Apache-2.0
// What operations compute: in single precision against double, the two ways to convolve against each other, and known
// answers. Kernels have tests of their own in test/native; here the whole way through the library is looked at.
import { describe, expect, test } from 'vitest';
import { relu, sigmoid, tanh } from '../../lib/ops/activations.js';
import { add, cast, multiply, scale } from '../../lib/ops/arithmetic.js';
import { argmax, countCorrect } from '../../lib/ops/classify.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { dropout } from '../../lib/ops/dropout.js';
import { gatherImages, gatherLabels } from '../../lib/ops/gather.js';
import { linear } from '../../lib/ops/linear.js';
import { matmul } from '../../lib/ops/matmul.js';
import { avgPool2d, lpPool2d, maxPool2d } from '../../lib/ops/pool2d.js';
import { mean, sum } from '../../lib/ops/reduce.js';
import { softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { Generator } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { convCases } from '../helpers/conv-cases.js';
import { irregular, operand } from '../helpers/operands.js';

const UNIT = 2 ** -24; // half an ulp of 1 in float32
const toDouble = (x: Tensor) => tensor(Float64Array.from(x.data()), x.shape, { requiresGrad: true });
const list = (x: Tensor | null) => Array.from(x?.data() ?? []);

function expectNear(actual: number[], expected: number[], bound: (i: number) => number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  actual.forEach((value, i) => {
    if (Math.abs(value - expected[i]) <= bound(i)) return; // false for NaN
    throw new Error(`${what}: element ${i} is ${value}, expected ${expected[i]}, allowed ${bound(i)}`);
  });
}

/** Runs forward and backward; the output and the gradients of all inputs. */
function passes(body: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], seed: number[]): number[][] {
  const output = body(...inputs);
  output.backward(output.dtype === 'float64' ? Float64Array.from(seed) : Float32Array.from(seed));
  return [list(output), ...inputs.map((input) => list(input.grad))];
}

describe('conv2d in single precision', () => {
  test.each(['auto', 'im2col'] as const)(
    '%s, every case and pass within the bound of its sums',
    (algorithm) => {
      for (const { name, x, weight, hasBias, stride, padding } of convCases) {
        tensorScope(() => {
          const inputs = [operand(x, 0, 'float32'), operand(weight, 1, 'float32')];
          if (hasBias) inputs.push(operand([weight[0]], 2, 'float32'));
          const body = (x: Tensor, w: Tensor, b?: Tensor) =>
            conv2d(x, w, b ?? null, { stride, padding, algorithm });
          const size = body(...(inputs as [Tensor, Tensor])).size;
          const seed = Array.from(Float32Array.from(irregular(size, 3)));
          const wide = inputs.map(toDouble);
          const magnitudes = wide.map((input) => toDouble(relu(add(relu(input), relu(scale(input, -1))))));
          const run = body as (...inputs: Tensor[]) => Tensor;
          const actual = passes(run, inputs, seed);
          const expected = passes(run, wide, seed);
          // The same passes over absolute values: sum |a| |b| of every element.
          const sums = passes(run, magnitudes, seed.map(Math.abs));
          const terms = [
            weight[1] * weight[2] * weight[3] + 1,
            weight[0] * weight[1] * weight[2],
            size,
            size,
          ];
          actual.forEach((values, pass) => {
            const bound = (i: number) => 4 * Math.sqrt(terms[pass]) * UNIT * sums[pass][i];
            expectNear(values, expected[pass], bound, `${name}, pass ${pass}`);
          });
        });
      }
    },
  );

  test.each([
    [[2, 9, 8, 16], [5, 3, 3, 16], 1, 1],
    [[1, 12, 11, 33], [18, 2, 5, 33], 2, [0, 2]],
    [[3, 28, 28, 1], [6, 5, 5, 1], 1, 2],
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
      [1, 100],
      [0, 5],
    ],
    [
      [2, 1, 1, 3],
      [2, 1, 1, 3],
      [100, 1],
      [5, 0],
    ],
    [[1, 2, 2, 2], [1, 3, 3, 2], 7, 3],
    [[1, 2, 2, 17], [1, 1, 1, 17], 9, 4],
  ] as const)('%j * %j, stride %j, padding %j: auto and im2col agree', (x, weight, stride, padding) =>
    tensorScope(() => {
      const run = (algorithm: 'auto' | 'im2col') => {
        const inputs = [
          operand(x, 0, 'float32'),
          operand(weight, 1, 'float32'),
          operand([weight[0]], 2, 'float32'),
        ];
        const output = conv2d(inputs[0], inputs[1], inputs[2], { stride, padding, algorithm });
        sum(multiply(output, output)).backward();
        return [output, ...inputs.map((input) => input.grad)].map(list);
      };
      const [direct, explicit] = [run('auto'), run('im2col')];
      direct.forEach((values, pass) => {
        const largest = Math.max(1e-3, ...explicit[pass].map(Math.abs));
        expectNear(values, explicit[pass], () => 1e-4 * largest, `pass ${pass}`);
      });
    }),
  );

  test('reads no padding where a stride jumps over the image', () =>
    tensorScope(() => {
      const x = tensor([5], [1, 1, 1, 1], { requiresGrad: true });
      const y = conv2d(x, tensor([2], [1, 1, 1, 1]), null, { stride: [1, 100], padding: [0, 5] });
      expect([y.shape, list(y)]).toEqual([[1, 1, 1, 1], [0]]);
      sum(y).backward();
      expect(list(x.grad)).toEqual([0]);
    }));

  test('a known answer: a 2x2 sum over a ramp', () =>
    tensorScope(() => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
      const y = conv2d(x, tensor([1, 1, 1, 1], [1, 2, 2, 1]), tensor([100]));
      expect([y.shape, list(y)]).toEqual([
        [1, 2, 2, 1],
        [112, 116, 124, 128],
      ]);
    }));
});

describe('single precision against double', () => {
  const bodies: [string, number[][], (...inputs: Tensor[]) => Tensor][] = [
    ['relu', [[4, 33]], relu],
    ['tanh', [[4, 33]], (x) => tanh(scale(x, 4))],
    ['sigmoid', [[4, 33]], (x) => sigmoid(scale(x, 6))],
    ['add', [[65], [65]], add],
    ['multiply', [[65], [65]], multiply],
    [
      'matmul',
      [
        [9, 30],
        [30, 17],
      ],
      matmul,
    ],
    ['linear', [[9, 30], [17, 30], [17]], linear],
    ['softmax', [[5, 11]], (x) => softmax(scale(x, 5))],
    ['crossEntropy', [[6, 10]], (x) => crossEntropy(x, tensor(Int32Array.of(0, 9, 3, 3, 1, 2)))],
    ['maxPool2d', [[2, 9, 8, 5]], (x) => maxPool2d(x, { kernelSize: 3, stride: 2, padding: 1 })],
    ['avgPool2d', [[2, 9, 8, 5]], (x) => avgPool2d(x, { kernelSize: 3, stride: 2, padding: 1 })],
    ['lpPool2d', [[2, 9, 8, 5]], (x) => lpPool2d(x, { kernelSize: 2 })],
    ['sum', [[1000]], sum],
    ['mean', [[1000]], mean],
    ['dropout', [[300]], (x) => dropout(x, 0.3, new Generator(9))],
  ];
  test.each(bodies)('%s', (name, shapes, body) =>
    tensorScope(() => {
      const inputs = shapes.map((shape, i) => operand(shape, i, 'float32'));
      const seed = Array.from(Float32Array.from(irregular(body(...inputs).size, 5)));
      const actual = passes(body, inputs, seed);
      const expected = passes(body, inputs.map(toDouble), seed);
      actual.forEach((values, pass) => {
        const largest = Math.max(1, ...expected[pass].map(Math.abs));
        expectNear(values, expected[pass], () => 2e-6 * largest, `${name}, pass ${pass}`);
      });
    }),
  );
});

describe('known answers', () => {
  test('argmax takes the first of equals, countCorrect counts', () =>
    tensorScope(() => {
      const logits = tensor([1, 3, 3, 5, 2, 5, -1, -2, -3], [3, 3]);
      expect(list(argmax(logits))).toEqual([1, 0, 0]);
      expect(countCorrect(logits, tensor(Int32Array.of(1, 2, 0)))).toBe(2);
    }));

  test('cast reads every type', () =>
    tensorScope(() => {
      expect(list(cast(tensor(Uint8Array.of(0, 255)), 'float32'))).toEqual([0, 255]);
      expect(list(cast(tensor(Int32Array.of(-5, 2 ** 30)), 'float64'))).toEqual([-5, 2 ** 30]);
      expect(cast(tensor([0.1]), 'float64').item()).toBe(Math.fround(0.1));
    }));

  test('gatherImages scales bytes, takes floats as they are, and normalises each channel', () =>
    tensorScope(() => {
      const bytes = tensor(Uint8Array.of(0, 255, 51, 102), [2, 1, 1, 2]);
      const by = { mean: [0.5, 1], std: [0.5, 2] };
      expectNear(
        list(gatherImages(bytes, tensor(Int32Array.of(1, 0, 1)), by)),
        [-0.6, -0.3, -1, 0, -0.6, -0.3],
        () => 1e-6,
        'bytes',
      );
      const floats = tensor([3, 5], [1, 1, 1, 2]);
      expect(list(gatherImages(floats, tensor(Int32Array.of(0)), by))).toEqual([5, 2]);
      expect(list(gatherLabels(tensor(Int32Array.of(7, 8, 9)), tensor(Int32Array.of(2, 0))))).toEqual([9, 7]);
    }));

  test('NaN comes through where it should', () =>
    tensorScope(() => {
      const x = tensor([Number.NaN, 1, -1, 2], [1, 2, 2, 1]);
      expect(list(relu(x))).toEqual([Number.NaN, 1, 0, 2]);
      expect(list(maxPool2d(x, { kernelSize: 2 }))).toEqual([Number.NaN]);
      expect(mean(x).item()).toBeNaN();
    }));

  test('what needs no gradient is not recorded', () =>
    tensorScope(() => {
      const y = matmul(tensor([1, 2], [1, 2]), tensor([3, 4], [2, 1]));
      expect([y.item(), y.requiresGrad, y.node]).toEqual([11, false, null]);
    }));
});
