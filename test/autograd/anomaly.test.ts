// SPDX-License-Identifier: Apache-2.0
// detectAnomaly: the first operation whose numbers are not finite, its layer, and nothing where all is well.
import { describe, expect, test } from 'vitest';
import { type AnomalyOptions, detectAnomaly } from '../../lib/autograd/anomaly.js';
import { noGrad } from '../../lib/autograd/grad-mode.js';
import { Linear } from '../../lib/nn/linear.js';
import { Module } from '../../lib/nn/module.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { relu } from '../../lib/ops/activations.js';
import { multiply, scale } from '../../lib/ops/arithmetic.js';
import { checkpoint } from '../../lib/ops/checkpoint.js';
import { record } from '../../lib/ops/record.js';
import { sum } from '../../lib/ops/reduce.js';
import { full, ones, tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

const leaf = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });

function scoped(name: string, body: () => void): void {
  test(name, () => expectFlatMemory(() => tensorScope(body)));
}

/** A call that leaves nothing behind. */
const watched = (body: () => unknown, options?: AnomalyOptions) => () =>
  tensorScope(() => detectAnomaly(body, options));

/** The identity, whose gradient is `factor` times too large. */
function badGradient(x: Tensor, factor = Number.NaN): Tensor {
  return record('bad', x.clone(), [x], [], (grad) => [multiply(grad, full(grad.shape, factor))]);
}

class Bad extends Module {
  constructor(readonly forward: (x: Tensor) => Tensor) {
    super();
  }
}

const net = (bad: (x: Tensor) => Tensor) =>
  new Sequential(new Linear(2, 2), new Sequential(new Linear(2, 2), new Bad(bad)), new Linear(2, 1));

describe('detectAnomaly', () => {
  scoped('returns what the body does where all is finite', () => {
    const x = leaf(1, 2);
    const loss = detectAnomaly(() => {
      const loss = sum(multiply(x, x));
      loss.backward();
      return loss;
    });
    expect(loss.item()).toBe(5);
    expect(Array.from(x.grad?.data() ?? [])).toEqual([2, 4]);
  });

  scoped('names the operation whose output is not finite, with the element', () => {
    const x = leaf(1, 1e30);
    expectRefusal(
      watched(() => sum(multiply(x, scale(x, 1e10)))),
      'ERR_NUMERICS',
      {
        op: 'scale',
        expected: 'finite numbers in its output',
        received: 'Infinity at element 1 of [2]',
      },
    );
    expectRefusal(
      watched(() => noGrad(() => scale(x, Number.NaN))),
      'ERR_NUMERICS',
      {
        op: 'scale',
        received: 'NaN at element 0 of [2]',
      },
    );
  });

  scoped('says so where it came in from outside', () => {
    const x = leaf(1, Number.NaN);
    expectRefusal(
      watched(() => multiply(ones([2]), relu(x))),
      'ERR_NUMERICS',
      {
        op: 'relu',
        received: 'NaN at element 1 of [2], from its input 0',
        hint: /outside detectAnomaly/,
      },
    );
  });

  scoped('names the operation whose gradient is not finite, and the line that recorded it', () => {
    const x = leaf(1, 2);
    const before = x.grad;
    const step = watched(() => sum(scale(badGradient(scale(x, 2)), 3)).backward());
    expectRefusal(step, 'ERR_NUMERICS', {
      op: 'bad',
      expected: 'finite numbers in its gradients',
      received: 'NaN at element 0 of what it gives back to its input 0',
      hint: /recorded at .*anomaly\.test\.ts:\d+/,
    });
    expect(x.grad).toBe(before);
  });

  test('adds the path of the layer, forward and backward, also where it is computed again', () => {
    const x = () => tensor([1, 2], [1, 2]);
    using forward = net((x) => scale(x, Number.NaN));
    using backward = net(badGradient);
    using again = new Sequential(new Linear(2, 2), new Bad((x) => checkpoint((x) => badGradient(x), x)));
    for (const [model, op, path] of [
      [forward, 'scale', '1.1'],
      [backward, 'bad', '1.1'],
      [again, 'bad', '1'],
    ] as const) {
      const error = expectRefusal(
        () => {
          try {
            watched(() => sum(model.call(x())).backward())();
          } finally {
            model.zeroGrad();
          }
        },
        'ERR_NUMERICS',
        { op },
      );
      expect(error).toMatchObject({ path });
    }
  });

  scoped('lets Infinity be where it is meant, and still finds NaN', () => {
    const x = leaf(0, 1);
    const mask = tensor([-Infinity, 1]);
    const doubled = detectAnomaly(() => scale(mask, 2), { infinity: false });
    expect(Array.from(doubled.data())).toEqual([-Infinity, 2]);
    expectRefusal(
      watched(() => multiply(mask, x), { infinity: false }),
      'ERR_NUMERICS',
      {
        op: 'multiply',
        expected: 'numbers in its output',
        received: 'NaN at element 0 of [2]',
      },
    );
    expectRefusal(
      watched(() => scale(mask, 2)),
      'ERR_NUMERICS',
      { received: /-Infinity/ },
    );
  });

  scoped('looks nowhere outside, and not after an error', () => {
    const x = leaf(1);
    expect(() =>
      detectAnomaly(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(scale(x, Number.NaN).item()).toBeNaN();
    const loss = sum(badGradient(x));
    loss.backward();
    expect(x.grad?.item()).toBeNaN();
    const nested = watched(() => detectAnomaly(() => scale(x, Number.NaN), { infinity: false }));
    expectRefusal(nested, 'ERR_NUMERICS');
  });

  test('is for synchronous, eager code', async () => {
    expectRefusal(() => detectAnomaly(async () => 1), 'ERR_ARGUMENT', { op: 'detectAnomaly' });
    expectRefusal(() => detectAnomaly(undefined as never), 'ERR_ARGUMENT', { op: 'detectAnomaly' });
    expectRefusal(() => detectAnomaly(() => 1, { infinite: true } as object), 'ERR_ARGUMENT', {});
    expectRefusal(() => detectAnomaly(() => 1, { infinity: 1 as never }), 'ERR_ARGUMENT', {});
    const step = ({ x }: Readonly<Record<string, Tensor>>) => detectAnomaly(() => ({ y: relu(x) }));
    expectRefusal(() => capture(step, { inputs: { x: [2] } }), 'ERR_CAPTURE', { op: 'detectAnomaly' });
    // a step that is recorded inside has nothing to look at
    using plan = detectAnomaly(() =>
      capture(({ x }) => ({ y: scale(x, Number.NaN) }), { inputs: { x: [2] } }),
    );
    expect(Array.from((await plan.run({ x: new Float32Array(2) })).outputs.y)).toEqual([NaN, NaN]);
  });
});
