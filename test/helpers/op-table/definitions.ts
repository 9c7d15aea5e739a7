// SPDX-License-Identifier: Apache-2.0
// Rows of the table of operations: what makes operations of users' functions.
import { sigmoid, tanh } from '../../../lib/ops/activations.js';
import { add, multiply, scale } from '../../../lib/ops/arithmetic.js';
import { checkpoint } from '../../../lib/ops/checkpoint.js';
import { defineArrayOp } from '../../../lib/ops/define-array-op.js';
import { defineOp } from '../../../lib/ops/define-op.js';
import { dropout } from '../../../lib/ops/dropout.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { bad, leaf, type Rows, unknownOption } from './row.js';

/** a σ(b), from inputs and output. */
const gated = defineOp({
  name: 'gated',
  forward: (a: Tensor, b: Tensor) => multiply(a, sigmoid(b)),
  backward: (gradient, [a, b, output], needs) => {
    const gate = sigmoid(b);
    const slope = add(output, scale(multiply(output, gate), -1));
    return [
      needs[0] ? multiply(gradient, gate) : null,
      needs[1] && a.size > 0 ? multiply(gradient, slope) : null,
    ];
  },
});

/** 2x, which hands back what is not its own. */
const twice = defineOp({
  name: 'twice',
  forward: (x: Tensor) => scale(x, 2),
  backward: (gradient) => scale(gradient, 2),
});

const cube = defineArrayOp({
  name: 'cube',
  forward: (x) => x.data.map((value) => value ** 3),
  backward: (gradient, [x]) => gradient.data.map((value, i) => 3 * x.data[i] ** 2 * value),
});

export const definingOps: Rows = [
  {
    op: 'checkpoint',
    accuracy: 'conditioned',
    isMaker: true,
    samples: [
      {
        name: 'of a product',
        operands: [leaf([3, 4]), leaf([3, 4], 1)],
        run: (a, b) => checkpoint((a, b) => tanh(multiply(a, scale(b, 2))), a, b),
      },
      {
        name: 'of what draws',
        operands: [leaf([9])],
        run: (x) => checkpoint((x) => tanh(dropout(x, 0.4)), x),
      },
    ],
    refusals: [['no function', () => checkpoint(bad(3)), 'ERR_ARGUMENT', { op: 'checkpoint' }]],
  },
  {
    op: 'defineOp',
    accuracy: 'conditioned',
    isMaker: true,
    samples: [
      { name: 'of two operands', operands: [leaf([3, 4]), leaf([3, 4], 1)], run: (a, b) => gated(a, b) },
      { name: 'of one', operands: [leaf([5])], run: (x) => twice(x) },
    ],
    refusals: [
      unknownOption((options) =>
        defineOp({ name: 'x', forward: scale, backward: scale, ...(options as object) } as never),
      ),
      ['no backward', () => defineOp(bad({ name: 'x', forward: scale })), 'ERR_ARGUMENT', {}],
    ],
  },
  {
    op: 'defineArrayOp',
    accuracy: 'conditioned',
    isMaker: true,
    isEager: true,
    samples: [{ name: 'of one operand', operands: [leaf([2, 5])], run: (x) => cube(x) }],
    refusals: [['no name', () => defineArrayOp(bad({})), 'ERR_ARGUMENT', { op: 'defineArrayOp' }]],
  },
];
