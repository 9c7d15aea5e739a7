// SPDX-License-Identifier: Apache-2.0
// Operations of users: out of the library's own, captured like any other; and in JavaScript, eager only.
import { describe, expect, test } from 'vitest';
import { Flatten } from '../../lib/nn/flatten.js';
import { Linear } from '../../lib/nn/linear.js';
import { Module } from '../../lib/nn/module.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { sigmoid, tanh } from '../../lib/ops/activations.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { type ArrayOpDefinition, defineArrayOp, type Elements } from '../../lib/ops/define-array-op.js';
import { defineOp, type OpDefinition } from '../../lib/ops/define-op.js';
import { sum } from '../../lib/ops/reduce.js';
import { full, tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { fit } from '../../lib/train/fit.js';
import { gradcheck } from '../helpers/gradients.js';
import { operand } from '../helpers/operands.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';
import { halves, weightsOf } from '../train/tiny.js';

const list = (x: Tensor | null) => (x === null ? null : Array.from(x.data()));
const leaf = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });

function scoped(name: string, body: () => void): void {
  test(name, () => expectFlatMemory(() => tensorScope(body)));
}

const oneMinus = (x: Tensor) => add(scale(x, -1), full(x.shape, 1, { dtype: x.dtype }));

/** x σ(x), with what its gradient needs saved. */
const swish = defineOp({
  name: 'swish',
  forward: (x: Tensor) => {
    const gate = sigmoid(x);
    const output = multiply(x, gate);
    return { output, saved: [gate, output] };
  },
  backward: (gradient, [gate, output]) => multiply(gradient, add(gate, multiply(output, oneMinus(gate)))),
});

/** a tanh(b), from inputs and output. */
const gated = defineOp({
  name: 'gated',
  forward: (a: Tensor, b: Tensor) => multiply(a, tanh(b)),
  backward: (gradient, [a, b], needs) => {
    const gate = tanh(b);
    return [
      needs[0] ? multiply(gradient, gate) : null,
      needs[1] ? multiply(multiply(gradient, a), oneMinus(multiply(gate, gate))) : null,
    ];
  },
});

const cube = defineArrayOp({
  name: 'cube',
  forward: (x) => x.data.map((value) => value ** 3),
  backward: (gradient, [x]) => gradient.data.map((value, i) => 3 * x.data[i] ** 2 * value),
});

/** The outer product of two vectors. */
const outer = defineArrayOp({
  name: 'outer',
  shape: ([m], [n]) => [m, n],
  forward: (a, b) => like(a, products(a.data, b.data)),
  backward: (gradient, [a, b], _output, needs) => {
    const [x, y] = [Array.from(a.data), Array.from(b.data)];
    const at = (i: number, j: number) => gradient.data[i * y.length + j];
    const da = x.map((_, i) => y.reduce((total, value, j) => total + at(i, j) * value, 0));
    const db = y.map((_, j) => x.reduce((total, value, i) => total + at(i, j) * value, 0));
    return [needs[0] ? like(a, da) : null, needs[1] ? like(b, db) : null];
  },
});

function like({ data }: Elements, values: number[]): Float32Array | Float64Array {
  return data instanceof Float32Array ? Float32Array.from(values) : Float64Array.from(values);
}

function products(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a).flatMap((x) => Array.from(b, (y) => x * y));
}

describe('defineOp', () => {
  test('gives the gradients of finite differences', () =>
    expectFlatMemory(() =>
      tensorScope(() => {
        for (const shape of [[], [5], [2, 3]]) {
          gradcheck(swish, [operand(shape)]);
          gradcheck((x) => swish(scale(swish(x), 2)), [operand(shape)]);
          gradcheck(gated, [operand(shape), operand(shape, 1)]);
          gradcheck((a) => gated(a, operand(shape, 1).detach()), [operand(shape)]);
        }
        const double = wrong({ backward: (gradient) => scale(gradient, 2) });
        const x = operand([2]);
        expectRefusal(() => gradcheck(double, [x]), 'ERR_NUMERICS');
      }),
    ));

  scoped('may give back its input, its gradient, or a tensor from elsewhere', () => {
    const constant = tensor([7, 7]);
    const straight = defineOp({
      name: 'straight',
      forward: (x: Tensor) => x,
      backward: (gradient) => gradient,
    });
    const fixed = defineOp({ name: 'fixed', forward: (_x: Tensor) => constant, backward: () => constant });
    const saved = defineOp({ name: 'saved', forward: (x: Tensor) => scale(x, 2), backward: (_, [x]) => x });
    const x = leaf(1, 2);
    sum(straight(x)).backward();
    expect([list(x.grad), x.node]).toEqual([[1, 1], null]);
    sum(fixed(x)).backward();
    sum(fixed(x)).backward();
    expect([list(x.grad), list(constant), constant.requiresGrad]).toEqual([[15, 15], [7, 7], false]);
    sum(saved(x)).backward();
    expect([list(x.grad), list(x)]).toEqual([
      [16, 17],
      [1, 2],
    ]);
  });

  scoped('sends nothing back for null, and records nothing without need', () => {
    const half = defineOp({
      name: 'half',
      forward: (a: Tensor, b: Tensor) => add(a, b),
      backward: (gradient) => [gradient, null],
    });
    const [a, b] = [leaf(1), leaf(2)];
    sum(half(a, b)).backward();
    expect([list(a.grad), b.grad]).toEqual([[1], null]);
    expect(half(tensor([1]), tensor([2])).requiresGrad).toBe(false);
  });

  test('is captured with the bits of eager steps, and named in errors with its layer', async () => {
    const step = ({ x }: Readonly<Record<string, Tensor>>) => {
      const y = x.detach();
      y.requiresGrad = true;
      const z = swish(gated(y, scale(y, 2)));
      sum(multiply(z, z)).backward();
      return { z, gradient: y.grad as Tensor };
    };
    const data = Float32Array.of(0.5, -1, 2, 0.1);
    const eager = tensorScope(() => {
      const { z, gradient } = step({ x: tensor(data) });
      return [list(z), list(gradient)];
    });
    using plan = capture(step, { inputs: { x: [4] } });
    const { outputs } = await plan.run({ x: data });
    expect([Array.from(outputs.z), Array.from(outputs.gradient)]).toEqual(eager);
  });

  const wrong = (parts: Partial<OpDefinition<readonly [Tensor]>>) =>
    defineOp<readonly [Tensor]>({
      name: 'wrong',
      forward: (x) => scale(x, 1),
      backward: (gradient) => gradient,
      ...parts,
    });

  scoped('refuses what defines no operation', () => {
    const definition = { name: 'f', forward: (x: Tensor) => x, backward: (gradient: Tensor) => gradient };
    const refuse = (changes: object) =>
      expectRefusal(() => defineOp({ ...definition, ...changes }), 'ERR_ARGUMENT');
    for (const changes of [{ name: '' }, { name: 3 }, { forward: 3 }, { backward: null }, { shape: 3 }])
      refuse(changes);
    expectRefusal(() => defineOp(undefined as never), 'ERR_ARGUMENT');
  });

  scoped('refuses inputs, outputs and saved tensors that are none', () => {
    const x = leaf(1, 2);
    const forward = (result: () => unknown) => () => wrong({ forward: result as never })(x);
    expectRefusal(() => swish(3 as never), 'ERR_ARGUMENT', {
      op: 'swish',
      expected: 'input 0 to be a Tensor',
    });
    expectRefusal(
      forward(() => 3),
      'ERR_ARGUMENT',
      { op: 'wrong', expected: /what forward returns/ },
    );
    expectRefusal(
      forward(() => ({ output: x })),
      'ERR_ARGUMENT',
      { expected: /\{ output, saved \}/ },
    );
    expectRefusal(
      forward(() => ({ output: x, saved: [3] })),
      'ERR_ARGUMENT',
      { expected: /saved tensor 0/ },
    );
    expectRefusal(
      forward(() => tensor(Int32Array.of(1))),
      'ERR_DTYPE',
      { op: 'wrong' },
    );
  });

  scoped('refuses gradients that do not fit, when backward comes by', () => {
    const backward = (result: (gradient: Tensor) => unknown) => () =>
      tensorScope(() => sum(wrong({ backward: result as never })(leaf(1, 2))).backward());
    expectRefusal(
      backward(() => []),
      'ERR_ARGUMENT',
      { op: 'wrong', received: '0' },
    );
    expectRefusal(
      backward((g) => [g, g]),
      'ERR_ARGUMENT',
      { op: 'wrong', received: '2' },
    );
    expectRefusal(
      backward(() => 3),
      'ERR_ARGUMENT',
      { expected: /gradient 0 that backward returns/ },
    );
    expectRefusal(
      backward(() => tensor([1])),
      'ERR_SHAPE',
      { received: 'float32 [1]' },
    );
    expectRefusal(
      backward(() => tensor(Float64Array.of(1, 2))),
      'ERR_DTYPE',
      { received: 'float64 [2]' },
    );
  });
});

describe('defineArrayOp', () => {
  test('gives the gradients of finite differences', () =>
    expectFlatMemory(() =>
      tensorScope(() => {
        for (const shape of [[], [5], [2, 3]]) gradcheck((x) => cube(scale(x, 2)), [operand(shape)]);
        gradcheck(outer, [operand([3]), operand([2], 1)]);
        gradcheck((b) => outer(operand([3]).detach(), b), [operand([2])]);
        expect(outer(leaf(1, 2), leaf(3, 4, 5)).shape).toEqual([2, 3]);
      }),
    ));

  test('cannot be captured, and says what can; fit trains eagerly', async () => {
    expectRefusal(() => capture(({ x }) => ({ y: cube(x) }), { inputs: { x: [2] } }), 'ERR_CAPTURE', {
      op: 'cube',
      expected: /written in JavaScript/,
      hint: /defineOp/,
    });
    class Cube extends Module {
      forward(x: Tensor): Tensor {
        return cube(x);
      }
    }
    using model = new Sequential(new Flatten(), new Cube(), new Linear(4, 2));
    const before = weightsOf(model);
    const result = await fit(model, halves(8), { lr: 0.1 });
    expect(result.captured).toBe(false);
    expect(result.notCaptured).toMatch(/cube in layer 1: expected eager code/);
    expect(weightsOf(model)).not.toEqual(before);
  });

  scoped('refuses what does not fit, with its name', () => {
    const x = leaf(1, 2);
    const of = (parts: Partial<ArrayOpDefinition>) =>
      defineArrayOp({
        name: 'wrong',
        forward: (x) => x.data,
        backward: (gradient) => gradient.data,
        ...parts,
      });
    const refuse = (parts: object) => expectRefusal(() => of(parts), 'ERR_ARGUMENT');
    for (const parts of [{ name: undefined }, { forward: 3 }, { backward: 3 }, { shape: [2] }, { saved: [] }])
      refuse(parts);
    expectRefusal(() => cube(), 'ERR_ARGUMENT', { op: 'cube' });
    expectRefusal(() => cube([1] as never), 'ERR_ARGUMENT', { op: 'cube' });
    expectRefusal(() => of({ forward: () => new Float32Array(3) })(x), 'ERR_SHAPE', {
      op: 'wrong',
      expected: 'forward to return a Float32Array of 2 elements',
      received: '3',
    });
    expectRefusal(() => of({ forward: () => [1, 2] as never })(x), 'ERR_DTYPE', { received: '[1, 2]' });
    expectRefusal(() => of({ shape: () => [0] })(x), 'ERR_SHAPE', { op: 'wrong' });
    const backward = (result: unknown) => () =>
      tensorScope(() => sum(of({ backward: () => result as never })(leaf(1, 2))).backward());
    expectRefusal(backward(new Float32Array(3)), 'ERR_SHAPE', { expected: /^backward to return/ });
    expectRefusal(backward(new Float64Array(2)), 'ERR_DTYPE');
    expectRefusal(backward([null, null]), 'ERR_ARGUMENT', { received: '2' });
    sum(of({ backward: () => null })(x)).backward();
    expect(x.grad).toBeNull();
  });
});
