// SPDX-License-Identifier: Apache-2.0
// The checker itself: it must catch wrong gradients, name the element, and leave its inputs as they were.
import { describe, expect, test } from 'vitest';
import { gradcheck } from '../../lib/autograd/gradcheck.js';
import { tanh } from '../../lib/ops/activations.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { record } from '../../lib/ops/record.js';
import { sum } from '../../lib/ops/reduce.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { operand } from '../helpers/operands.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

/** 2x, whose backward is `backward`. */
function doubleWith(backward: (grad: Tensor, x: Tensor) => Tensor | null): (x: Tensor) => Tensor {
  return (x) => record('double', scale(x, 2).detach(), [x], [x], (grad, [x]) => [backward(grad, x)]);
}

test('a right gradient passes, with a small largest difference', () =>
  tensorScope(() => {
    const largest = gradcheck(
      doubleWith((grad) => scale(grad, 2)),
      [operand([2, 3])],
    );
    expect(largest).toBeGreaterThanOrEqual(0);
    expect(largest).toBeLessThan(1e-8);
  }));

describe('a wrong gradient is caught:', () => {
  const wrong: [string, (grad: Tensor, x: Tensor) => Tensor | null][] = [
    ['a wrong factor', (grad) => scale(grad, 2.01)],
    ['a wrong sign', (grad) => scale(grad, -2)],
    ['none', () => null],
    ['one of the right size for another input', (_grad, x) => x.clone()],
    ['not a number', (grad) => scale(grad, Number.NaN)],
    [
      'one wrong element of many',
      (grad) => {
        const values = scale(grad, 2).data();
        values[4] += 0.01;
        return tensor(values, grad.shape);
      },
    ],
  ];
  test.each(wrong)('%s', (_name, backward) =>
    tensorScope(() => {
      const x = operand([2, 3]);
      const before = Array.from(x.data());
      expectRefusal(() => gradcheck(doubleWith(backward), [x]), 'ERR_NUMERICS', {
        op: 'gradcheck',
        expected: /at element \d of input 0/,
      });
      expect(Array.from(x.data())).toEqual(before);
    }),
  );

  test('a wrong gradient of the second input, by its place', () =>
    tensorScope(() => {
      const body = (a: Tensor, b: Tensor) =>
        record('sum', add(a, b).detach(), [a, b], [], (grad) => [grad, scale(grad, 3)]);
      const inputs = [operand([2]), operand([2], 1)];
      expectRefusal(() => gradcheck(body, inputs), 'ERR_NUMERICS', {
        expected: /element 0 of input 1/,
      });
    }));

  test('a body that is not the same on every call', () =>
    tensorScope(() => {
      let calls = 0;
      const x = operand([2]);
      const body = (x: Tensor) => scale(x, calls++);
      expectRefusal(() => gradcheck(body, [x]), 'ERR_NUMERICS');
    }));
});

test('values and gradients are as before, and nothing stays', () => {
  const x = operand([3]);
  tensorScope(() => sum(multiply(x, x)).backward());
  const [values, grad] = [Array.from(x.data()), x.grad];
  expectFlatMemory(() => gradcheck((x) => tanh(tanh(x)), [x]));
  expect(Array.from(x.data())).toEqual(values);
  expect(x.grad).toBe(grad);
  expect(grad?.disposed).toBe(false);
  x.dispose();
});

test('inputs in single precision, or without requiresGrad, are refused', () =>
  tensorScope(() => {
    const single = operand([2], 0, 'float32');
    const double = operand([2]);
    const plain = double.detach();
    expectRefusal(() => gradcheck(sum, [single]), 'ERR_DTYPE', {
      received: /float32 \[2\]/,
      hint: /float64/,
    });
    expectRefusal(() => gradcheck(sum, [plain]), 'ERR_DTYPE', { expected: /requiresGrad/ });
    expectRefusal(() => gradcheck(sum, []), 'ERR_DTYPE', { received: 'none' });
    expectRefusal(() => gradcheck(add, [double, single]), 'ERR_DTYPE');
  }));

test('tolerances are what is asked for', () =>
  tensorScope(() => {
    const body = doubleWith((grad) => scale(grad, 2.01));
    const x = operand([2]);
    expect(gradcheck(body, [x], { rtol: 0.1 })).toBeGreaterThan(1e-3);
    expectRefusal(() => gradcheck(body, [x], { rtol: 1e-4, atol: 1e-4 }), 'ERR_NUMERICS');
  }));

test('tolerances, outputs and inputs that make no check are refused', () =>
  tensorScope(() => {
    const x = operand([2]);
    const made = scale(x, 2);
    for (const options of [{ eps: 0 }, { eps: Number.NaN }, { atol: -1 }, { rtol: '1' as never }]) {
      expectRefusal(() => gradcheck(sum, [x], options), 'ERR_ARGUMENT', { expected: /to be a number/ });
    }
    expectRefusal(() => gradcheck(sum, [x], { epsilon: 1 } as object), 'ERR_ARGUMENT', {
      received: 'epsilon',
    });
    expectRefusal(() => gradcheck(() => 3 as never, [x]), 'ERR_ARGUMENT', { received: '3' });
    expectRefusal(() => gradcheck((x) => x.detach(), [x]), 'ERR_DTYPE', {
      expected: /depends on its inputs/,
    });
    expectRefusal(() => gradcheck(() => operand([2], 0, 'float32'), [x]), 'ERR_DTYPE', {
      received: /float32/,
    });
    expectRefusal(() => gradcheck(sum, [made]), 'ERR_ARGUMENT', {
      expected: 'inputs that no operation made',
      received: 'the output of scale as input 0',
    });
    expect(x.grad).toBeNull();
  }));
