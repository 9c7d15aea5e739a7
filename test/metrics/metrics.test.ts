// SPDX-License-Identifier: Apache-2.0
// Metrics against scikit-learn's (test/golden/make_metrics_golden.py), and that they add up over batches.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { confusionMatrix } from '../../lib/metrics/confusion.js';
import { MetricCounts } from '../../lib/metrics/counts.js';
import { metricsNamed } from '../../lib/metrics/names.js';
import { type Average, f1, precision, recall } from '../../lib/metrics/scores.js';
import { argmax } from '../../lib/ops/classify.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { goldenPath } from '../helpers/golden.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

interface Case {
  readonly classes: number;
  readonly logits: number[];
  readonly labels: number[];
  readonly accuracy: number;
  readonly confusion: number[][];
  readonly scores: Readonly<Record<string, number | number[]>>;
  readonly tops: Readonly<Record<string, number>>;
  readonly calibration: Readonly<Record<string, number>>;
}

const { cases } = JSON.parse(readFileSync(goldenPath('metrics.json'), 'utf8')) as { cases: Case[] };

/** All samples counted, `batch` at a time. */
function counted({ classes, logits, labels }: Case, batch: number, bins = 15): MetricCounts {
  const counts = new MetricCounts(classes, { bins });
  for (let first = 0; first < labels.length; first += batch) {
    tensorScope(() => {
      const end = Math.min(first + batch, labels.length);
      const rows = tensor(logits.slice(first * classes, end * classes), [end - first, classes]);
      counts.add(rows, tensor(Int32Array.from(labels.slice(first, end))));
    });
  }
  return counts;
}

function expectNear(actual: number | number[], wanted: number | number[], digits = 12): void {
  const [a, b] = [actual, wanted].map((value) => (typeof value === 'number' ? [value] : value));
  expect(a).toHaveLength(b.length);
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i], digits);
  });
}

describe("scikit-learn's numbers", () => {
  test.each(cases.map((item, i) => [`case ${i}`, item] as const))('%s', (_, item) => {
    const counts = counted(item, 16);
    expect(counts.samples).toBe(item.labels.length);
    expect(counts.confusion).toEqual(item.confusion);
    expectNear(counts.accuracy, item.accuracy);
    const scores = { precision, recall, f1 };
    for (const [key, wanted] of Object.entries(item.scores)) {
      const [name, average] = key.split('.') as [keyof typeof scores, Average];
      expectNear(counts[name]({ average }), wanted);
      expectNear(scores[name](item.confusion, { average }), wanted);
    }
    for (const [k, wanted] of Object.entries(item.tops)) expectNear(counts.topK(Number(k)), wanted);
    for (const [bins, wanted] of Object.entries(item.calibration)) {
      // Confidences are computed in float32
      expectNear(counted(item, 16, Number(bins)).calibrationError, wanted, 6);
    }
  });

  test('cover all forms', () => {
    expect(cases.map(({ classes }) => classes)).toEqual([5, 10, 2, 6, 3]);
    expect(Object.keys(cases[0].scores)).toHaveLength(12);
  });
});

describe('counts', () => {
  test('add up over batches of any size, and leave nothing behind', () =>
    expectFlatMemory(() => {
      const whole = counted(cases[0], 1000);
      for (const batch of [1, 7, 100]) {
        const parts = counted(cases[0], batch);
        expect(parts.confusion).toEqual(whole.confusion);
        for (let k = 1; k <= 5; k++) expect(parts.topK(k)).toBe(whole.topK(k));
        expectNear(parts.calibrationError, whole.calibrationError);
      }
    }));

  test('take the first of equal logits, as argmax does, so that top 1 is the accuracy', () =>
    tensorScope(() => {
      const logits = tensor([1, 1, 1, 0, 2, 2, 5, 5, 0], [3, 3]);
      const labels = tensor(Int32Array.of(1, 2, 0));
      const counts = new MetricCounts(3).add(logits, labels);
      expect(Array.from(argmax(logits).data())).toEqual([0, 1, 0]);
      expect([counts.topK(1), counts.topK(2), counts.topK(3)]).toEqual([counts.accuracy, 1, 1]);
      expect(counts.accuracy).toBe(1 / 3);
    }));

  test('hold samples in bins that are closed above', () =>
    tensorScope(() => {
      const counts = new MetricCounts(2, { bins: 2 });
      counts.add(tensor([0, 0, 9, 0, 0, 9], [3, 2]), tensor(Int32Array.of(0, 0, 0)));
      const [low, high] = counts.calibrationBins;
      expect(low).toEqual({ low: 0, high: 0.5, samples: 1, accuracy: 1, confidence: 0.5 });
      expect(high).toMatchObject({ samples: 2, accuracy: 0.5 });
      expect(counts.calibrationError).toBeCloseTo((0.5 + 2 * (high.confidence - 0.5)) / 3, 12);
      counts.add(tensor([Number.NaN, 0], [1, 2]), tensor(Int32Array.of(1)));
      expect(counts.calibrationError).toBeNaN();
    }));

  test('are 0 before anything was counted', () => {
    const counts = new MetricCounts(3);
    const { accuracy, calibrationError, samples } = counts;
    expect([accuracy, calibrationError, samples, counts.topK(2), counts.f1()]).toEqual([0, 0, 0, 0, 0]);
    expect(counts.recall({ average: 'none' })).toEqual([0, 0, 0]);
  });

  test('are copies: what is done to them changes nothing', () => {
    const counts = counted(cases[0], 50);
    (counts.confusion as number[][])[0][0] = 999;
    expect(counts.confusion).toEqual(cases[0].confusion);
  });
});

describe('what metrics refuse', () => {
  test('samples that are none; nothing is counted then', () =>
    tensorScope(() => {
      const counts = new MetricCounts(3);
      const [logits, labels] = [tensor(new Float32Array(6), [2, 3]), tensor(Int32Array.of(0, 2))];
      const [more, wrong, floats] = [
        tensor(new Float32Array(8), [2, 4]),
        tensor(Int32Array.of(0, 3)),
        tensor([0, 1]),
      ];
      expectRefusal(() => counts.add(more, labels), 'ERR_SHAPE', {
        expected: 'logits [n, 3]',
        received: '[2, 4]',
      });
      expectRefusal(() => counts.add(logits, wrong), 'ERR_DATA', { received: 'label 3 at row 1' });
      expectRefusal(() => counts.add(logits, floats), 'ERR_DTYPE');
      expectRefusal(() => counts.add([1] as never, labels), 'ERR_ARGUMENT');
      expect(counts.samples).toBe(0);
    }));

  test('numbers and names that are none', () => {
    expectRefusal(() => new MetricCounts(0), 'ERR_ARGUMENT', { expected: /classes/ });
    expectRefusal(() => new MetricCounts(2, { bins: 0 }), 'ERR_ARGUMENT', { expected: /bins/ });
    expectRefusal(() => new MetricCounts(2, { bin: 3 } as object), 'ERR_ARGUMENT', {
      hint: 'did you mean bins?',
    });
    expectRefusal(() => new MetricCounts(10_001), 'ERR_ARGUMENT', { expected: /at most 10000 classes/ });
    expectRefusal(() => new MetricCounts(2, { bins: 1e9 }), 'ERR_ARGUMENT', { expected: /bins/ });
    expectRefusal(() => confusionMatrix([0], [0], 1e6), 'ERR_ARGUMENT', {
      expected: /at most 10000 classes/,
    });
    const counts = new MetricCounts(3);
    expectRefusal(() => counts.topK(4), 'ERR_ARGUMENT', {
      expected: 'k of at most 3 classes',
      received: '4',
    });
    expectRefusal(() => counts.topK(0), 'ERR_ARGUMENT');
    expectRefusal(() => counts.f1({ average: 'makro' as 'macro' }), 'ERR_ARGUMENT', {
      hint: 'did you mean macro?',
    });
    expectRefusal(() => precision([[1, 2]]), 'ERR_ARGUMENT', { expected: /confusion matrix/ });
    expectRefusal(() => recall([], {}), 'ERR_ARGUMENT');
    for (const count of [-1, Number.NaN, 'a' as never]) {
      expectRefusal(() => recall([[count]]), 'ERR_ARGUMENT', { expected: /of counts/ });
    }
    expectRefusal(() => f1([[1]], { avg: 'none' } as object), 'ERR_ARGUMENT');
    expectRefusal(() => confusionMatrix([0, 2], [0, 1], 2), 'ERR_DATA', { received: '2 at position 1' });
    expectRefusal(() => confusionMatrix([0, 1], [0, -1], 2), 'ERR_DATA', {
      expected: 'predicted from 0 to 1',
    });
    expectRefusal(() => confusionMatrix([0], [0, 1], 2), 'ERR_ARGUMENT', { received: '2 and 1' });
    for (const none of [3, undefined, new DataView(new ArrayBuffer(4))]) {
      expectRefusal(() => confusionMatrix(none as never, [0], 2), 'ERR_ARGUMENT');
    }
    for (const name of [
      'top0',
      'top01',
      'f1Macros',
      'precisionmicro',
      'constructor',
      'f1constructor',
      'recalltoString',
      3,
    ]) {
      expectRefusal(() => metricsNamed('evaluate', [name as string], 9), 'ERR_ARGUMENT', { op: 'evaluate' });
    }
    expectRefusal(() => metricsNamed('evaluate', ['top10'], 9), 'ERR_ARGUMENT', {
      expected: 'a top of at most 9 classes',
      received: '"top10"',
    });
    expectRefusal(() => metricsNamed('evaluate', 'f1' as never, 9), 'ERR_ARGUMENT', {
      expected: /array of names/,
    });
  });
});
