// SPDX-License-Identifier: Apache-2.0
// Hooks of tensors see whole gradients, once a pass, and may change what goes on; gradients of several passes add up.
import { describe, expect, test } from 'vitest';
import { Flatten } from '../../lib/nn/flatten.js';
import { Linear } from '../../lib/nn/linear.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { tanh } from '../../lib/ops/activations.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { mean, sum } from '../../lib/ops/reduce.js';
import { reshape } from '../../lib/ops/reshape.js';
import { tensor } from '../../lib/tensor/create.js';
import { manualSeed, randn } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

const leaf = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });
const list = (x: Tensor | null) => (x === null ? null : Array.from(x.data()));

function scoped(name: string, body: () => void): void {
  test(name, () => expectFlatMemory(() => tensorScope(body)));
}

/** A hook that notes what it sees. */
function noting(seen: unknown[]) {
  return (gradient: Tensor) => {
    seen.push(list(gradient));
    return undefined;
  };
}

describe('a hook', () => {
  scoped('of a leaf sees the sum over all paths, once a pass', () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    x.registerHook(noting(seen));
    const pass = () => sum(add(add(x, x), multiply(x, x))).backward();
    pass();
    expect(seen).toEqual([[4, 6]]);
    pass();
    expect(seen).toEqual([
      [4, 6],
      [4, 6],
    ]);
    expect(list(x.grad)).toEqual([8, 12]);
  });

  scoped('of a tensor in between sees the sum over all that used it, before it goes on', () => {
    const x = leaf(1, 2);
    const y = scale(x, 3);
    const seen: unknown[] = [];
    y.registerHook(noting(seen));
    sum(add(multiply(y, y), y)).backward();
    expect(seen).toEqual([[7, 13]]);
    expect(list(x.grad)).toEqual([21, 39]);
  });

  scoped('of the root sees the seed', () => {
    const x = leaf(1, 2);
    const y = scale(x, 3);
    const seen: unknown[] = [];
    y.registerHook(noting(seen));
    y.backward(Float32Array.of(5, 6));
    expect(seen).toEqual([[5, 6]]);
    const alone = tensor([3], [], { requiresGrad: true });
    alone.registerHook((gradient) => scale(gradient, 7));
    alone.backward();
    expect(list(alone.grad)).toEqual([7]);
  });

  scoped('may put another gradient in its place, and the next one sees that', () => {
    const x = leaf(1, 2);
    const y = scale(x, 3);
    const seen: unknown[] = [];
    const constant = tensor([1, 1]);
    y.registerHook((gradient) => scale(gradient, 10));
    y.registerHook(noting(seen));
    y.registerHook(() => constant);
    x.registerHook((gradient) => scale(gradient, 2));
    sum(y).backward();
    expect(seen).toEqual([[10, 10]]);
    expect(list(x.grad)).toEqual([6, 6]);
    expect(list(constant)).toEqual([1, 1]); // neither changed nor disposed
  });

  scoped('may return the gradient itself, write to it, and dispose it', () => {
    const x = leaf(1, 2);
    const y = scale(x, 3);
    y.registerHook((gradient) => gradient.write(Float32Array.of(4, 5)));
    y.registerHook((gradient) => {
      gradient.dispose();
      return undefined;
    });
    sum(y).backward();
    expect(list(x.grad)).toEqual([12, 15]);
  });

  scoped('is gone after its remover was called; the others stay', () => {
    const x = leaf(1);
    const hook = (gradient: Tensor) => scale(gradient, 2);
    const removers = [x.registerHook(hook), x.registerHook(hook)];
    sum(x).backward();
    expect(list(x.grad)).toEqual([4]);
    removers[0]();
    removers[0]();
    sum(x).backward();
    expect(list(x.grad)).toEqual([6]);
    removers[1]();
    sum(x).backward();
    expect(list(x.grad)).toEqual([7]);
    expect(x.hooks).toBeNull();
  });

  scoped('of a view and of a detached tensor are their own', () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    const view = reshape(x, [2, 1]);
    view.registerHook(noting(seen));
    expect(x.detach().hooks).toBeNull();
    sum(add(view, view)).backward();
    expect(seen).toEqual([[2, 2]]);
  });

  scoped('is refused where no gradient comes by, and for what is no function', () => {
    const x = tensor([1]);
    expectRefusal(() => x.registerHook(() => undefined), 'ERR_ARGUMENT', { op: 'registerHook' });
    const y = leaf(1);
    expectRefusal(() => y.registerHook(undefined as never), 'ERR_ARGUMENT', { op: 'registerHook' });
  });

  scoped('that returns something else ends the pass, and nothing stays in flight', () => {
    const wrong: [unknown, 'ERR_SHAPE' | 'ERR_DTYPE' | 'ERR_ARGUMENT'][] = [
      [tensor([1, 2, 3]), 'ERR_SHAPE'],
      [tensor(Float64Array.of(1, 2)), 'ERR_DTYPE'],
      [3, 'ERR_ARGUMENT'],
      [null, 'ERR_ARGUMENT'],
      [Promise.resolve(), 'ERR_ARGUMENT'],
    ];
    for (const [result, code] of wrong) {
      for (const hookOf of [(x: Tensor) => x, (_: Tensor, y: Tensor) => y]) {
        const x = leaf(1, 2);
        const y = scale(x, 3);
        const loss = sum(multiply(y, y));
        hookOf(x, y).registerHook(() => result as Tensor);
        expectRefusal(() => loss.backward(), code, { op: 'registerHook' });
        expect(x.grad).toBeNull();
      }
    }
  });

  scoped('that throws ends the pass with its error', () => {
    const x = leaf(1);
    x.registerHook(() => {
      throw new Error('mine');
    });
    expect(() => sum(scale(x, 2)).backward()).toThrow('mine');
    expect(x.grad).toBeNull();
  });

  test('is recorded in a captured step: the bits of eager ones', async () => {
    const step = ({ x }: Readonly<Record<string, Tensor>>) => {
      const y = x.detach();
      y.requiresGrad = true;
      const z = tanh(y);
      z.registerHook((gradient) => scale(gradient, -0.5));
      y.registerHook((gradient) => scale(gradient, 3));
      sum(multiply(z, z)).backward();
      return { gradient: y.grad as Tensor };
    };
    const data = Float32Array.of(0.1, -0.7, 2, 0.3);
    const eager = tensorScope(() => list(step({ x: tensor(data) }).gradient));
    using plan = capture(step, { inputs: { x: [4] } });
    expect(Array.from((await plan.run({ x: data })).outputs.gradient)).toEqual(eager);
    const reading = ({ x }: Readonly<Record<string, Tensor>>) => {
      const y = x.detach();
      y.requiresGrad = true;
      y.registerHook((gradient) => void gradient.data());
      sum(y).backward();
      return { gradient: y.grad as Tensor };
    };
    expectRefusal(() => capture(reading, { inputs: { x: [4] } }), 'ERR_CAPTURE', { received: /data\(\)/ });
  });
});

describe('gradients of several passes', () => {
  test('add up to that of the whole batch', () => {
    manualSeed(3);
    using model = new Sequential(new Flatten(), new Linear(12, 5)).to('float64');
    expectFlatMemory(() =>
      tensorScope(() => {
        const images = randn([6, 2, 2, 3], { dtype: 'float64' });
        const labels = Int32Array.of(0, 1, 2, 3, 4, 0);
        crossEntropy(model.call(images), tensor(labels)).backward();
        const whole = model.parameters().map(({ grad }) => list(grad) as number[]);
        model.zeroGrad();
        for (let first = 0; first < 6; first += 2) {
          const part = tensor(images.data().subarray(first * 12, (first + 2) * 12), [2, 2, 2, 3]);
          const loss = crossEntropy(model.call(part), tensor(labels.subarray(first, first + 2)));
          scale(loss, 1 / 3).backward();
        }
        model.parameters().forEach(({ grad }, p) => {
          list(grad)?.forEach((value, i) => {
            expect(value).toBeCloseTo(whole[p][i], 14);
          });
        });
        model.zeroGrad();
      }),
    );
  });

  scoped('go to leaves that some passes use and others do not', () => {
    const [x, y] = [leaf(1), leaf(2)];
    mean(multiply(x, y)).backward();
    mean(scale(x, 5)).backward();
    mean(multiply(y, y)).backward();
    expect([list(x.grad), list(y.grad)]).toEqual([[7], [5]]);
  });
});
