// SPDX-License-Identifier: Apache-2.0
// Batch normalisation of vectors and signals, group, layer and local response normalisation: gradients by finite
// differences, known answers, and what is refused.
import { expect, test } from 'vitest';
import { batchNorm1d, batchNorm2d } from '../../lib/ops/batch-norm.js';
import { groupNorm } from '../../lib/ops/group-norm.js';
import { layerNorm } from '../../lib/ops/layer-norm.js';
import { localResponseNorm } from '../../lib/ops/local-response-norm.js';
import { reshape } from '../../lib/ops/reshape.js';
import { full, tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { describeGradients, type GradientCase } from '../helpers/gradients.js';
import { irregular, operand } from '../helpers/operands.js';
import { describeRefusals, of, type RefusalCase } from '../helpers/refusal-cases.js';

type Affine = (x: Tensor, weight: Tensor | null, bias: Tensor | null) => Tensor;

/** By everything, by each alone, and with parameters left out. */
function affineCases(
  name: string,
  shape: readonly number[],
  columns: readonly number[],
  body: Affine,
): GradientCase[] {
  const all = () => [operand(shape), operand(columns, 1), operand(columns, 2)];
  const whole = (x: Tensor, weight: Tensor, bias: Tensor) => body(x, weight, bias);
  return [
    { name: `${name}, by everything`, body: whole, inputs: all },
    ...['input', 'weight', 'bias'].map((wanted, which) => ({
      name: `${name}, by the ${wanted} alone`,
      body: whole,
      inputs: () => all().map((input, i) => (i === which ? input : input.detach())),
    })),
    { name: `${name}, plain`, body: (x: Tensor) => body(x, null, null), inputs: () => all().slice(0, 1) },
    {
      name: `${name}, weight alone`,
      body: (x: Tensor, weight: Tensor) => body(x, weight, null),
      inputs: () => all().slice(0, 2),
    },
    {
      name: `${name}, bias alone`,
      body: (x: Tensor, bias: Tensor) => body(x, null, bias),
      inputs: () => [operand(shape), operand(columns, 2)],
    },
  ];
}

const statistics = (c: number) => ({
  runningMean: tensor(irregular(c, 3), [c], { dtype: 'float64' }),
  runningVar: full([c], 0.7, { dtype: 'float64' }),
});

describeGradients(
  'batchNorm1d',
  [
    [5, 3],
    [2, 4, 3],
  ].flatMap((shape) =>
    [true, false].flatMap((training) => {
      const c = shape[shape.length - 1];
      return affineCases(`[${shape}], training: ${training}`, shape, [c], (x, weight, bias) =>
        batchNorm1d(x, weight, bias, { ...statistics(c), training, eps: 0.01 }),
      );
    }),
  ),
);

const groups: [shape: number[], numGroups: number][] = [
  [[2, 2, 3, 4], 2],
  [[2, 2, 2, 3], 3],
  [[1, 3, 2, 5], 1],
  [[2, 3, 6], 3],
  [[3, 8], 4],
];

describeGradients(
  'groupNorm',
  groups.flatMap(([shape, numGroups]) => {
    const c = shape[shape.length - 1];
    return affineCases(`[${shape}] in ${numGroups} groups`, shape, [c], (x, weight, bias) =>
      groupNorm(x, numGroups, weight, bias, { eps: 0.01 }),
    );
  }),
);

const layers: [shape: number[], normalizedShape: number[]][] = [
  [[4, 5], [5]],
  [[2, 3, 2, 3], [3]],
  [
    [2, 2, 3, 2],
    [2, 3, 2],
  ],
  [
    [2, 3, 4],
    [3, 4],
  ],
  [[7], [7]],
];

describeGradients(
  'layerNorm',
  layers.flatMap(([shape, normalizedShape]) =>
    affineCases(`[${shape}] over [${normalizedShape}]`, shape, normalizedShape, (x, weight, bias) =>
      layerNorm(x, normalizedShape, weight, bias, { eps: 0.01 }),
    ),
  ),
);

describeGradients(
  'localResponseNorm',
  [[6], [3, 5], [1, 2, 2, 7], [2, 1, 2, 3]].flatMap((shape) =>
    [1, 2, 3, 5, 8].flatMap((size) =>
      [{}, { alpha: 2, beta: 0.5, k: 0.5 }, { alpha: 1, beta: 1.5, k: 2 }].map(
        (options): GradientCase => ({
          name: `[${shape}], ${size} channels, ${JSON.stringify(options)}`,
          body: (x) => localResponseNorm(x, size, options),
          inputs: () => [operand(shape)],
        }),
      ),
    ),
  ),
);

describeGradients(
  'localResponseNorm within a channel',
  [
    [1, 3, 4, 2],
    [2, 2, 3, 1],
    [1, 1, 5, 3],
  ].flatMap((shape) =>
    [1, 2, 3, 4, 7].flatMap((size) =>
      [{}, { alpha: 4, beta: 0.5, k: 0.5 }, { alpha: 6, beta: 1.5, k: 2 }].map(
        (options): GradientCase => ({
          name: `[${shape}], ${size} x ${size} pixels, ${JSON.stringify(options)}`,
          body: (x) => localResponseNorm(x, size, { ...options, region: 'withinChannel' }),
          inputs: () => [operand(shape)],
        }),
      ),
    ),
  ),
);

const values = (x: Tensor) => Array.from(x.data());
const close = (actual: Tensor, expected: readonly number[]) =>
  values(actual).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 12);
  });

test('signals and vectors are images of another shape', () =>
  tensorScope(() => {
    const x = operand([3, 4, 5]).detach();
    const weight = operand([5], 1).detach();
    for (const shape of [
      [3, 4, 5],
      [12, 5],
    ]) {
      const [a, b] = [statistics(5), statistics(5)];
      const y = batchNorm1d(reshape(x, shape), weight, null, { ...a, training: true });
      const image = batchNorm2d(reshape(x, [3, 4, 1, 5]), weight, null, { ...b, training: true });
      expect(y.data()).toEqual(image.data());
      expect(a.runningMean.data()).toEqual(b.runningMean.data());
      expect(a.runningVar.data()).toEqual(b.runningVar.data());
    }
  }));

test('groupNorm normalises channels of a group together, sample by sample', () =>
  tensorScope(() => {
    // One sample, two pixels, two groups of two channels
    const x = tensor([1, 3, 10, 10, 5, 7, 10, 14], [1, 2, 1, 4], { dtype: 'float64' });
    const first = [1, 3, 5, 7].map((value) => (value - 4) / Math.sqrt(5));
    const second = [10, 10, 10, 14].map((value) => (value - 11) / Math.sqrt(3));
    close(groupNorm(x, 2, null, null, { eps: 0 }), [
      ...first.slice(0, 2),
      ...second.slice(0, 2),
      ...first.slice(2),
      ...second.slice(2),
    ]);
  }));

test('one group is a layer normalisation of whole samples, in both precisions', () =>
  tensorScope(() => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = operand([3, 4, 5, 6], 0, dtype).detach();
      const [a, b] = [groupNorm(x, 1), layerNorm(x, [4, 5, 6])].map(values);
      a.forEach((value, i) => {
        expect(Math.abs(value - b[i])).toBeLessThan(dtype === 'float32' ? 1e-6 : 1e-14);
      });
    }
  }));

test('layerNorm gives rows mean 0 and variance 1, then weight and bias', () =>
  tensorScope(() => {
    const x = tensor([1, 2, 3, 2, 4, 6], [2, 3], { dtype: 'float64' });
    const [weight, bias] = [
      [1, 2, 3],
      [0, 0, 10],
    ].map((numbers) => tensor(numbers, [3], { dtype: 'float64' }));
    const unit = Math.sqrt(1.5);
    const row = [-unit, 0, 3 * unit + 10];
    close(layerNorm(x, 3, weight, bias, { eps: 0 }), [...row, ...row]);
  }));

const bad = (value: unknown) => value as never;

describeRefusals({
  batchNorm1d: [
    [
      'images',
      () => batchNorm1d(of([2, 2, 2, 3]), null, null),
      'ERR_SHAPE',
      { op: 'batchNorm1d', hint: /batchNorm2d/ },
    ],
    ['rank 1', () => batchNorm1d(of([3]), null, null), 'ERR_SHAPE', { expected: /\[n, c\]/ }],
    [
      'one row',
      () => batchNorm1d(of([1, 3]), null, null, { training: true }),
      'ERR_SHAPE',
      { hint: /larger batch/ },
    ],
    [
      'statistics of another length',
      () => batchNorm1d(of([2, 3]), null, null, { runningMean: of([2]), training: true }),
      'ERR_SHAPE',
      { expected: /runningMean \[3\]/ },
    ],
    [
      'no statistics',
      () => batchNorm1d(of([2, 3]), null, null),
      'ERR_ARGUMENT',
      { expected: /unless training/ },
    ],
    ['no options', () => batchNorm1d(of([2, 3]), null, null, bad(null)), 'ERR_ARGUMENT', {}],
  ],
  groupNorm: [
    [
      'groups that do not divide',
      () => groupNorm(of([2, 2, 2, 6]), 4),
      'ERR_ARGUMENT',
      { op: 'groupNorm', expected: 'numGroups that divides 6 channels', received: '4' },
    ],
    ...[0, -1, 1.5, NaN, '2', undefined].map(
      (count): RefusalCase => [
        `${count} groups`,
        () => groupNorm(of([2, 6]), bad(count)),
        'ERR_ARGUMENT',
        { expected: /numGroups to be a whole number/ },
      ],
    ),
    ['vectors', () => groupNorm(of([6]), 2), 'ERR_SHAPE', { expected: /rank 2 or more/, received: '[6]' }],
    [
      'a weight of another length',
      () => groupNorm(of([2, 6]), 2, of([2])),
      'ERR_SHAPE',
      { expected: /weight \[6\]/ },
    ],
    [
      'a bias of another type',
      () => groupNorm(of([2, 6]), 2, null, of([6], 'float64')),
      'ERR_DTYPE',
      { expected: /bias to be float32/ },
    ],
    [
      'eps',
      () => groupNorm(of([2, 6]), 2, null, null, { eps: -1 }),
      'ERR_ARGUMENT',
      { expected: 'eps of at least 0' },
    ],
    [
      'another option',
      () => groupNorm(of([2, 6]), 2, null, null, bad({ epsi: 1 })),
      'ERR_ARGUMENT',
      { hint: 'did you mean eps?' },
    ],
    ['whole numbers', () => groupNorm(of([2, 6], 'int32'), 2), 'ERR_DTYPE', { op: 'groupNorm' }],
  ],
  layerNorm: [
    [
      'another length',
      () => layerNorm(of([2, 3, 4]), [5]),
      'ERR_SHAPE',
      { op: 'layerNorm', expected: 'input [..., 5], as normalizedShape says', received: '[2, 3, 4]' },
    ],
    ['more dimensions than there are', () => layerNorm(of([4]), [1, 4]), 'ERR_SHAPE', { received: '[4]' }],
    ['no dimensions', () => layerNorm(of([4]), []), 'ERR_ARGUMENT', { received: '[]' }],
    ['an empty dimension', () => layerNorm(of([4]), 0), 'ERR_SHAPE', { received: '[0]' }],
    ['no shape', () => layerNorm(of([4]), bad(null)), 'ERR_SHAPE', { received: 'null' }],
    [
      'a weight of another shape',
      () => layerNorm(of([2, 3, 4]), [3, 4], of([12])),
      'ERR_SHAPE',
      { expected: 'weight [3, 4], as normalizedShape says', received: '[12]' },
    ],
    ['a bias of another type', () => layerNorm(of([2, 4]), 4, null, of([4], 'float64')), 'ERR_DTYPE', {}],
    [
      'eps',
      () => layerNorm(of([4]), 4, null, null, { eps: NaN }),
      'ERR_ARGUMENT',
      { expected: 'eps of at least 0' },
    ],
  ],
  localResponseNorm: [
    ...[0, -1, 2.5, NaN, 2 ** 31, '5', undefined].map(
      (size): RefusalCase => [
        `size ${size}`,
        () => localResponseNorm(of([2, 3]), bad(size)),
        'ERR_ARGUMENT',
        { op: 'localResponseNorm', expected: /^size/ },
      ],
    ),
    [
      'alpha',
      () => localResponseNorm(of([2, 3]), 5, { alpha: -1 }),
      'ERR_ARGUMENT',
      { expected: 'alpha of at least 0' },
    ],
    ['beta', () => localResponseNorm(of([2, 3]), 5, { beta: NaN }), 'ERR_ARGUMENT', { expected: /beta/ }],
    [
      'k',
      () => localResponseNorm(of([2, 3]), 5, { k: -0.5 }),
      'ERR_ARGUMENT',
      { expected: 'k of at least 0' },
    ],
    [
      'another option',
      () => localResponseNorm(of([2, 3]), 5, bad({ gamma: 1 })),
      'ERR_ARGUMENT',
      { received: 'gamma' },
    ],
    [
      'another region',
      () => localResponseNorm(of([1, 2, 2, 3]), 3, { region: bad('withinChannels') }),
      'ERR_ARGUMENT',
      { expected: /region to be one of/, hint: 'did you mean withinChannel?' },
    ],
    [
      'neighbouring pixels of a vector',
      () => localResponseNorm(of([2, 3]), 3, { region: 'withinChannel' }),
      'ERR_SHAPE',
      { expected: /\[n, h, w, c\]/, received: '[2, 3]' },
    ],
    ['a scalar', () => localResponseNorm(of([]), 5), 'ERR_SHAPE', { received: 'a scalar' }],
    ['whole numbers', () => localResponseNorm(of([2, 3], 'uint8'), 5), 'ERR_DTYPE', {}],
  ],
});
