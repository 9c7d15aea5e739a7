// SPDX-License-Identifier: Apache-2.0
// A tensor's own methods: reading, writing, copies and views, and its end.
import { describe, expect, test } from 'vitest';
import { gradcheck } from '../../lib/autograd/gradcheck.js';
import { relu, sigmoid, tanh } from '../../lib/ops/activations.js';
import { add, cast, multiply, scale } from '../../lib/ops/arithmetic.js';
import { binaryCrossEntropyWithLogits } from '../../lib/ops/binary-cross-entropy.js';
import { argmax, countCorrect, oneHot } from '../../lib/ops/classify.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { dropout } from '../../lib/ops/dropout.js';
import { gatherImages, gatherLabels } from '../../lib/ops/gather.js';
import { klDiv } from '../../lib/ops/kl-div.js';
import { linear } from '../../lib/ops/linear.js';
import { matmul } from '../../lib/ops/matmul.js';
import { mseLoss } from '../../lib/ops/pointwise-loss.js';
import { avgPool2d, lpPool2d, maxPool2d } from '../../lib/ops/pool2d.js';
import { mean, sum } from '../../lib/ops/reduce.js';
import { flatten, reshape } from '../../lib/ops/reshape.js';
import { softmax } from '../../lib/ops/softmax.js';
import { ones, tensor, zeros } from '../../lib/tensor/create.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

describe('reading and writing', () => {
  test('item is for one element, of any rank', () =>
    tensorScope(() => {
      expect(tensor([3], [1, 1, 1]).item()).toBe(3);
      const pair = tensor([1, 2]);
      expectRefusal(() => pair.item(), 'ERR_SHAPE', { op: 'item', received: 'shape [2]', hint: /data\(\)/ });
    }));

  test('write replaces all elements, and a refused write none', () =>
    tensorScope(() => {
      const x = tensor([1, 2, 3]);
      expect(Array.from(x.write(Float32Array.of(4, 5, 6)).data())).toEqual([4, 5, 6]);
      const gone = new Float32Array(3);
      structuredClone(gone, { transfer: [gone.buffer] });
      expectRefusal(() => x.write(new Float32Array(2)), 'ERR_SHAPE', { received: 'Float32Array of 2' });
      expectRefusal(() => x.write(new Float32Array(4)), 'ERR_SHAPE');
      expectRefusal(() => x.write(gone), 'ERR_SHAPE', { hint: /detached/ });
      const others = [
        new Float64Array(3),
        new Int32Array(3),
        new Uint8Array(3),
        [7, 8, 9],
        new DataView(new ArrayBuffer(12)),
        { length: 3 },
        'abc',
        null,
        undefined,
      ];
      for (const values of others) {
        expectRefusal(() => x.write(values as Float32Array), 'ERR_DTYPE', { expected: /a Float32Array/ });
      }
      expect(Array.from(x.data())).toEqual([4, 5, 6]);
    }));

  test('toString tells type, shape and state', () => {
    const x = tensor([1, 2], [1, 2], { requiresGrad: true });
    expect(String(x)).toBe('Tensor(float32 [1, 2], requiresGrad)');
    x.dispose();
    expect(String(x)).toBe('Tensor(float32 [1, 2], requiresGrad, disposed)');
  });
});

describe('copies and views', () => {
  test('detach and reshape share elements and take no memory', () =>
    tensorScope(() => {
      const x = tensor([1, 2, 3, 4], [2, 2]);
      const before = memory();
      const views = [x.detach(), reshape(x, [4]), flatten(x)];
      expect(memory()).toEqual(before);
      views[0].write(Float32Array.of(5, 6, 7, 8));
      for (const view of views) expect(Array.from(view.data())).toEqual([5, 6, 7, 8]);
    }));

  test('elements live until the last view ends', () =>
    expectFlatMemory(() => {
      const x = tensor([1, 2]);
      const view = reshape(x, [2, 1]);
      x.dispose();
      expect(Array.from(view.data())).toEqual([1, 2]);
      view.dispose();
    }));

  test('clone copies', () =>
    tensorScope(() => {
      const x = tensor([1, 2]);
      const copy = x.clone();
      x.write(Float32Array.of(8, 9));
      expect(Array.from(copy.data())).toEqual([1, 2]);
    }));
});

describe('dispose', () => {
  test('frees at once, twice is harmless, and takes the gradient along', () =>
    expectFlatMemory(() => {
      const x = tensor([1, 2], [2], { requiresGrad: true });
      tensorScope(() => sum(x).backward());
      const { grad } = x;
      for (let i = 0; i < 3; i++) x.dispose();
      expect([x.disposed, x.grad, grad?.disposed]).toEqual([true, null, true]);
    }));

  test('of one tensor leaves another that took its place alone', () =>
    expectFlatMemory(() => {
      const old = tensor([1]);
      old.dispose();
      const next = tensor([2]); // may get the same native handle
      old.dispose();
      expect(next.item()).toBe(2);
      next.dispose();
    }));

  test('counts are exact: one handle, and its bytes, for each tensor', () => {
    const before = memory();
    const made = Array.from({ length: 10 }, () => zeros([16]));
    expect(memory().tensors).toBe(before.tensors + 10);
    expect(memory().bytes).toBe(before.bytes + 640);
    expect(memory().peakBytes).toBeGreaterThanOrEqual(memory().bytes);
    for (const x of made) x.dispose();
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });
});

describe('a disposed tensor is refused with its shape', () => {
  const image = (): Tensor => zeros([1, 4, 4, 2]);
  const matrix = (): Tensor => zeros([3, 3]);
  const labels = (): Tensor => tensor(Int32Array.of(0, 1, 2));
  const by = { mean: [0, 0], std: [1, 1] };
  // For each operation: its operands, and the call.
  const calls: [string, (() => Tensor)[], (...operands: Tensor[]) => unknown][] = [
    ['data', [matrix], (x) => x.data()],
    ['write', [matrix], (x) => x.write(new Float32Array(9))],
    ['detach', [matrix], (x) => x.detach()],
    ['clone', [matrix], (x) => x.clone()],
    ['relu', [matrix], relu],
    ['tanh', [matrix], tanh],
    ['sigmoid', [matrix], sigmoid],
    ['add', [matrix, matrix], add],
    ['multiply', [matrix, matrix], multiply],
    ['scale', [matrix], (x) => scale(x, 2)],
    ['cast', [matrix], (x) => cast(x, 'float64')],
    ['sum', [matrix], sum],
    ['mean', [matrix], mean],
    ['reshape', [matrix], (x) => reshape(x, [9])],
    ['flatten', [matrix], flatten],
    ['softmax', [matrix], softmax],
    ['dropout', [matrix], (x) => dropout(x, 0.5)],
    ['matmul', [matrix, matrix], matmul],
    ['linear', [matrix, matrix, () => zeros([3])], linear],
    ['conv2d', [image, () => zeros([3, 2, 2, 2]), () => zeros([3])], (x, w, b) => conv2d(x, w, b)],
    ['im2col', [image, () => zeros([3, 2, 2, 2])], (x, w) => conv2d(x, w, null, { algorithm: 'im2col' })],
    ['maxPool2d', [image], (x) => maxPool2d(x, { kernelSize: 2 })],
    ['avgPool2d', [image], (x) => avgPool2d(x, { kernelSize: 2 })],
    ['lpPool2d', [image], (x) => lpPool2d(x, { kernelSize: 2 })],
    ['crossEntropy', [matrix, labels], (x, y) => crossEntropy(x, y)],
    [
      'crossEntropy of a weight',
      [matrix, labels, () => ones([3])],
      (x, y, weight) => crossEntropy(x, y, { weight }),
    ],
    ['crossEntropy of soft labels', [matrix, matrix], (x, y) => crossEntropy(x, y)],
    [
      'binaryCrossEntropyWithLogits',
      [matrix, matrix, () => ones([3]), () => ones([3])],
      (x, t, weight, posWeight) => binaryCrossEntropyWithLogits(x, t, { weight, posWeight }),
    ],
    ['mseLoss', [matrix, matrix], (x, t) => mseLoss(x, t)],
    ['klDiv', [matrix, matrix], (x, t) => klDiv(x, t)],
    ['oneHot', [labels], (y) => oneHot(y, 3)],
    ['argmax', [matrix], argmax],
    ['countCorrect', [matrix, labels], countCorrect],
    ['gatherImages', [image, () => tensor(Int32Array.of(0))], (x, i) => gatherImages(x, i, by)],
    ['gatherLabels', [labels, labels], gatherLabels],
    ['gradcheck', [() => zeros([2], { dtype: 'float64', requiresGrad: true })], (x) => gradcheck(sum, [x])],
  ];

  test.each(calls)('%s', (_name, operands, call) =>
    tensorScope(() => {
      for (let dead = 0; dead < operands.length; dead++) {
        const made = operands.map((make) => make());
        made[dead].dispose();
        const shape = `[${made[dead].shape.join(', ')}]`;
        const error = expectRefusal(() => call(...made), 'ERR_DISPOSED', { hint: /tensorScope/ });
        expect(error.received).toContain(shape);
      }
      call(...operands.map((make) => make())); // and live ones work
    }),
  );

  test('as is what is no tensor at all', () => {
    const call = relu as (x: unknown) => Tensor;
    for (const x of [undefined, null, 5, [1, 2], new Float32Array(2), {}]) {
      expectRefusal(() => call(x), 'ERR_ARGUMENT', { op: 'relu', expected: /Tensor/ });
    }
    using labels = tensor(Int32Array.of(0));
    expectRefusal(() => countCorrect([1] as unknown as Tensor, labels), 'ERR_ARGUMENT');
  });
});
