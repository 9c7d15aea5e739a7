// SPDX-License-Identifier: Apache-2.0
// Batch normalisation, global pooling, joined and padded channels: gradients by finite differences, and refusals.
import { describe, expect, test } from 'vitest';
import { relu } from '../../lib/ops/activations.js';
import { add } from '../../lib/ops/arithmetic.js';
import { type BatchNorm2dOptions, batchNorm2d } from '../../lib/ops/batch-norm.js';
import { concat, padChannels } from '../../lib/ops/concat.js';
import { globalAvgPool2d } from '../../lib/ops/global-avg-pool.js';
import { avgPool2d } from '../../lib/ops/pool2d.js';
import { full, ones, tensor, zeros } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative } from '../helpers/golden.js';
import { checkGradients } from '../helpers/gradients.js';
import { distinct, irregular, operand } from '../helpers/operands.js';
import { expectRefusal } from '../helpers/refusal.js';

const image = [3, 2, 4, 5];

describe('batchNorm2d', () => {
  const statistics = () => ({
    runningMean: tensor(irregular(5, 3), [5], { dtype: 'float64' }),
    runningVar: full([5], 0.7, { dtype: 'float64' }),
  });
  const affine = () => [operand(image), operand([5], 1), operand([5], 2)];

  test.each([true, false])('gradients of everything (training: %s)', (training) => {
    checkGradients(
      (x, weight, bias) => batchNorm2d(x, weight, bias, { ...statistics(), training, eps: 0.01 }),
      affine,
    );
  });

  test.each([true, false])(
    'gradients without weight, without bias, without both (training: %s)',
    (training) => {
      const options = () => ({ ...statistics(), training });
      checkGradients(
        (x) => batchNorm2d(x, null, null, options()),
        () => [operand(image)],
      );
      checkGradients(
        (x, weight) => batchNorm2d(x, weight, null, options()),
        () => [operand(image), operand([5], 1)],
      );
      checkGradients(
        (x, bias) => batchNorm2d(x, null, bias, options()),
        () => [operand(image), operand([5], 1)],
      );
    },
  );

  test.each([true, false])('gives only the gradients that are asked for (training: %s)', (training) => {
    for (let wanted = 0; wanted < 3; wanted++) {
      checkGradients(
        (x, weight, bias) => batchNorm2d(x, weight, bias, { ...statistics(), training }),
        () => affine().map((input, i) => (i === wanted ? input : input.detach())),
      );
    }
  });

  test('goes back with the statistics it went forward with, whatever became of the running ones', () => {
    tensorScope(() => {
      const [x, weight, bias] = affine();
      const { runningMean, runningVar } = statistics();
      const y = batchNorm2d(x, weight, bias, { runningMean, runningVar });
      batchNorm2d(x, null, null, { runningMean, runningVar, training: true, momentum: 1 });
      const { size } = y;
      y.backward(new Float64Array(size).fill(1));
      const scale = weight.data().map((value) => value / Math.sqrt(0.7 + 1e-5));
      const wanted = x.data().map((_, i) => scale[i % 5]);
      expectRelative(x.grad?.data() ?? [], wanted, 1e-14, 'gradient');
    });
  });

  test('moves the running statistics by the momentum, with the unbiased variance', () => {
    tensorScope(() => {
      const [runningMean, runningVar] = [full([1], 8), full([1], 4)];
      const x = tensor([1, 2, 3, 6], [4, 1, 1, 1]); // mean 3, squared deviations 14
      batchNorm2d(x, null, null, { runningMean, runningVar, training: true, momentum: 0.25 });
      expect(runningMean.item()).toBeCloseTo(0.75 * 8 + 0.25 * 3, 6);
      expect(runningVar.item()).toBeCloseTo(0.75 * 4 + (0.25 * 14) / 3, 6);
    });
  });

  test.each<[string, (x: Tensor) => unknown, Parameters<typeof expectRefusal>[1], RegExp]>([
    [
      'one value per channel while training',
      () => batchNorm2d(ones([1, 1, 1, 3]), null, null, { training: true }),
      'ERR_SHAPE',
      /more than one value per channel while training/,
    ],
    [
      'vectors',
      () => batchNorm2d(ones([4, 3]), null, null, { training: true }),
      'ERR_SHAPE',
      /\[n, h, w, c\]/,
    ],
    [
      'a weight of another length',
      (x) => batchNorm2d(x, ones([2]), null, { training: true }),
      'ERR_SHAPE',
      /weight \[3\], one for each channel of input \[2, 2, 2, 3\]/,
    ],
    [
      'running statistics of another type',
      (x) => batchNorm2d(x, null, null, { runningMean: zeros([3], { dtype: 'float64' }), training: true }),
      'ERR_DTYPE',
      /runningMean to be float32/,
    ],
    ['use without running statistics', (x) => batchNorm2d(x, null, null), 'ERR_ARGUMENT', /unless training/],
    [
      'use with half of them',
      (x) => batchNorm2d(x, null, null, { runningVar: ones([3]) }),
      'ERR_ARGUMENT',
      /unless training/,
    ],
    ...[-0.1, 1.1, NaN, '0.1'].map(
      (momentum) =>
        [
          `momentum ${momentum}`,
          (x: Tensor) => batchNorm2d(x, null, null, { training: true, momentum } as BatchNorm2dOptions),
          'ERR_ARGUMENT',
          /momentum from 0 to 1/,
        ] as [string, (x: Tensor) => unknown, 'ERR_ARGUMENT', RegExp],
    ),
    [
      'eps',
      (x) => batchNorm2d(x, null, null, { training: true, eps: -1 }),
      'ERR_ARGUMENT',
      /eps of at least 0/,
    ],
  ])('refuses %s', (_, body, code, expected) => {
    const x = ones([2, 2, 2, 3]);
    expectRefusal(() => tensorScope(() => body(x)), code, { op: 'batchNorm2d', expected });
    x.dispose();
    expectRefusal(() => batchNorm2d(x, null, null, { training: true }), 'ERR_DISPOSED');
  });
});

describe('globalAvgPool2d', () => {
  test('gradients', () => {
    checkGradients(globalAvgPool2d, () => [operand(image)]);
    checkGradients(globalAvgPool2d, () => [operand([1, 1, 1, 17])]);
  });

  test('refuses what is no batch of images', () => {
    tensorScope(() => {
      expectRefusal(() => tensorScope(() => globalAvgPool2d(ones([2, 3]))), 'ERR_SHAPE', {
        op: 'globalAvgPool2d',
      });
      const whole = () => tensor(Int32Array.of(1), [1, 1, 1, 1]);
      expectRefusal(() => tensorScope(() => globalAvgPool2d(whole())), 'ERR_DTYPE');
    });
  });
});

describe('concat', () => {
  test('puts columns side by side', () => {
    tensorScope(() => {
      const joined = concat([
        tensor([1, 2, 3, 4], [2, 2]),
        tensor([5, 6], [2, 1]),
        tensor([7, 8, 9, 0], [2, 2]),
      ]);
      expect(joined.shape).toEqual([2, 5]);
      expect([...joined.data()]).toEqual([1, 2, 5, 7, 8, 3, 4, 6, 9, 0]);
    });
  });

  test('gradients, also of one tensor twice, and of those alone that want one', () => {
    const parts = () => [operand([2, 2, 2, 3]), operand([2, 2, 2, 1], 1), operand([2, 2, 2, 4], 2)];
    checkGradients((...inputs) => concat(inputs), parts);
    checkGradients(
      (a, b, c) => concat([a, b, c]),
      () => parts().map((part, i) => (i === 1 ? part : part.detach())),
    );
    checkGradients(
      (x) => concat([x, x]),
      () => [operand([3, 2])],
    );
    checkGradients(
      (x) => concat([x]),
      () => [operand([3])],
    );
  });

  test('refuses an empty list, other rows, other types and scalars', () => {
    expectRefusal(() => concat([]), 'ERR_ARGUMENT', { op: 'concat' });
    expectRefusal(() => concat(undefined as unknown as Tensor[]), 'ERR_ARGUMENT');
    const refuses = (make: () => Tensor[], code: Parameters<typeof expectRefusal>[1], expected: RegExp) =>
      expectRefusal(() => tensorScope(() => concat(make())), code, { op: 'concat', expected });
    refuses(() => [ones([2, 3]), ones([3, 3])], 'ERR_SHAPE', /^shapes \[2, any\]$/);
    refuses(() => [ones([2, 3]), ones([2, 1, 3])], 'ERR_SHAPE', /^shapes \[2, any\]$/);
    refuses(() => [ones([2]), ones([2], { dtype: 'float64' })], 'ERR_DTYPE', /tensor 1 to be float32/);
    refuses(() => [ones([])], 'ERR_SHAPE', /rank 1 or more/);
  });
});

describe('padChannels', () => {
  test('puts zeros around the channels', () => {
    tensorScope(() => {
      const padded = padChannels(tensor([1, 2, 3, 4], [2, 2]), 1, 2);
      expect([...padded.data()]).toEqual([0, 1, 2, 0, 0, 0, 3, 4, 0, 0]);
    });
  });

  test('gradients', () => {
    checkGradients(
      (x) => padChannels(x, 2, 1),
      () => [operand([2, 2, 2, 3])],
    );
    checkGradients(
      (x) => padChannels(x, 0, 0),
      () => [operand([2, 3])],
    );
  });

  test.each([-1, 1.5, NaN])('refuses %d channels', (count) => {
    const refuses = (before: number, after: number) =>
      expectRefusal(() => tensorScope(() => padChannels(ones([2, 2]), before, after)), 'ERR_ARGUMENT');
    refuses(count, 0);
    refuses(0, count);
  });
});

describe('residual sums', () => {
  test('have gradients through both branches, where they are normalised, cut at 0, strided and padded', () => {
    checkGradients(
      (x, weight, bias) => {
        const branch = batchNorm2d(x, weight, bias, { training: true, eps: 0.1 });
        const y = relu(add(branch, x));
        return add(
          padChannels(avgPool2d(y, { kernelSize: 1, stride: 2 }), 1, 1),
          avgPool2d(concat([y, y]), { kernelSize: 2 }),
        );
      },
      () => [distinct([2, 4, 4, 2]), operand([2], 1), operand([2], 2)],
    );
  });
});
