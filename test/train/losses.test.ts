// SPDX-License-Identifier: Apache-2.0
// Losses and metrics in fit, evaluate and capture: by name, as a function, as a module; eager and captured alike.
import { describe, expect, it } from 'vitest';
import { MetricCounts } from '../../lib/metrics/counts.js';
import * as nn from '../../lib/nn/index.js';
import { oneHot } from '../../lib/ops/classify.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { mseLoss } from '../../lib/ops/pointwise-loss.js';
import { logSoftmax } from '../../lib/ops/softmax.js';
import { SGD } from '../../lib/optim/sgd.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { LOSS_NAMES, type Loss } from '../../lib/train/losses.js';
import { refused, refusedLater } from '../helpers/refused.js';
import { halves, linearModel, someXo, weightsOf, xoModel } from './tiny.js';

const smoothed = (outputs: Tensor, labels: Tensor) => crossEntropy(outputs, labels, { labelSmoothing: 0.1 });

/** Weights and losses of a short training. */
async function trained(loss: Loss | undefined, capture: boolean, microBatches = 1) {
  const model = xoModel();
  const { history, captured } = await fit(model, someXo(50), {
    ...{ loss, capture, microBatches, epochs: 2, batchSize: 16, validation: someXo(20) },
  });
  expect(captured).toBe(capture);
  return {
    weights: weightsOf(model),
    rows: history.map(({ loss, accuracy, valLoss }) => [loss, accuracy, valLoss]),
  };
}

describe('fit', () => {
  it.each([...LOSS_NAMES.filter((name) => name !== 'klDiv'), smoothed] as Loss[])(
    'makes %s small, with the same bits captured as eager',
    async (loss) => {
      const [captured, eager] = [await trained(loss, true), await trained(loss, false)];
      expect(captured).toEqual(eager);
      const [first, last] = [captured.rows[0][0] as number, captured.rows[1][0] as number];
      expect(last).toBeLessThan(first);
    },
  );

  it('gives one result for a name, the function and the module', async () => {
    const forms: Loss[][] = [
      ['crossEntropy', crossEntropy, new nn.CrossEntropyLoss()],
      ['mse', (x, y) => mseLoss(x, oneHot(y, 2))],
      [smoothed, new nn.CrossEntropyLoss({ labelSmoothing: 0.1 })],
    ];
    for (const [first, ...others] of forms) {
      const result = await trained(first, true);
      for (const other of others) expect(await trained(other, true)).toEqual(result);
    }
    expect(await trained(undefined, true)).toEqual(await trained('crossEntropy', true));
  });

  it('divides its batches for another loss, too', async () => {
    const whole = await trained('mse', true);
    const parts = await trained('mse', true, 2);
    parts.weights.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.weights[i], 4);
    });
  });

  it('learns with the divergence from logarithms of probabilities', async () => {
    class LogModel extends nn.Module {
      readonly body = linearModel();
      forward(x: Tensor): Tensor {
        return logSoftmax(this.body.call(x));
      }
    }
    const { history } = await fit(new LogModel(), halves(32), { loss: 'klDiv', lr: 0.1, epochs: 10 });
    expect(history[9].loss).toBeLessThan(0.5 * history[0].loss);
    expect(history[9].accuracy).toBe(1);
  });

  it('tells metrics of the validation set by epoch', async () => {
    const model = xoModel();
    const validation = someXo(30);
    const { history } = await fit(model, someXo(32), {
      validation,
      metrics: ['f1', 'top1', 'recallPerClass'],
    });
    const { metrics } = await evaluate(model, validation, { metrics: ['f1', 'top1', 'recallPerClass'] });
    expect(history[0].valMetrics).toEqual(metrics);
    expect(metrics?.top1).toBe(history[0].valAccuracy);
    expect(metrics?.recallPerClass).toHaveLength(2);
  });

  it('refuses what is no loss and what gives none, and changes nothing', async () => {
    const model = xoModel();
    const before = weightsOf(model);
    const train = (loss: unknown, capture = true) =>
      refusedLater(fit(model, someXo(8), { loss: loss as Loss, capture }));
    expect(await train('crossEntropie')).toMatchObject({
      code: 'ERR_ARGUMENT',
      hint: 'did you mean crossEntropy?',
    });
    for (const loss of [3, null, {}, 'toString', 'constructor']) {
      expect(await train(loss)).toMatchObject({
        code: 'ERR_ARGUMENT',
        expected: expect.stringContaining("'mse'"),
      });
    }
    for (const captured of [true, false]) {
      expect(await train(() => 3, captured)).toMatchObject({ code: 'ERR_ARGUMENT', received: '3' });
      expect(await train(async () => 3, captured)).toMatchObject({ code: 'ERR_ARGUMENT' });
      expect(await train((x: Tensor) => x, captured)).toMatchObject({
        code: 'ERR_SHAPE',
        expected: 'loss to give a tensor with one element',
        hint: expect.stringContaining("reduction 'mean'"),
      });
      const each = (x: Tensor, y: Tensor) => crossEntropy(x, y, { reduction: 'none' });
      expect(await train(each, captured)).toMatchObject({ code: 'ERR_SHAPE' });
      const ofWeights = new nn.CrossEntropyLoss({ weight: [1, 2, 3] });
      expect(await train(ofWeights, captured)).toMatchObject({ code: 'ERR_SHAPE', expected: /weight \[2\]/ });
    }
    expect(weightsOf(model)).toEqual(before);
    await fit(model, someXo(8));
  });

  it('refuses metrics that are none, or of nothing', async () => {
    const run = (metrics: unknown) =>
      refusedLater(fit(xoModel(), someXo(8), { metrics: metrics as [], validation: someXo(4) }));
    expect(await run(['f2'])).toMatchObject({ code: 'ERR_ARGUMENT', op: 'fit' });
    expect(await run(['top3'])).toMatchObject({ expected: 'a top of at most 2 classes' });
    expect(await run('f1')).toMatchObject({ code: 'ERR_ARGUMENT' });
    const ofNothing = refusedLater(fit(xoModel(), someXo(8), { metrics: ['f1'] }));
    expect(await ofNothing).toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: 'a validation set for metrics to be of',
    });
  });
});

describe('evaluate', () => {
  const names = [
    'accuracy',
    'top1',
    'top2',
    'precision',
    'recallMicro',
    'f1Weighted',
    'f1PerClass',
    'calibrationError',
  ] as const;

  it('gives the metrics of all logits, captured or not, whatever the batches', async () => {
    const [model, dataset] = [xoModel(), someXo(50)];
    const counts = new MetricCounts(2);
    tensorScope(() => {
      model.eval();
      const images = tensor(Float32Array.from(dataset.images, normalized), [50, 24, 24, 1]);
      counts.add(model.call(images), tensor(dataset.labels));
      model.train();
    });
    function normalized(value: number) {
      const { mean, std } = dataset.normalization;
      return (value / 255 - mean[0]) / std[0];
    }
    const wanted = {
      accuracy: counts.accuracy,
      top1: counts.accuracy,
      top2: 1,
      precision: counts.precision(),
      recallMicro: counts.accuracy,
      f1Weighted: counts.f1({ average: 'weighted' }),
      f1PerClass: counts.f1({ average: 'none' }),
    };
    for (const options of [{}, { capture: false }, { batchSize: 7 }]) {
      const { metrics, accuracy } = await evaluate(model, dataset, { ...options, metrics: names });
      expect(accuracy).toBe(counts.accuracy);
      expect(Object.keys(metrics ?? {})).toEqual(names);
      expect(metrics).toMatchObject(wanted);
      expect(metrics?.calibrationError).toBeCloseTo(counts.calibrationError, 5);
    }
    expect(await evaluate(model, dataset)).not.toHaveProperty('metrics');
  });

  it('reports another loss', async () => {
    const [model, dataset] = [xoModel(), someXo(32)];
    const plain = await evaluate(model, dataset);
    for (const loss of ['mse', smoothed, new nn.CrossEntropyLoss({ labelSmoothing: 0.1 })] as Loss[]) {
      const captured = await evaluate(model, dataset, { loss });
      const eager = await evaluate(model, dataset, { loss, capture: false });
      expect(captured.loss).toBe(eager.loss);
      expect(captured.loss).not.toBe(plain.loss);
      expect(captured.confusion).toEqual(plain.confusion);
    }
    const wrong = await refusedLater(evaluate(model, dataset, { loss: 'mae' as 'l1' }));
    expect(wrong).toMatchObject({ code: 'ERR_ARGUMENT', op: 'evaluate' });
    const none = await refusedLater(evaluate(model, dataset, { metrics: ['auc' as 'f1'] }));
    expect(none).toMatchObject({ code: 'ERR_ARGUMENT', op: 'evaluate', received: '"auc"' });
  });
});

describe('capture', () => {
  it('takes a loss by name, of class labels and of numbers', async () => {
    const rows = 8;
    const images = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i * 1.3));
    const numbers = Float32Array.from({ length: rows * 2 }, (_, i) => Math.cos(i));
    const classes = Int32Array.from({ length: rows }, (_, i) => i % 2);
    const run = async (loss: Loss, labels: Int32Array | Float32Array) => {
      const model = linearModel();
      using optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const shape = labels instanceof Int32Array ? [rows] : [rows, 2];
      const dtype = labels instanceof Int32Array ? 'int32' : 'float32';
      using plan = capture(
        { model, optimizer, loss },
        { inputs: { images: [rows, 2, 2, 1], labels: { shape, dtype } } },
      );
      const { outputs } = await plan.run({ images, labels }, { steps: 3 });
      return { names: Object.keys(outputs), losses: Array.from(outputs.loss), weights: weightsOf(model) };
    };
    const regression = await run('mse', numbers);
    expect(regression.names).toEqual(['loss']);
    expect(regression.losses[2]).toBeLessThan(regression.losses[0]);
    expect(await run((x, y) => mseLoss(x, y), numbers)).toEqual(regression);
    expect(await run('mse', classes)).toEqual(await run((x, y) => mseLoss(x, oneHot(y, 2)), classes));
    expect((await run('crossEntropy', classes)).names.sort()).toEqual(['correct', 'loss']);
    expect((await run('smoothL1', classes)).names).toEqual(['loss']);
  });

  it('refuses what is none', () => {
    const model = linearModel();
    using optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const of = (loss: unknown) =>
      refused(() => capture({ model, optimizer, loss: loss as Loss }, { input: [4, 2, 2, 1] }));
    expect(of('mean')).toMatchObject({ code: 'ERR_ARGUMENT', op: 'capture' });
    expect(of(() => undefined)).toMatchObject({ code: 'ERR_ARGUMENT', received: 'undefined' });
    expect(of((x: Tensor) => x)).toMatchObject({ code: 'ERR_SHAPE', op: 'capture' });
    class Nothing extends nn.Module {
      readonly body = linearModel();
      forward() {
        return undefined as never;
      }
    }
    const ofNothing = () =>
      capture({ model: new Nothing(), optimizer, loss: 'mse' }, { input: [4, 2, 2, 1] });
    expect(refused(ofNothing)).toMatchObject({ code: 'ERR_ARGUMENT', expected: 'outputs to be a Tensor' });
  });

  it('ends a run at labels out of range, for each loss, and changes nothing', async () => {
    for (const loss of ['crossEntropy', 'mse', 'bceWithLogits'] as const) {
      const model = linearModel();
      using optimizer = new SGD(model.parameters(), { lr: 0.1 });
      using plan = capture({ model, optimizer, loss }, { input: [2, 2, 2, 1] });
      const before = weightsOf(model);
      const running = plan.run({ images: new Float32Array(8), labels: Int32Array.of(0, 2) });
      await expect(running).rejects.toMatchObject({ code: 'ERR_DATA', received: 'label 2 at row 1' });
      expect(weightsOf(model)).toEqual(before);
    }
  });
});
