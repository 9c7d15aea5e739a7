// SPDX-License-Identifier: Apache-2.0
// Checkpointing: the bits of a network without it, dropout and running statistics included, eager and captured, in less
// memory.
import { describe, expect, test } from 'vitest';
import { noGrad } from '../../lib/autograd/grad-mode.js';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import * as nn from '../../lib/nn/index.js';
import { tanh } from '../../lib/ops/activations.js';
import { add, multiply, scale } from '../../lib/ops/arithmetic.js';
import { checkpoint } from '../../lib/ops/checkpoint.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { sum } from '../../lib/ops/reduce.js';
import { SGD } from '../../lib/optim/sgd.js';
import { tensor } from '../../lib/tensor/create.js';
import { defaultGenerator, manualSeed, rand, randn } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { gradcheck } from '../helpers/gradients.js';
import { distinct, irregular, operand } from '../helpers/operands.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

const list = (x: Tensor | null | undefined) => Array.from(x?.data() ?? []);
const leaf = (...values: number[]) => tensor(values, [values.length], { requiresGrad: true });

function scoped(name: string, body: () => void): void {
  test(name, () => expectFlatMemory(() => tensorScope(body)));
}

class Block extends nn.Module {
  readonly conv1 = new nn.Conv2d(4, 4, { kernelSize: 3, padding: 1 });
  readonly norm = new nn.BatchNorm2d(4);
  readonly drop = new nn.Dropout(0.3);
  readonly conv2 = new nn.Conv2d(4, 4, { kernelSize: 3, padding: 1 });
  forward(x: Tensor): Tensor {
    const y = this.drop.call(tanh(this.norm.call(this.conv1.call(x))));
    return add(tanh(this.conv2.call(y)), x);
  }
}

/** Blocks that are run as they are, or as checkpoints, one inside the other or each for itself. */
class Net extends nn.Module {
  readonly stem = new nn.Conv2d(1, 4, { kernelSize: 1 });
  readonly blocks = [new Block(), new Block(), new Block()];
  readonly drop = new nn.Dropout(0.2);
  readonly head = new nn.Linear(144, 3);
  readonly flatten = new nn.Flatten();
  constructor(readonly form: 'plain' | 'each' | 'nested' | 'all') {
    super();
  }
  forward(x: Tensor): Tensor {
    const [first, ...others] = this.blocks;
    const run = (x: Tensor): Tensor => {
      if (this.form === 'nested') {
        return checkpoint(
          (x) => others.reduce((y, block) => checkpoint((y) => block.call(y), y), first.call(x)),
          x,
        );
      }
      const each = (y: Tensor, block: Block) =>
        this.form === 'each' ? checkpoint((y) => block.call(y), y) : block.call(y);
      return this.blocks.reduce(each, x);
    };
    const rest = (x: Tensor) => this.head.call(this.flatten.call(this.drop.call(run(this.stem.call(x)))));
    return this.form === 'all' ? checkpoint(rest, x) : rest(x);
  }
}

const images = Float32Array.from(irregular(8 * 36));
const labels = Int32Array.from({ length: 8 }, (_, i) => i % 3);

/** Losses, gradients, running statistics and draws of two eager steps. */
function eagerSteps(form: Net['form']) {
  manualSeed(5);
  using net = new Net(form);
  const seen: unknown[] = [];
  for (let step = 0; step < 2; step++) {
    tensorScope(() => {
      const loss = crossEntropy(net.call(tensor(images, [8, 6, 6, 1])), tensor(labels));
      loss.backward();
      seen.push(
        loss.item(),
        net.parameters().map(({ grad }) => list(grad)),
      );
    });
  }
  seen.push(
    net.namedBuffers().map(([name, buffer]) => [name, list(buffer)]),
    defaultGenerator().state,
  );
  net.zeroGrad();
  return seen;
}

/** The weights after four captured steps, and the plan's bytes. */
async function capturedSteps(form: Net['form'], threads: number) {
  setNumThreads(threads);
  manualSeed(5);
  using net = new Net(form);
  using optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  using plan = capture({ model: net, optimizer }, { input: [8, 6, 6, 1] });
  const { outputs } = await plan.run({ images, labels }, { steps: 4 });
  const state = [...net.stateDict()].map(([name, tensor]) => [name, list(tensor)]);
  return {
    result: [Array.from(outputs.loss), state, defaultGenerator().state],
    bytes: plan.describe().peakBytes,
  };
}

describe('a checkpoint', () => {
  test.each(['each', 'nested', 'all'] as const)('gives the bits of the plain network: %s', (form) => {
    expectFlatMemory(() => expect(eagerSteps(form)).toEqual(eagerSteps('plain')));
  });

  test.each(['each', 'nested', 'all'] as const)('gives them captured, in less memory: %s', async (form) => {
    const { threads } = nativeInfo();
    try {
      const plain = await capturedSteps('plain', 2);
      for (const count of [1, 2, 3, 7]) {
        const { result, bytes } = await capturedSteps(form, count);
        expect(result).toEqual(plain.result);
        if (form === 'each') expect(bytes).toBeLessThan(0.9 * plain.bytes);
      }
    } finally {
      setNumThreads(threads);
    }
  });

  test('gives the gradients of finite differences', () =>
    expectFlatMemory(() =>
      tensorScope(() => {
        const body = (a: Tensor, b: Tensor) => {
          const inner = checkpoint((a, b) => multiply(tanh(a), add(a, b)), a, b);
          return checkpoint((x, a) => tanh(multiply(x, a)), inner, a);
        };
        gradcheck(body, [operand([2, 3]), operand([2, 3], 1)]);
        gradcheck((a) => checkpoint((x) => multiply(x, x), tanh(a)), [distinct([5])]);
      }),
    ));

  scoped('reaches leaves around the function, and tensors with a history', () => {
    const [x, w] = [leaf(1, 2), leaf(3, 4)];
    const scaled = scale(w, 2);
    const image = tensor([5, 6]); // needs no gradient itself
    sum(checkpoint((image) => multiply(multiply(image, x), scaled), image)).backward();
    expect([list(x.grad), list(w.grad)]).toEqual([
      [30, 48],
      [10, 24],
    ]);
  });

  scoped('keeps nothing but its inputs until backward, and computes once more then', () => {
    const x = leaf(1, 2);
    let calls = 0;
    const y = checkpoint((x) => {
      calls += 1;
      return multiply(multiply(x, x), scale(x, 3));
    }, x);
    expect(calls).toBe(1);
    const loss = sum(y);
    y.dispose();
    loss.backward(undefined, { retainGraph: true });
    loss.backward();
    expect(calls).toBe(3);
    expect(list(x.grad)).toEqual([18, 72]);
    expectRefusal(() => loss.backward(), 'ERR_DISPOSED', { received: /checkpoint|sum/ });
  });

  scoped('outlives inputs that are disposed', () => {
    const x = leaf(1, 2);
    const h = scale(x, 3);
    const loss = sum(checkpoint((h) => multiply(h, h), h));
    h.dispose();
    loss.backward();
    expect(list(x.grad)).toEqual([18, 36]);
    const gone = leaf(1, 2);
    const other = sum(checkpoint((gone) => multiply(gone, x), gone));
    gone.dispose();
    other.backward();
    expect(list(x.grad)).toEqual([19, 38]);
    expect(gone.grad).toBeNull();
  });

  scoped('passes hooks, of leaves and of tensors inside', () => {
    const x = leaf(1, 2);
    const seen: number[][] = [];
    const note = (gradient: Tensor) => void seen.push(list(gradient));
    x.registerHook(note as never);
    const body = (x: Tensor) => {
      const y = multiply(x, x);
      y.registerHook(note as never);
      return add(y, x);
    };
    sum(checkpoint(body, x)).backward();
    expect(seen).toEqual([
      [1, 1],
      [3, 5],
    ]);
  });

  scoped('of the identity, and of what needs no gradient', () => {
    const x = leaf(1, 2);
    const h = scale(x, 2);
    sum(
      add(
        checkpoint((x) => x, x),
        checkpoint((h) => h, h),
      ),
    ).backward();
    expect(list(x.grad)).toEqual([3, 3]);
    const plain = tensor([1, 2]);
    expect(checkpoint((y) => scale(y, 2), plain).requiresGrad).toBe(false);
    const without = noGrad(() => checkpoint((x) => scale(x, 2), x));
    expect([without.requiresGrad, list(without)]).toEqual([false, [2, 4]]);
  });

  scoped('draws random tensors again, and leaves the generator where it was', () => {
    manualSeed(9);
    const body = (x: Tensor) => multiply(x, add(rand([2]), randn([2])));
    const x = leaf(1, 2);
    sum(checkpoint(body, x)).backward();
    const after = defaultGenerator().state;
    manualSeed(9);
    const y = leaf(1, 2);
    sum(body(y)).backward();
    expect(list(x.grad)).toEqual(list(y.grad));
    expect(after).toEqual(defaultGenerator().state);
  });
});

describe('what a checkpoint refuses', () => {
  scoped('functions that are none, and results that are no tensors', () => {
    const x = leaf(1, 2);
    const refuse = (body: unknown) =>
      expectRefusal(() => checkpoint(body as never, x), 'ERR_ARGUMENT', { op: 'checkpoint' });
    refuse(undefined);
    refuse(() => 3);
    refuse(async () => 3);
    expectRefusal(() => checkpoint((x) => x, 3 as never), 'ERR_ARGUMENT', {
      expected: 'input 0 to be a Tensor',
    });
    expectRefusal(() => checkpoint((_x) => tensor(Int32Array.of(1)), x), 'ERR_DTYPE', { op: 'checkpoint' });
  });

  scoped('functions that do something else the second time', () => {
    const x = leaf(1, 2);
    const [others, shapes] = [
      [scale(x, 2), scale(x, 3)],
      [[2], [2, 1]],
    ];
    let call = 0;
    const wrong: ((x: Tensor) => Tensor)[] = [
      (x) => multiply(x, others[call++ % 2]),
      (x) => scale(tensor(x.data(), shapes[call++ % 2], { requiresGrad: true }), 2),
      (x) => (call++ % 2 === 0 ? scale(x, 2) : multiply(x, rand([2]))),
    ];
    for (const body of wrong) {
      call = 0;
      const loss = sum(checkpoint(body, x));
      expectRefusal(
        () => {
          try {
            loss.backward();
          } finally {
            x.grad?.dispose();
            x.grad = null;
          }
        },
        'ERR_ARGUMENT',
        { op: 'checkpoint', expected: 'a function that does the same on every call' },
      );
    }
  });

  scoped('errors inside come out, and nothing stays in flight', () => {
    const x = leaf(1, 2);
    let call = 0;
    const loss = sum(
      checkpoint((x) => {
        if (call++ > 0) throw new Error('mine');
        return scale(x, 2);
      }, x),
    );
    expect(() => loss.backward()).toThrow('mine');
    expect(x.grad).toBeNull();
  });
});
