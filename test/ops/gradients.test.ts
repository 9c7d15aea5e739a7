// SPDX-License-Identifier: Apache-2.0
// Every backward rule against finite differences in double precision, with PyTorch's tolerances.
import { describe, expect, test } from 'vitest';
import { gradcheck } from '../../lib/autograd/gradcheck.js';
import { relu, sigmoid, tanh } from '../../lib/ops/activations.js';
import { add, cast, multiply, scale } from '../../lib/ops/arithmetic.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { dropout } from '../../lib/ops/dropout.js';
import { linear } from '../../lib/ops/linear.js';
import { matmul } from '../../lib/ops/matmul.js';
import { avgPool2d, lpPool2d, maxPool2d, type Pool2dOptions } from '../../lib/ops/pool2d.js';
import { mean, sum } from '../../lib/ops/reduce.js';
import { flatten, reshape } from '../../lib/ops/reshape.js';
import { softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { Generator } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { convCases } from '../helpers/conv-cases.js';
import { checkGradients } from '../helpers/gradients.js';
import { distinct, operand } from '../helpers/operands.js';

describe('conv2d', () => {
  test('has at least 120 cases', () => expect(convCases.length).toBeGreaterThanOrEqual(120));

  test.each(['auto', 'im2col'] as const)('%s, every case', (algorithm) => {
    for (const { name, x, weight, hasBias, stride, padding } of convCases) {
      try {
        checkGradients(
          (x, w, b) => conv2d(x, w, b ?? null, { stride, padding, algorithm }),
          () => [operand(x), operand(weight, 1), ...(hasBias ? [operand([weight[0]], 2)] : [])],
        );
      } catch (error) {
        throw new Error(`${name}: ${error}`, { cause: error });
      }
    }
  });

  test('with enough channels for whole vectors', () => {
    checkGradients(
      (x, w, b) => conv2d(x, w, b, { padding: 1, stride: 2 }),
      () => [operand([1, 3, 3, 17]), operand([2, 3, 3, 17], 1), operand([2], 2)],
    );
  });

  test('gives only the gradients that are asked for', () => {
    for (let wanted = 0; wanted < 3; wanted++) {
      checkGradients(
        (x, w, b) => conv2d(x, w, b, { padding: 1 }),
        () =>
          [operand([1, 3, 3, 2]), operand([2, 2, 2, 2], 1), operand([2], 2)].map((input, i) =>
            i === wanted ? input : input.detach(),
          ),
      );
    }
  });
});

describe('pooling', () => {
  const windows: Pool2dOptions[] = [
    { kernelSize: 2 },
    { kernelSize: 3 },
    { kernelSize: 2, stride: 1 },
    { kernelSize: 3, stride: 2 },
    { kernelSize: 3, stride: 1, padding: 1 },
    { kernelSize: 3, stride: 2, padding: 1 },
    { kernelSize: [3, 2], stride: [1, 2], padding: [1, 0] },
    { kernelSize: [2, 4], stride: [3, 1], padding: [1, 2] },
    { kernelSize: 1, stride: 2 },
    { kernelSize: [5, 6] },
    { kernelSize: 2, stride: 5 },
    { kernelSize: 4, stride: 3, padding: 2 },
  ];
  const shapes = [
    [1, 5, 6, 1],
    [2, 7, 6, 3],
  ];
  const cases = windows.flatMap((options) => shapes.map((shape) => ({ options, shape })));
  const each = test.each(cases.map((c) => ({ ...c, name: `[${c.shape}] ${JSON.stringify(c.options)}` })));

  each('maximum over $name', ({ options, shape }) =>
    checkGradients(
      (x) => maxPool2d(x, options),
      () => [distinct(shape)],
    ),
  );
  each('mean over $name', ({ options, shape }) => {
    for (const countIncludePad of [true, false]) {
      checkGradients(
        (x) => avgPool2d(x, { ...options, countIncludePad }),
        () => [operand(shape)],
      );
    }
  });
  each('norm over $name', ({ options, shape }) =>
    checkGradients(
      (x) => lpPool2d(x, options),
      () => [distinct(shape)],
    ),
  );

  test('maximum over a window too large for byte-sized winners', () =>
    checkGradients(
      (x) => maxPool2d(x, { kernelSize: [17, 16], stride: 1 }),
      () => [distinct([1, 18, 17, 1])],
    ));
});

describe('matrices', () => {
  const sizes = [
    [1, 1, 1],
    [2, 3, 4],
    [5, 1, 3],
    [1, 7, 2],
    [4, 6, 1],
  ];
  test.each(sizes)('matmul %i x %i x %i', (m, k, n) =>
    checkGradients(matmul, () => [operand([m, k]), operand([k, n], 1)]),
  );
  test.each(sizes)('linear, %i rows of %i to %i', (rows, features, out) => {
    checkGradients(linear, () => [operand([rows, features]), operand([out, features], 1), operand([out], 2)]);
    checkGradients(linear, () => [operand([rows, features]), operand([out, features], 1)]);
  });
  test('a matrix times itself', () =>
    checkGradients(
      (x) => matmul(x, x),
      () => [operand([3, 3])],
    ));
});

describe('elementwise', () => {
  const shapes = [[], [1], [7], [2, 3], [2, 1, 3, 2]];
  const unary: [string, (x: Tensor) => Tensor][] = [
    ['relu', relu],
    ['tanh', tanh],
    ['sigmoid', sigmoid],
    ['scale', (x) => scale(x, -2.5)],
    ['sum', sum],
    ['mean', mean],
    ['cast', (x) => cast(x, 'float64')],
    ['dropout', (x) => dropout(x, 0.4, new Generator(5, 1))],
    ['dropout 0', (x) => dropout(x, 0, new Generator(5))],
    ['square', (x) => multiply(x, x)],
    ['x + x', (x) => add(x, x)],
    ['tanh(x) sigmoid(x)', (x) => multiply(tanh(x), sigmoid(x))],
  ];
  test.each(unary)('%s', (_name, body) => {
    for (const shape of shapes) checkGradients(body, () => [distinct(shape)]);
  });
  test.each([
    ['add', add],
    ['multiply', multiply],
  ] as const)('%s', (_name, body) => {
    for (const shape of shapes) checkGradients(body, () => [operand(shape), operand(shape, 1)]);
  });

  test('cast through float32, where every value is exact', () =>
    tensorScope(() => {
      const x = tensor([0.5, -1.25, 3], [3], { dtype: 'float64', requiresGrad: true });
      const body = (x: Tensor) => cast(scale(cast(x, 'float32'), 2), 'float64');
      expect(gradcheck(body, [x], { eps: 2 ** -7 })).toBeLessThan(1e-6); // the seed is rounded
    }));
});

describe('shapes', () => {
  test('reshape', () =>
    checkGradients(
      (x) => reshape(x, [3, 4]),
      () => [operand([2, 6])],
    ));
  test('flatten', () =>
    checkGradients(
      (x) => multiply(flatten(x), flatten(x)),
      () => [operand([2, 2, 3, 1])],
    ));
  test('identity', () =>
    checkGradients(
      (x) => x,
      () => [operand([4])],
    ));
});

describe('classification', () => {
  test.each([[[4]], [[3, 1]], [[2, 5]], [[2, 2, 3]]])('softmax of %j', (shape) =>
    checkGradients(softmax, () => [operand(shape)]),
  );
  test.each([
    [1, 1],
    [1, 4],
    [3, 5],
    [6, 2],
  ])('crossEntropy, %i rows of %i', (rows, classes) => {
    const labels = tensor(Int32Array.from({ length: rows }, (_, i) => (i * 3) % classes));
    checkGradients(
      (x) => crossEntropy(x, labels),
      () => [operand([rows, classes])],
    );
    checkGradients(
      (x) => scale(crossEntropy(scale(x, 3), labels), -0.5),
      () => [operand([rows, classes])],
    );
    labels.dispose();
  });
});

test('a whole network', () =>
  tensorScope(() => {
    const labels = tensor(Int32Array.of(2, 0));
    const network = (x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) => {
      const features = maxPool2d(tanh(conv2d(x, w1, b1, { padding: 1 })), { kernelSize: 2 });
      return crossEntropy(linear(flatten(features), w2, b2), labels);
    };
    gradcheck(network as (...inputs: Tensor[]) => Tensor, [
      operand([2, 4, 4, 1]),
      operand([2, 3, 3, 1], 1),
      operand([2], 2),
      operand([3, 8], 3),
      operand([3], 4),
    ]);
  }));
