// SPDX-License-Identifier: Apache-2.0
// The loss instructions on every instruction set and number of threads against double precision, with sizes of one task
// and of several.
import { describe, expect, it } from 'vitest';
import {
  call,
  checkAgainstReference,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const EPSILON = 2 ** -24; // half a unit in the last place of float32
const SMALLEST_NORMAL = 2 ** -126; // below, kernels flush to zero

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const ints = (size: number) => ({ kind: 'int32', size }) as const;

const [MEAN, SUM, NONE] = [0, 1, 2];

function randomRows(random: Random) {
  const rows = random.pick([1, 2, 5, 64, 1000]);
  const classes = random.pick([1, 2, 3, 7, 8, 10, 15, 16, 17, 33, 100]);
  return { rows, classes, x: random.floats(rows * classes, -8, 8) };
}

/** Of a probability: see test/native/softmax.test.ts. */
const relative = (classes: number, spread: number) => (12 + spread + 4 * Math.sqrt(classes)) * EPSILON;

describe('softmax_cross_entropy with options', () => {
  it('stays within rounding of double precision, the same for every number of threads', () => {
    forSeeds(40, (random) => {
      const { rows, classes, x } = randomRows(random);
      const labels = random.ints(rows, 0, classes - 1);
      const reduction = random.pick([MEAN, SUM, NONE]);
      const smoothing = random.pick([0, 0.1, 0.75]);
      const ignored = random.pick([-100, 0, classes - 1]);
      if (ignored === -100) for (let i = 1; i < rows; i += 3) labels[i] = ignored;
      if (ignored !== -100 && labels.every((label) => label === ignored)) return; // a mean over nothing
      const weight = random.pick([null, random.floats(classes, 0.25, 2)]);
      within(
        JSON.stringify({ rows, classes, reduction, smoothing, ignored, weighted: weight !== null }),
        () => {
          const divisor = reduction === MEAN ? rows / 8 : 1;
          // A loss is a sum of up to `classes` terms of up to 2 (16 + log classes), of the row's weights' 4 or less.
          const term = 4 * (16 + Math.log(classes)) * relative(classes, 16);
          checkAgainstReference(
            'softmax_cross_entropy',
            [floats(reduction === NONE ? rows : 1), floats(rows * classes)],
            [x, labels, weight],
            [rows, classes, reduction, smoothing, ignored],
            (output, _i, y) => {
              if (output === 0) return term * (reduction === SUM ? rows : 1) + EPSILON * Math.abs(y);
              return 4 * relative(classes, 16) * Math.max(1 / divisor, 1 / rows);
            },
          );
        },
      );
    });
  });

  it('gives the bits of the plain loss where no option says otherwise', () => {
    forSeeds(6, (random) => {
      const { rows, classes, x } = randomRows(random);
      const labels = random.ints(rows, 0, classes - 1);
      const outputs = [floats(1), floats(rows * classes)];
      forEachIsaAndThreads(() => {
        const plain = call('softmax_cross_entropy', outputs, [x, labels], [rows, classes]);
        const same = call(
          'softmax_cross_entropy',
          outputs,
          [x, labels, null],
          [rows, classes, MEAN, 0, -100],
        );
        plain.forEach((data, o) => {
          expectSameBits(data, same[o]);
        });
      });
    });
  });

  it.each([
    ['a label out of range', [0, 3], [2, 3, MEAN, 0, -100], 'ERR_DATA', 'label 3 at row 1'],
    ['a negative label', [0, -1], [2, 3, MEAN, 0, -100], 'ERR_DATA', 'label -1 at row 1'],
    ['another label than the ignored one', [-2, -1], [2, 3, MEAN, 0, -2], 'ERR_DATA', 'label -1 at row 1'],
    ['an unknown reduction', [0, 1], [2, 3, 3, 0, -100], 'ERR_ARGUMENT', '3.000000'],
    ['smoothing of 1', [0, 1], [2, 3, MEAN, 1, -100], 'ERR_ARGUMENT', '1.000000'],
    ['smoothing that is no number', [0, 1], [2, 3, MEAN, Number.NaN, -100], 'ERR_ARGUMENT', /nan/],
    ['half a label to ignore', [0, 1], [2, 3, MEAN, 0, 0.5], 'ERR_ARGUMENT', '0.500000'],
    ['no number to ignore', [0, 1], [2, 3, MEAN, 0, Number.NaN], 'ERR_ARGUMENT', /nan/],
    ['one loss for all rows', [0, 1], [2, 3, NONE, 0, -100], 'ERR_SHAPE', /1 elements/],
  ] as const)('refuses %s', (_, labels, numbers, code, received) => {
    const error = refusal(() =>
      call(
        'softmax_cross_entropy',
        [floats(1), floats(6)],
        [new Float32Array(6), Int32Array.from(labels)],
        numbers,
      ),
    );
    expect(error.code).toBe(code);
    expect(error.received).toMatch(received);
  });

  it('refuses weights of another number', () => {
    const error = refusal(() =>
      call(
        'softmax_cross_entropy',
        [floats(1), floats(6)],
        [new Float32Array(6), new Int32Array(2), new Float32Array(2)],
        [2, 3, MEAN, 0, -100],
      ),
    );
    expect(error.code).toBe('ERR_SHAPE');
  });
});

describe('soft_cross_entropy', () => {
  it('stays within rounding of double precision, the same for every number of threads', () => {
    forSeeds(30, (random) => {
      const { rows, classes, x } = randomRows(random);
      const targets = random.floats(rows * classes, 0, 1).map((value) => value / classes);
      const reduction = random.pick([MEAN, SUM, NONE]);
      const smoothing = random.pick([0, 0.3]);
      const weight = random.pick([null, random.floats(classes, 0.25, 2)]);
      within(JSON.stringify({ rows, classes, reduction, smoothing, weighted: weight !== null }), () => {
        const scale = reduction === MEAN ? 1 / rows : 1;
        const term = 4 * (16 + Math.log(classes)) * relative(classes, 16);
        checkAgainstReference(
          'soft_cross_entropy',
          [floats(reduction === NONE ? rows : 1), floats(rows * classes), floats(rows * classes)],
          [x, targets, weight],
          [rows, classes, reduction, smoothing],
          (output, _i, y) => {
            if (output === 0) return term * (reduction === SUM ? rows : 1) + EPSILON * Math.abs(y);
            return (output === 1 ? 4 * relative(classes, 16) : term) * scale;
          },
        );
      });
    });
  });

  it('gives the same without gradients', () => {
    forSeeds(4, (random) => {
      const { rows, classes, x } = randomRows(random);
      const targets = random.floats(rows * classes, 0, 1);
      forEachIsaAndThreads(() => {
        const outputs = [floats(1), floats(rows * classes), floats(rows * classes)];
        const numbers = [rows, classes, MEAN, 0.1];
        const [loss] = call('soft_cross_entropy', outputs, [x, targets], numbers);
        const alone = call('soft_cross_entropy', [floats(1)], [null, null, x, targets], numbers);
        expectSameBits(alone[0], loss);
      });
    });
  });
});

describe('pointwise_loss', () => {
  const KINDS = ['mse', 'l1', 'huber', 'bceWithLogits', 'klDiv', 'klDivLog'];
  const inputsOf = (random: Random, kind: number, size: number): NumberArray[] => {
    if (KINDS[kind] === 'bceWithLogits') return [random.floats(size, -30, 30), random.floats(size, 0, 1)];
    if (KINDS[kind] === 'klDiv') return [random.floats(size, -5, 0), random.floats(size, 0, 1)];
    return [random.floats(size, -4, 4), random.floats(size, -4, 4)];
  };

  it.each(KINDS.map((name, kind) => [name, kind] as const))('%s stays within rounding', (name, kind) => {
    forSeeds(12, (random) => {
      const size = random.pick([1, 7, 16, 17, 4096, 4097, 20_000]);
      const reduces = random.pick([0, 1]);
      const isBinary = name === 'bceWithLogits';
      const inner = random.pick([1, 1, 3, 5000]);
      const weights = isBinary ? random.pick([1, 2, 17, size]) : 0;
      const weight = weights === 0 ? null : random.pick([null, random.floats(weights, 0, 2)]);
      const positive = weights === 0 ? null : random.pick([null, random.floats(random.pick([1, 10]), 0, 2)]);
      const factor = random.pick([1, 1 / size]);
      within(JSON.stringify({ size, reduces, inner, weights, factor }), () => {
        // No term is larger than |x| <= 30 or (|x| + |t|)^2 <= 64, e^4 * 8 for klDivLog; weights reach 2 and 2.
        const largest = { mse: 64, l1: 8, huber: 6, bceWithLogits: 120, klDiv: 6, klDivLog: 500 }[
          name
        ] as number;
        const rounding = 16 * EPSILON * largest * factor;
        checkAgainstReference(
          'pointwise_loss',
          [floats(reduces === 1 ? 1 : size), floats(size), floats(size)],
          [...inputsOf(random, kind, size), weight, positive],
          [kind, reduces, 0.75, factor, inner, 1],
          (output, _i, y) => {
            if (output === 0 && reduces === 1) return rounding * Math.sqrt(size) + 8 * EPSILON * Math.abs(y);
            return rounding + SMALLEST_NORMAL;
          },
        );
      });
    });
  });

  it('keeps the digits of small probabilities', () => {
    // softplus(-80) = 1.8e-35, and the gradient is the same: a difference from 1 would lose all of it
    const x = Float32Array.of(-80, 80, -20, 20);
    const t = Float32Array.of(0, 1, 0, 1);
    checkAgainstReference(
      'pointwise_loss',
      [floats(4), floats(4)],
      [null, x, t],
      [3, 0, 0, 1, 1, 1],
      (_output, _i, y) => (12 + 80) * EPSILON * Math.abs(y),
    );
  });

  it('a logarithm beyond float32 is that of an infinite target', () => {
    const [x, t] = [Float32Array.of(0, 0, 1, 0), Float32Array.of(100, Infinity, NaN, -Infinity)];
    forEachIsaAndThreads(() => {
      const outputs = [floats(4), floats(4), floats(4)];
      const [loss, dInput, dTarget] = call('pointwise_loss', outputs, [x, t], [5, 0, 0, 1, 1, 1]);
      expect([...loss]).toEqual([Infinity, Infinity, NaN, NaN]);
      expect([...dInput]).toEqual([-Infinity, -Infinity, NaN, 0]);
      expect([...dTarget]).toEqual([Infinity, Infinity, NaN, NaN]);
    });
  });

  it('refuses what is no loss, and weights that no element has', () => {
    const of = (numbers: number[], weight: NumberArray | null = null) =>
      refusal(() =>
        call(
          'pointwise_loss',
          [floats(1)],
          [null, null, new Float32Array(4), new Float32Array(4), weight],
          numbers,
        ),
      ).code;
    expect(of([6, 1, 1, 1, 1, 1])).toBe('ERR_ARGUMENT');
    expect(of([-1, 1, 1, 1, 1, 1])).toBe('ERR_ARGUMENT');
    expect(of([Number.NaN, 1, 1, 1, 1, 1])).toBe('ERR_ARGUMENT');
    expect(of([0, 2, 1, 1, 1, 1])).toBe('ERR_ARGUMENT');
    expect(of([0, 0, 1, 1, 1, 1])).toBe('ERR_SHAPE');
    expect(of([3, 1, 1, 1, 0, 1], new Float32Array(2))).toBe('ERR_ARGUMENT');
    expect(of([3, 1, 1, 1, 1, 1], new Int32Array(2))).toBe('ERR_DTYPE');
  });
});

describe('what goes with losses', () => {
  it('scale_rows multiplies each row by its factor', () => {
    forSeeds(6, (random) => {
      const [rows, columns] = [random.pick([1, 5, 3000]), random.pick([1, 7, 16, 100])];
      const inputs = [random.floats(rows * columns), random.floats(rows)];
      checkAgainstReference('scale_rows', [floats(rows * columns)], inputs, [rows, columns], (_o, _i, y) =>
        Math.max(EPSILON * Math.abs(y), SMALLEST_NORMAL),
      );
    });
  });

  it('one_hot puts a 1 at each label, and refuses others', () => {
    const labels = Int32Array.of(2, 0);
    expect([...call('one_hot', [floats(6)], [labels], [2, 3])[0]]).toEqual([0, 0, 1, 1, 0, 0]);
    const error = refusal(() => call('one_hot', [floats(4)], [labels], [2, 2]));
    expect(error).toMatchObject({ code: 'ERR_DATA', received: 'label 2 at row 0' });
  });

  it('label_rank is 0 where argmax is the label, and counts who comes before', () => {
    forSeeds(10, (random) => {
      const [rows, columns] = [random.pick([1, 40, 5000]), random.int(1, 12)];
      const x = Float32Array.from(random.ints(rows * columns, -3, 3));
      for (let i = 0; i < x.length; i += 13) x[i] = random.pick([Number.NaN, Infinity, -Infinity]);
      const labels = random.ints(rows, 0, columns - 1);
      const key = (value: number) => (Number.isNaN(value) ? Number.MAX_VALUE * 2 : value);
      const expected = labels.map((label, row) => {
        const scores = [...x.subarray(row * columns, (row + 1) * columns)];
        const order = scores
          .map((_, c) => c)
          .sort((a, b) => {
            const nan = Number(Number.isNaN(scores[b])) - Number(Number.isNaN(scores[a]));
            const [first, second] = [key(scores[a]), key(scores[b])];
            return nan || (first === second ? a - b : first > second ? -1 : 1);
          });
        return order.indexOf(label);
      });
      forEachIsaAndThreads(() => {
        const [ranks] = call('label_rank', [ints(rows)], [x, labels], [rows, columns]);
        expectSameBits(ranks, expected);
        const inDouble = call('label_rank', [ints(rows)], [Float64Array.from(x), labels], [rows, columns]);
        expectSameBits(inDouble[0], expected);
        const [best] = call('argmax', [ints(rows)], [x], [rows, columns]);
        best.forEach((predicted, row) => {
          expect(predicted === labels[row]).toBe(ranks[row] === 0);
        });
      });
    });
    expect(
      refusal(() => call('label_rank', [ints(1)], [new Float32Array(2), Int32Array.of(2)], [1, 2])).code,
    ).toBe('ERR_DATA');
  });

  it('confidence is the largest probability', () => {
    forSeeds(6, (random) => {
      const { rows, classes, x } = randomRows(random);
      checkAgainstReference(
        'confidence',
        [floats(rows)],
        [x],
        [rows, classes],
        (_o, _i, y) => relative(classes, 16) * y,
      );
    });
    const [sure] = call('confidence', [floats(3)], [Float32Array.of(1e30, 0, NaN, 1, Infinity, 0)], [3, 2]);
    expect([...sure]).toEqual([1, Number.NaN, Number.NaN]);
  });
});
