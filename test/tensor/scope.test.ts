// SPDX-License-Identifier: Apache-2.0
// Scopes: what they free, what they let through, and the finalizer behind them.
import { describe, expect, test } from 'vitest';
import { relu } from '../../lib/ops/activations.js';
import { multiply, scale } from '../../lib/ops/arithmetic.js';
import { sum } from '../../lib/ops/reduce.js';
import { tensor, zeros } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { childJson } from '../helpers/child.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

describe('a scope', () => {
  test('disposes what was made inside and keeps what is returned', () =>
    expectFlatMemory(() => {
      const inside = zeros([4]);
      const { kept, dropped } = tensorScope(() => {
        const dropped = { x: relu(inside) };
        return { kept: relu(dropped.x), dropped: () => dropped.x };
      });
      expect([kept.disposed, dropped().disposed, inside.disposed]).toEqual([false, true, false]);
      kept.dispose();
      inside.dispose();
    }));

  test('finds tensors in arrays and objects at any depth, in shared parts and in circles', () =>
    expectFlatMemory(() => {
      const result = tensorScope(() => {
        const shared = zeros([1]);
        const bare: Record<string, unknown> = Object.assign(Object.create(null), { x: zeros([2]) });
        const result: Record<string, unknown> = { list: [[shared], { shared }], bare, n: 5, none: null };
        result.itself = result;
        return result as { list: [[typeof shared]]; bare: { x: typeof shared } };
      });
      expect(result.list[0][0].disposed).toBe(false);
      expect(result.bare.x.disposed).toBe(false);
      result.list[0][0].dispose();
      result.bare.x.dispose();
    }));

  test('passes a returned tensor to the scope outside', () =>
    expectFlatMemory(() => {
      const leaked = tensorScope(() => {
        const result = tensorScope(() => zeros([3]));
        expect(result.disposed).toBe(false);
        return () => result;
      });
      expect(leaked().disposed).toBe(true);
    }));

  test('closes on an exception', () =>
    expectFlatMemory(() => {
      expect(() =>
        tensorScope(() => {
          zeros([3]);
          tensorScope(() => zeros([4]));
          throw new Error('stop');
        }),
      ).toThrow('stop');
      const after = zeros([1]); // belongs to no scope
      expect(after.disposed).toBe(false);
      after.dispose();
    }));

  test('works with using', () =>
    expectFlatMemory(() => {
      const left = (() => {
        using scope = tensorScope();
        const [kept, dropped] = [zeros([1]), zeros([2])];
        scope.keep(kept);
        return { kept, dropped };
      })();
      expect([left.kept.disposed, left.dropped.disposed]).toEqual([false, true]);
      left.kept.dispose();
    }));

  test('may be closed twice, and before one that was opened later', () =>
    expectFlatMemory(() => {
      const [outer, inner] = [tensorScope(), tensorScope()];
      const x = zeros([1]);
      outer.close();
      expect(x.disposed).toBe(false);
      inner.close();
      inner.close();
      expect(x.disposed).toBe(true);
    }));

  test('lets go of a tensor that asks to be kept, in all scopes around it', () =>
    expectFlatMemory(() => {
      const kept = tensorScope(() => {
        const x = zeros([1]);
        tensorScope(() => x.keep());
        tensorScope(() => zeros([2]).keep().dispose());
        return () => x;
      })();
      expect(kept.disposed).toBe(false);
      kept.dispose();
    }));

  test('leaves gradients of leaves alone, and ends with a leaf made inside', () =>
    expectFlatMemory(() => {
      const outside = tensor([1, 2], [2], { requiresGrad: true });
      const inside = tensorScope(() => {
        const inside = tensor([3, 4], [2], { requiresGrad: true });
        sum(multiply(outside, inside)).backward();
        return () => inside;
      });
      expect(outside.grad?.disposed).toBe(false);
      expect(Array.from(outside.grad?.data() ?? [])).toEqual([3, 4]);
      expect(inside().grad).toBeNull();
      outside.dispose();
    }));

  test('keeps the history of a returned tensor, and frees every other one', () =>
    expectFlatMemory(() => {
      const x = tensor([1, 2], [2], { requiresGrad: true });
      const loss = tensorScope(() => {
        multiply(x, x);
        return sum(multiply(scale(x, 3), x));
      });
      loss.backward();
      expect(Array.from(x.grad?.data() ?? [])).toEqual([6, 12]);
      x.dispose();
      loss.dispose();
    }));

  test('with history that nobody walks is flat as well', () => {
    const x = tensor([1, 2], [2], { requiresGrad: true });
    expectFlatMemory(() => {
      for (let i = 0; i < 50; i++) tensorScope(() => void sum(multiply(relu(x), x)));
    });
    x.dispose();
  });

  test('refuses an asynchronous body, whose tensors it could not free', () => {
    expectRefusal(() => tensorScope(async () => zeros([1])), 'ERR_ARGUMENT', {
      op: 'tensorScope',
      hint: /await/,
    });
  });

  test('of 10,000 tensors closes in well under a second', () => {
    const start = performance.now();
    expectFlatMemory(() => tensorScope(() => void Array.from({ length: 10_000 }, () => zeros([1]))));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test('forgotten tensors are freed by the garbage collector', () => {
  const result = childJson(
    `import { zeros } from '#dist/tensor/create.js';
     import { memory } from '#dist/tensor/scope.js';
     import { relu } from '#dist/ops/activations.js';
     const kept = zeros([8], { requiresGrad: true });
     const before = memory();
     (() => { for (let i = 0; i < 1000; i++) relu(relu(kept)); })();
     const peak = memory().tensors;
     for (let i = 0; i < 50 && memory().tensors > before.tensors; i++) {
       globalThis.gc();
       await new Promise((resolve) => setTimeout(resolve, 10));
     }
     console.log(JSON.stringify({ before: before.tensors, peak, after: memory().tensors, value: kept.data()[0] }));`,
    { flags: ['--expose-gc'] },
  );
  expect(result).toEqual({ before: 1, peak: 2001, after: 1, value: 0 });
});

test('native memory presses the collector: an endless loop without dispose stays small', () => {
  const result = childJson(
    `import { zeros } from '#dist/tensor/create.js';
     import { memory } from '#dist/tensor/scope.js';
     for (let i = 0; i < 400; i++) {
       for (let k = 0; k < 10; k++) zeros([1 << 18]);
       await new Promise((resolve) => setImmediate(resolve));
     }
     console.log(JSON.stringify(memory()));`,
  );
  expect((result as { peakBytes: number }).peakBytes).toBeLessThan(1 << 30); // of 4 GiB allocated in all
});
