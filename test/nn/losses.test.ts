// SPDX-License-Identifier: Apache-2.0
// The losses as modules: the functions behind them, their weights as state, and what they refuse when they are made.
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.js';
import { binaryCrossEntropyWithLogits } from '../../lib/ops/binary-cross-entropy.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { klDiv } from '../../lib/ops/kl-div.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../../lib/ops/pointwise-loss.js';
import { tensor } from '../../lib/tensor/create.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { gradcheck } from '../helpers/gradients.js';
import { irregular, operand } from '../helpers/operands.js';
import { refused } from '../helpers/refused.js';

const weights = [0.5, 1, 2];

type Row = [name: string, make: () => nn.Module, body: (x: Tensor, t: Tensor) => Tensor];

/** A target from 0 to 1 for each of [4, 3] elements. */
const target = () =>
  tensor(
    irregular(12, 3).map((value) => (value + 1) / 2),
    [4, 3],
    { dtype: 'float64' },
  );
const weight = () => tensor(weights, [3], { dtype: 'float64' });

const ROWS: Row[] = [
  ['CrossEntropyLoss', () => new nn.CrossEntropyLoss(), (x, t) => crossEntropy(x, t)],
  [
    'CrossEntropyLoss with weights',
    () => new nn.CrossEntropyLoss({ weight: weights, labelSmoothing: 0.1, reduction: 'sum' }),
    (x, t) => crossEntropy(x, t, { weight: weight(), labelSmoothing: 0.1, reduction: 'sum' }),
  ],
  ['BCEWithLogitsLoss', () => new nn.BCEWithLogitsLoss(), (x, t) => binaryCrossEntropyWithLogits(x, t)],
  [
    'BCEWithLogitsLoss with weights',
    () =>
      new nn.BCEWithLogitsLoss({ weight: Float32Array.from(weights), posWeight: weights, reduction: 'none' }),
    (x, t) =>
      binaryCrossEntropyWithLogits(x, t, { weight: weight(), posWeight: weight(), reduction: 'none' }),
  ],
  ['MSELoss', () => new nn.MSELoss(), (x, t) => mseLoss(x, t)],
  ['MSELoss, sum', () => new nn.MSELoss({ reduction: 'sum' }), (x, t) => mseLoss(x, t, { reduction: 'sum' })],
  ['L1Loss', () => new nn.L1Loss(), (x, t) => l1Loss(x, t)],
  ['HuberLoss', () => new nn.HuberLoss({ delta: 0.2 }), (x, t) => huberLoss(x, t, { delta: 0.2 })],
  ['SmoothL1Loss', () => new nn.SmoothL1Loss({ beta: 0.3 }), (x, t) => smoothL1Loss(x, t, { beta: 0.3 })],
  [
    'KLDivLoss',
    () => new nn.KLDivLoss({ reduction: 'batchmean' }),
    (x, t) => klDiv(x, t, { reduction: 'batchmean' }),
  ],
];

describe('losses as modules', () => {
  it.each(ROWS)('%s is its function, with its gradient', (_, make, body) => {
    const before = memory().tensors;
    {
      using loss = make().to('float64');
      using _scope = tensorScope();
      const x = operand([4, 3]);
      expect(loss.call(x, target()).data()).toEqual(body(x, target()).data());
      gradcheck((x) => loss.call(x, target()), [x]);
    }
    expect(memory().tensors).toBe(before);
  });

  it('take whole-number labels, and the label that does not count', () => {
    using _scope = tensorScope();
    using loss = new nn.CrossEntropyLoss({ ignoreIndex: 1, weight: weights });
    const x = operand([4, 3], 0, 'float32');
    const labels = tensor(Int32Array.of(0, 1, 2, 1));
    const options = { ignoreIndex: 1, weight: tensor(weights) };
    expect(loss.call(x, labels).item()).toBe(crossEntropy(x, labels, options).item());
    expect(refused(() => loss.call(x, tensor(Int32Array.of(0, 1, 3, 1)))).code).toBe('ERR_DATA');
  });

  it("have their weights as state, under PyTorch's names", () => {
    using loss = new nn.BCEWithLogitsLoss({ weight: weights, posWeight: tensor(weights) });
    expect([...loss.stateDict().keys()]).toEqual(['weight', 'pos_weight']);
    expect(loss.parameters()).toEqual([]);
    expect([...new nn.MSELoss().stateDict()]).toEqual([]);
  });

  it('print their options', () => {
    expect(String(new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }))).toBe(
      'CrossEntropyLoss(labelSmoothing=0.1, reduction=mean)',
    );
    expect(String(new nn.HuberLoss())).toBe('HuberLoss(delta=1, reduction=mean)');
  });

  it.each([
    ['smoothing of 1', () => new nn.CrossEntropyLoss({ labelSmoothing: 1 })],
    ['weights as text', () => new nn.CrossEntropyLoss({ weight: 'heavy' as never })],
    ['an unknown option', () => new nn.CrossEntropyLoss({ weights } as never)],
    ['options that are null', () => new nn.CrossEntropyLoss(null as never)],
    ['another reduction', () => new nn.BCEWithLogitsLoss({ reduction: 'all' as 'sum' })],
    ['a delta of 0', () => new nn.HuberLoss({ delta: 0 })],
    ['a negative beta', () => new nn.SmoothL1Loss({ beta: -1 })],
    ['batchmean of squares', () => new nn.MSELoss({ reduction: 'batchmean' as 'mean' })],
  ])('refuse %s when they are made', (_, make) => {
    expect(refused(make).code).toBe('ERR_ARGUMENT');
  });

  it('refuse weights of another number and type when they are used', () => {
    using _scope = tensorScope();
    using loss = new nn.CrossEntropyLoss({ weight: [1, 2] });
    expect(refused(() => loss.call(operand([4, 3], 0, 'float32'), tensor(new Int32Array(4))))).toMatchObject({
      code: 'ERR_SHAPE',
      expected: 'weight [3], one for each class of logits [4, 3]',
    });
    expect(refused(() => new nn.CrossEntropyLoss({ weight: tensor(Int32Array.of(1)) })).code).toBe(
      'ERR_DTYPE',
    );
  });

  it('refuse to be called without a target', () => {
    using _scope = tensorScope();
    const error = refused(() => new nn.MSELoss().call(operand([2])));
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', expected: 'target to be a Tensor' });
  });
});
