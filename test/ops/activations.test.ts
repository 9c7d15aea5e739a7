// SPDX-License-Identifier: Apache-2.0
// Activations: gradients by finite differences, what options mean, and what is refused.
import { expect, test } from 'vitest';
import {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  tanh,
} from '../../lib/ops/activations.js';
import { scale } from '../../lib/ops/arithmetic.js';
import { prelu } from '../../lib/ops/prelu.js';
import { logSoftmax, softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { describeGradients, type GradientCase } from '../helpers/gradients.js';
import { distinct, operand } from '../helpers/operands.js';
import { describeRefusals, of, type RefusalCase } from '../helpers/refusal-cases.js';

const shapes = [[], [1], [7], [2, 3], [2, 1, 3, 2], [1, 4, 3, 5]];

const unary: [string, (x: Tensor) => Tensor][] = [
  ['relu', relu],
  ['relu6', relu6],
  ['relu6 of 7.3 x', (x) => relu6(scale(x, 7.3))],
  ['tanh', tanh],
  ['sigmoid', sigmoid],
  ['elu', elu],
  ['elu, alpha 0.3', (x) => elu(x, 0.3)],
  ['elu, alpha -2', (x) => elu(x, -2)],
  ['gelu', gelu],
  ["gelu, 'tanh'", (x) => gelu(x, { approximate: 'tanh' })],
  ['hardswish', hardswish],
  ['leakyRelu', leakyRelu],
  ['leakyRelu, slope 0.4', (x) => leakyRelu(x, 0.4)],
  ['leakyRelu, slope 0', (x) => leakyRelu(x, 0)],
  ['leakyRelu, slope -0.7', (x) => leakyRelu(x, -0.7)],
  ['silu', silu],
  ['softplus', softplus],
  ['softplus, beta 3, threshold 2.6', (x) => softplus(x, { beta: 3, threshold: 2.6 })],
  ['softplus, beta 0.2', (x) => softplus(x, { beta: 0.2 })],
  ['softplus of silu of tanh', (x) => softplus(silu(tanh(x)))],
];

describeGradients(
  'activations',
  unary.flatMap(([name, body]) =>
    shapes.map(
      (shape): GradientCase => ({ name: `${name} of [${shape}]`, body, inputs: () => [distinct(shape)] }),
    ),
  ),
);

describeGradients(
  'softmax and logSoftmax',
  [[4], [1], [3, 1], [2, 5], [2, 2, 3], [1, 17]].flatMap((shape) =>
    [softmax, logSoftmax].map(
      (body): GradientCase => ({ name: `${body.name} of [${shape}]`, body, inputs: () => [operand(shape)] }),
    ),
  ),
);

describeGradients(
  'prelu',
  [[], [6], [4, 3], [2, 3, 2, 4], [1, 2, 2, 17]].flatMap((shape) =>
    [...new Set([1, shape.at(-1) ?? 1])].flatMap((weights) =>
      ['both', 'the input', 'the weight'].map(
        (wanted): GradientCase => ({
          name: `of [${shape}] with ${weights} weights, by ${wanted}`,
          body: (x, weight) => prelu(x, weight),
          inputs: () => {
            const [x, weight] = [distinct(shape), operand([weights], 1)];
            if (wanted === 'both') return [x, weight];
            return wanted === 'the input' ? [x, weight.detach()] : [x.detach(), weight];
          },
        }),
      ),
    ),
  ),
);

const values = (x: Tensor) => Array.from(x.data());

test('options are what they say', () =>
  tensorScope(() => {
    const x = tensor([-2, 1, 3], [3], { dtype: 'float64' });
    expect(values(leakyRelu(x, 0.25))).toEqual([-0.5, 1, 3]);
    expect(values(leakyRelu(x))).toEqual([-0.02, 1, 3]);
    expect(values(elu(x, 2))).toEqual([2 * Math.expm1(-2), 1, 3]);
    const [below, line] = values(softplus(x, { beta: 2, threshold: 1.5 }));
    expect(below).toBeCloseTo(Math.log1p(Math.exp(-4)) / 2, 15);
    expect(line).toBe(1);
    expect(values(prelu(x, tensor([0.5], [1], { dtype: 'float64' })))).toEqual([-1, 1, 3]);
    const slopes = tensor([0.5, 7, 8], [3], { dtype: 'float64' });
    expect(values(prelu(tensor([-1, -1, -1], [1, 3], { dtype: 'float64' }), slopes))).toEqual([-0.5, -7, -8]);
  }));

test('a leaky ReLU with a negative slope goes back by its input', () =>
  tensorScope(() => {
    const x = tensor([-2, 3], [2], { requiresGrad: true });
    leakyRelu(x, -1).backward(Float32Array.of(1, 1));
    expect(values(x.grad!)).toEqual([-1, 1]);
    x.grad?.dispose();
  }));

const bad = (value: unknown) => value as never;
const numbers: RefusalCase[] = [NaN, Infinity, '1', null].flatMap((value): RefusalCase[] => [
  [
    `leakyRelu: slope ${value}`,
    () => leakyRelu(of([3]), bad(value)),
    'ERR_ARGUMENT',
    { op: 'leakyRelu', expected: 'negativeSlope to be a finite number' },
  ],
  [`elu: alpha ${value}`, () => elu(of([3]), bad(value)), 'ERR_ARGUMENT', { op: 'elu', expected: /alpha/ }],
  [
    `softplus: threshold ${value}`,
    () => softplus(of([3]), { threshold: bad(value) }),
    'ERR_ARGUMENT',
    { op: 'softplus', expected: /threshold/ },
  ],
]);

describeRefusals({
  numbers,
  options: [
    ...[0, -1, NaN, Infinity, '2'].map(
      (beta): RefusalCase => [
        `softplus: beta ${beta}`,
        () => softplus(of([3]), { beta: bad(beta) }),
        'ERR_ARGUMENT',
        { expected: 'beta to be a finite number above 0' },
      ],
    ),
    [
      'softplus: another name',
      () => softplus(of([3]), bad({ treshold: 3 })),
      'ERR_ARGUMENT',
      { received: 'treshold', hint: 'did you mean threshold?' },
    ],
    [
      'gelu: another approximation',
      () => gelu(of([3]), { approximate: bad('sigmoid') }),
      'ERR_ARGUMENT',
      { expected: "approximate to be 'none' or 'tanh'", received: '"sigmoid"' },
    ],
    ['gelu: no options', () => gelu(of([3]), bad('tanh')), 'ERR_ARGUMENT', { expected: /approximate/ }],
  ],
  operands: [
    ...[elu, gelu, hardswish, leakyRelu, relu6, silu, softplus, logSoftmax].flatMap((body): RefusalCase[] => [
      [`${body.name}: whole numbers`, () => body(of([3], 'int32')), 'ERR_DTYPE', { op: body.name }],
      [
        `${body.name}: an array`,
        () => body(bad([1, 2])),
        'ERR_ARGUMENT',
        { expected: 'input to be a Tensor' },
      ],
    ]),
    ['logSoftmax: a scalar', () => logSoftmax(of([])), 'ERR_SHAPE', { received: 'a scalar' }],
    [
      'prelu: too few weights',
      () => prelu(of([2, 3]), of([2])),
      'ERR_SHAPE',
      { expected: 'weight [1] or [3], one for each channel of input [2, 3]', received: '[2]' },
    ],
    ['prelu: a matrix of weights', () => prelu(of([2, 3]), of([1, 3])), 'ERR_SHAPE', { received: '[1, 3]' }],
    ['prelu: a scalar weight', () => prelu(of([2, 3]), of([])), 'ERR_SHAPE', { received: '[]' }],
    ['prelu: mixed types', () => prelu(of([2, 3]), of([3], 'float64')), 'ERR_DTYPE', { expected: /weight/ }],
    [
      'prelu: a number',
      () => prelu(of([2, 3]), bad(0.25)),
      'ERR_ARGUMENT',
      { expected: /weight to be a Tensor/ },
    ],
  ],
});
