// SPDX-License-Identifier: Apache-2.0
// The backward walk: every gradient reaches its leaf once for each path, shared tensors add up, and nothing stays behind.
import { describe, expect, test } from 'vitest';
import { isGradEnabled, noGrad } from '../../lib/autograd/grad-mode.js';
import { relu } from '../../lib/ops/activations.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { linear } from '../../lib/ops/linear.js';
import { record } from '../../lib/ops/record.js';
import { mean, sum } from '../../lib/ops/reduce.js';
import { reshape } from '../../lib/ops/reshape.js';
import { tensor } from '../../lib/tensor/create.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

const leaf = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });
const gradientOf = (x: Tensor) => (x.grad === null ? null : Array.from(x.grad.data()));

/** A test body in a scope, after which the native memory must be what it was. */
function scoped(name: string, body: () => void): void {
  test(name, () => expectFlatMemory(() => tensorScope(body)));
}

describe('shared tensors', () => {
  scoped('x + x sends 2 to x', () => {
    const x = leaf(1, 2, 3);
    sum(add(x, x)).backward();
    expect(gradientOf(x)).toEqual([2, 2, 2]);
  });

  scoped('x + x sends 2 more to x on the next backward', () => {
    const x = leaf(1, 2, 3);
    for (let pass = 1; pass <= 3; pass++) {
      sum(add(x, x)).backward();
      expect(gradientOf(x)).toEqual([2 * pass, 2 * pass, 2 * pass]);
    }
  });

  scoped('x + y sends its gradient to both, whichever has one already', () => {
    const [x, y] = [leaf(1, 2), leaf(3, 4)];
    sum(x).backward();
    sum(add(x, y)).backward();
    sum(y).backward();
    sum(add(x, y)).backward();
    expect(gradientOf(x)).toEqual([3, 3]);
    expect(gradientOf(y)).toEqual([3, 3]);
  });

  scoped('x * x has the gradient 2x', () => {
    const x = leaf(1, -2, 3);
    sum(multiply(x, x)).backward();
    expect(gradientOf(x)).toEqual([2, -4, 6]);
  });

  scoped('a diamond adds up both of its sides', () => {
    const x = leaf(1, 2);
    const shared = scale(x, 3);
    sum(multiply(add(shared, x), shared)).backward(); // (3x + x) 3x = 12 x²
    expect(gradientOf(x)).toEqual([24, 48]);
  });

  scoped('a residual sum inside a residual sum reaches every branch', () => {
    const [x, z] = [leaf(1, 2), leaf(5, 6)];
    const h = scale(x, 2);
    sum(add(add(h, z), h)).backward();
    expect(gradientOf(x)).toEqual([4, 4]);
    expect(gradientOf(z)).toEqual([1, 1]);
  });

  scoped('a sub-expression used many times is walked once', () => {
    const x = leaf(1);
    let walks = 0;
    const shared = record('counted', scale(x, 1).detach(), [x], [], (grad) => {
      walks += 1;
      return [grad];
    });
    let total = shared;
    for (let i = 0; i < 9; i++) total = add(total, shared);
    sum(total).backward();
    expect(walks).toBe(1);
    expect(gradientOf(x)).toEqual([10]);
  });

  scoped('a chain of doublings does not walk its 2^40 paths', () => {
    const x = leaf(1);
    let y = x;
    for (let i = 0; i < 40; i++) y = add(y, y);
    sum(y).backward();
    expect(gradientOf(x)).toEqual([2 ** 40]);
  });

  scoped('views share gradients of their shape only', () => {
    const x = tensor([1, 2, 3, 4], [2, 2], { requiresGrad: true });
    const flat = reshape(x, [4]);
    sum(add(multiply(flat, flat), flat)).backward();
    expect(x.grad?.shape).toEqual([2, 2]);
    expect(gradientOf(x)).toEqual([3, 5, 7, 9]);
  });
});

describe('what gets a gradient', () => {
  scoped('leaves that require one, and no others', () => {
    const x = leaf(1, 2);
    const constant = tensor([3, 4]);
    const product = multiply(x, constant);
    sum(product).backward();
    expect(gradientOf(x)).toEqual([3, 4]);
    expect(constant.grad).toBeNull();
    expect(product.grad).toBeNull();
  });

  scoped('an operation is told which inputs need one', () => {
    const [x, y] = [leaf(1), tensor([2])];
    let told: readonly boolean[] = [];
    const out = record('spy', tensor([2]), [x, y], [], (grad, _saved, needs) => {
      told = needs;
      return [grad.clone(), grad.clone()];
    });
    sum(out).backward(); // the gradient that nobody needs is freed: see the scope's count
    expect(told).toEqual([true, false]);
    expect(y.grad).toBeNull();
  });

  scoped('a leaf that is the root gets the seed', () => {
    const x = tensor([5], [], { requiresGrad: true });
    x.backward();
    x.backward();
    expect(gradientOf(x)).toEqual([2]);
  });

  scoped('detach cuts the history and shares the elements', () => {
    const x = leaf(1, 2);
    const cut = scale(x, 2).detach();
    expect(cut.requiresGrad).toBe(false);
    sum(multiply(cut, x)).backward();
    expect(gradientOf(x)).toEqual([2, 4]);
    const view = x.detach();
    view.write(Float32Array.of(7, 8));
    expect(Array.from(x.data())).toEqual([7, 8]);
  });

  scoped('noGrad records nothing, also after an exception, also nested', () => {
    const x = leaf(1);
    const y = noGrad(() => noGrad(() => scale(x, 2)));
    expect(y.requiresGrad).toBe(false);
    expect(() =>
      noGrad(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(isGradEnabled()).toBe(true);
    expect(scale(x, 2).requiresGrad).toBe(true);
    expectRefusal(() => y.backward(), 'ERR_ARGUMENT', { op: 'backward', hint: /noGrad/ });
  });

  test('noGrad refuses an asynchronous body', async () => {
    expectRefusal(() => noGrad(async () => 1), 'ERR_ARGUMENT', { op: 'noGrad', received: /promise/i });
    expectRefusal(() => noGrad(() => Promise.reject(new Error('late'))), 'ERR_ARGUMENT');
    await new Promise((resolve) => setImmediate(resolve)); // the rejection must not end the process
    expect(isGradEnabled()).toBe(true);
  });
});

describe('the recorded graph', () => {
  scoped('is released by backward: a second call is an error that changes nothing', () => {
    const x = leaf(1, 2);
    const loss = sum(multiply(x, x));
    loss.backward();
    const before = gradientOf(x);
    expectRefusal(() => loss.backward(), 'ERR_DISPOSED', { op: 'backward', hint: /retainGraph/ });
    expect(gradientOf(x)).toEqual(before);
  });

  scoped('is checked as a whole before any gradient moves', () => {
    const [x, y] = [leaf(1, 2), leaf(3, 4)];
    const inner = multiply(x, x);
    sum(inner).backward();
    const outer = sum(multiply(inner, y)); // y is reached before the released part is
    expectRefusal(() => outer.backward(), 'ERR_DISPOSED', { received: /multiply/ });
    expect(y.grad).toBeNull();
    expect(gradientOf(x)).toEqual([2, 4]);
  });

  scoped('stays with retainGraph, and gradients add up', () => {
    const x = leaf(1, 2);
    const loss = sum(multiply(x, x));
    loss.backward(undefined, { retainGraph: true });
    loss.backward(undefined, { retainGraph: true });
    loss.backward();
    expect(gradientOf(x)).toEqual([6, 12]);
    expectRefusal(() => loss.backward(), 'ERR_DISPOSED');
  });

  scoped('keeps what it needs after the user disposes it', () => {
    const x = leaf(1, 2);
    const y = scale(x, 3);
    const loss = sum(multiply(y, y));
    y.dispose();
    loss.backward();
    expect(gradientOf(x)).toEqual([18, 36]);
  });

  scoped('gives nothing to a leaf that was disposed', () => {
    const x = leaf(1, 2);
    const loss = sum(scale(x, 3));
    x.dispose();
    loss.backward();
    expect(x.grad).toBeNull();
  });

  scoped('of 5,000 operations does not overflow the stack', () => {
    const x = leaf(1, 2);
    let y = x;
    for (let i = 0; i < 5000; i++) y = add(y, x);
    sum(y).backward();
    expect(gradientOf(x)).toEqual([5001, 5001]);
  });

  scoped('of an error inside an operation leaves no gradient in flight', () => {
    const [x, y] = [leaf(1), leaf(2)];
    const broken = record('broken', tensor([3]), [x], [], () => {
      throw new Error('no gradient');
    });
    const loss = sum(add(multiply(y, y), broken));
    const before = memory().tensors;
    expect(() => loss.backward()).toThrow('no gradient');
    expect(memory().tensors).toBeLessThanOrEqual(before + 1); // at most y's own gradient is new
    expect(isGradEnabled()).toBe(true);
  });
});

describe('the seed', () => {
  scoped('of a tensor with many elements must be given', () => {
    const x = leaf(1, 2, 3);
    const y = scale(x, 2);
    expectRefusal(() => y.backward(), 'ERR_SHAPE', { received: /\[3\] and no gradient/ });
    y.backward(Float32Array.of(1, 10, 100));
    expect(gradientOf(x)).toEqual([2, 20, 200]);
  });

  scoped('must fit in size and type', () => {
    const y = scale(leaf(1, 2, 3), 2);
    expectRefusal(() => y.backward(new Float32Array(2)), 'ERR_SHAPE', { received: /Float32Array of 2/ });
    expectRefusal(() => y.backward(new Float64Array(3)), 'ERR_DTYPE', {
      expected: /Float32Array/,
      received: /Float64Array/,
    });
    expectRefusal(() => y.backward([1, 2, 3] as unknown as Float32Array), 'ERR_DTYPE');
    y.backward(new Float32Array(3)); // refused seeds did not use up the graph
  });
});

describe('memory', () => {
  test('is flat over 200 steps inside one scope each', () => {
    const weight = tensor([1, 2, 3, 4, 5, 6], [2, 3], { requiresGrad: true });
    const input = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
    const step = () =>
      tensorScope(() => {
        mean(relu(linear(input, weight))).backward();
      });
    step(); // the gradient is made once
    expectFlatMemory(() => {
      for (let i = 0; i < 200; i++) step();
    });
    expect(weight.grad?.disposed).toBe(false);
    for (const made of [weight, input]) made.dispose();
  });

  test('of the graph is freed by backward without any scope', () => {
    const x = leaf(1, 2, 3);
    const squares = multiply(x, x);
    const loss = sum(squares);
    squares.dispose();
    const before = memory().tensors;
    loss.backward(); // x gains a gradient; the saved squares of the graph were x itself
    expect(memory().tensors).toBe(before + 1);
    loss.dispose();
    x.dispose();
  });
});
