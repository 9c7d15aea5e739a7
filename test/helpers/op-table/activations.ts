// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: activations. The elementwise ones come from the table of activations.
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
} from '../../../lib/ops/activations.js';
import { prelu } from '../../../lib/ops/prelu.js';
import { logSoftmax, softmax } from '../../../lib/ops/softmax.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { type ActivationRow, activationRows, rowName } from '../activations.js';
import { of, type RefusalCase } from '../refusal-cases.js';
import {
  type Accuracy,
  apart,
  constant,
  given,
  leaf,
  type Row,
  type Rows,
  times,
  unknownOption,
} from './row.js';

type Numbers = readonly number[];

/** The operation of an instruction, called with the numbers that the instruction gets. */
const calls: Record<string, { readonly op: string; readonly call: (x: Tensor, numbers: Numbers) => Tensor }> =
  {
    elu: { op: 'elu', call: (x, [alpha]) => elu(x, alpha) },
    gelu: { op: 'gelu', call: (x) => gelu(x) },
    gelu_tanh: { op: 'gelu', call: (x) => gelu(x, { approximate: 'tanh' }) },
    hardswish: { op: 'hardswish', call: hardswish },
    leaky_relu: { op: 'leakyRelu', call: (x, [slope]) => leakyRelu(x, slope) },
    relu: { op: 'relu', call: relu },
    relu6: { op: 'relu6', call: relu6 },
    sigmoid: { op: 'sigmoid', call: sigmoid },
    silu: { op: 'silu', call: silu },
    softplus: { op: 'softplus', call: (x, [beta, threshold]) => softplus(x, { beta, threshold }) },
    tanh: { op: 'tanh', call: tanh },
  };

function callOf(instruction: string): (typeof calls)[string] {
  const known = calls[instruction];
  if (known === undefined)
    throw new Error(`${instruction} has no call in test/helpers/op-table/activations.ts`);
  return known;
}

/** Of x: NaN, ∞ and -∞. What multiplies an infinity by 0 is NaN, as in PyTorch. */
const limits: Record<string, Numbers> = {
  elu: [NaN, Infinity, -0.5],
  gelu: [NaN, Infinity, NaN],
  hardswish: [NaN, Infinity, NaN],
  leakyRelu: [NaN, Infinity, -Infinity],
  relu: [NaN, Infinity, 0],
  relu6: [NaN, 6, 0],
  sigmoid: [NaN, 1, 0],
  silu: [NaN, Infinity, NaN],
  softplus: [NaN, Infinity, 0],
  tanh: [NaN, 1, -1],
};

const limitCalls: Record<string, (x: Tensor) => Tensor> = {
  ...{ elu: (x) => elu(x, 0.5), gelu, hardswish, leakyRelu, relu, relu6, sigmoid, silu, softplus, tanh },
};

const refusals: Record<string, readonly RefusalCase[]> = {
  elu: [['alpha of NaN', () => elu(of([3]), NaN), 'ERR_ARGUMENT', { received: 'NaN' }]],
  gelu: [unknownOption((options) => gelu(of([3]), options))],
  leakyRelu: [
    ['an infinite slope', () => leakyRelu(of([3]), Infinity), 'ERR_ARGUMENT', { received: 'Infinity' }],
  ],
  softplus: [
    unknownOption((options) => softplus(of([3]), options)),
    ['beta of 0', () => softplus(of([3]), { beta: 0 }), 'ERR_ARGUMENT', { received: '0' }],
  ],
};

const extremes = () => constant(given([NaN, Infinity, -Infinity]));

const accuracyOf = ({ forwardBound, backwardBound, kept }: ActivationRow): Accuracy => ({
  forward: forwardBound,
  backward: (dx, dy, x, y) => backwardBound(dx, dy, kept === 'x' ? x : y),
});

const rowOf = (op: string, rows: readonly ActivationRow[], [first] = rows): Row => ({
  op,
  isElementwise: true,
  accuracy: accuracyOf(first),
  samples: [
    ...rows.map((row) => ({
      name: rowName(row),
      operands: [times(7, apart([3, 11]))],
      run: (x: Tensor) => callOf(row.instruction).call(x, row.numbers),
      accuracy: accuracyOf(row),
    })),
    {
      name: 'a scalar',
      operands: [leaf([])],
      run: (x) => callOf(first.instruction).call(x, first.numbers),
    },
    {
      name: 'several tasks',
      operands: [times(9, leaf([2, 131, 67, 3]))],
      run: (x) => callOf(first.instruction).call(x, first.numbers),
      isLarge: true,
    },
  ],
  limits: [{ name: 'NaN, ∞ and -∞', operands: [extremes()], run: limitCalls[op], expected: limits[op] }],
  refusals: refusals[op] ?? [],
});

const names = [...new Set(activationRows.map(({ instruction }) => callOf(instruction).op))];

const rows3 = [NaN, Infinity, -Infinity].flatMap((value) => [0, value, 1]);

export const activationOps: Rows = [
  ...names.map((op) =>
    rowOf(
      op,
      activationRows.filter(({ instruction }) => callOf(instruction).op === op),
    ),
  ),
  {
    op: 'prelu',
    accuracy: 'conditioned',
    samples: [
      { name: 'a weight for all', operands: [apart([3, 5]), leaf([1], 1)], run: prelu },
      { name: 'a weight a channel', operands: [apart([2, 3, 2, 4]), leaf([4], 1)], run: prelu },
      { name: 'a scalar', operands: [leaf([]), leaf([1], 1)], run: prelu },
      {
        name: 'several tasks',
        operands: [leaf([3, 41, 37, 9]), leaf([9], 1)],
        run: prelu,
        isLarge: true,
      },
    ],
    limits: [
      {
        name: 'NaN, ∞ and -∞',
        operands: [extremes(), constant(given([0.25]))],
        run: prelu,
        expected: [NaN, Infinity, -Infinity],
      },
    ],
    refusals: [
      [
        'a weight too many',
        () => prelu(of([2, 3]), of([4])),
        'ERR_SHAPE',
        { expected: /weight \[1\] or \[3\]/ },
      ],
    ],
  },
  ...[softmax, logSoftmax].map(
    (body): Row => ({
      op: body.name,
      accuracy: 'conditioned',
      samples: [
        ...[[4], [1], [3, 1], [2, 5], [2, 2, 3], [1, 17]].map((shape) => ({
          name: `of [${shape}]`,
          operands: [times(3, leaf(shape))],
          run: body,
        })),
        { name: 'several tasks', operands: [leaf([1700, 19])], run: body, isLarge: true },
      ],
      limits: [
        {
          name: 'a row with NaN, one with ∞, one with -∞',
          operands: [constant(given(rows3, [3, 3]))],
          run: body,
          expected: [
            ...Array(6).fill(NaN),
            ...[0, -Infinity, 1].map((x) => {
              const log = x - Math.log(1 + Math.E);
              return body === softmax ? Math.exp(log) : log;
            }),
          ],
        },
        {
          name: 'nothing but -∞',
          operands: [constant(given([-Infinity, -Infinity], [1, 2]))],
          run: body,
          expected: [NaN, NaN],
        },
        {
          name: 'numbers whose exponentials overflow',
          operands: [constant(given([1000, 1000], [1, 2]))],
          run: body,
          expected: body === softmax ? [0.5, 0.5] : [-Math.LN2, -Math.LN2],
        },
      ],
      refusals: [['a scalar', () => body(of([])), 'ERR_SHAPE', { op: body.name, received: 'a scalar' }]],
    }),
  ),
];
