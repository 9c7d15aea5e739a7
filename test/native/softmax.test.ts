// SPDX-License-Identifier: Apache-2.0
// Softmax, cross-entropy, argmax and counting, on every instruction set against double precision.
import { describe, expect, it } from 'vitest';
import {
  allocate,
  call,
  checkAgainstReference,
  expectGradient,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  free,
  fromTensor,
  type NumberArray,
  type Random,
  refusal,
  run,
  toTensor,
  within,
} from '../helpers/native.js';

const EPSILON = 2 ** -24; // half a unit in the last place of float32
const SMALLEST_NORMAL = 2 ** -126; // below, kernels flush to zero

const floats = (size: number) => ({ kind: 'float32', size }) as const;
const doubles = (size: number) => ({ kind: 'float64', size }) as const;
const ints = (size: number) => ({ kind: 'int32', size }) as const;

function randomRows(random: Random) {
  const rows = random.pick([1, 2, 5, 64, 1000]);
  const classes = random.pick([1, 2, 3, 7, 8, 10, 15, 16, 17, 33, 100]);
  const x = random.floats(rows * classes, -8, 8);
  return { rows, classes, x, labels: random.ints(rows, 0, classes - 1) };
}

/**
 * Error of a probability: e^(x - max) with |x - max| up to `spread` rounds its argument once, costs 2 ulp, and is
 * divided by a sum of `classes` such terms.
 */
const relative = (classes: number, spread: number) => (12 + spread + 4 * Math.sqrt(classes)) * EPSILON;

describe('softmax', () => {
  it('forward and backward stay within rounding', () => {
    forSeeds(30, (random) => {
      const { rows, classes, x } = randomRows(random);
      const size = rows * classes;
      within(`${rows} x ${classes}`, () => {
        const shape = [rows, classes];
        const allowed = relative(classes, 16);
        const [y] = checkAgainstReference(
          'softmax_forward',
          [floats(size)],
          [x],
          shape,
          (_, __, p) => allowed * p,
        );
        const dy = random.floats(size);
        const inputs = [dy, Float32Array.from(y)];
        checkAgainstReference(
          'softmax_backward',
          [floats(size)],
          inputs,
          shape,
          (_, i) => 4 * Math.sqrt(classes + 4) * EPSILON * 2 * y[i] + SMALLEST_NORMAL,
        );
      });
    });
  });

  it('does not overflow, and lets far classes vanish', () => {
    const x = Float32Array.of(3e38, 3e38, -3e38, 1000, 900, -1000, 0, -87.5, -Infinity);
    forEachIsaAndThreads(() => {
      const [y] = call('softmax_forward', [floats(9)], [x], [3, 3]);
      expect([...y.slice(0, 6)]).toEqual([0.5, 0.5, 0, 1, 0, 0]);
      expect([...y.slice(6)]).toEqual([1, 0, 0]);
    });
  });

  it('gives NaN for a row with NaN or +Infinity, wherever it stands, and leaves other rows alone', () => {
    for (const bad of [NaN, Infinity]) {
      for (let at = 0; at < 18; at++) {
        const x = new Float32Array(36);
        x[at] = bad;
        forEachIsaAndThreads(() => {
          const [y] = call('softmax_forward', [floats(36)], [x], [2, 18]);
          expect(y.slice(0, 18).every(Number.isNaN)).toBe(true);
          expect(y.slice(18).every((value) => Math.abs(value - 1 / 18) < 1e-7)).toBe(true);
        });
      }
    }
  });
});

describe('log_softmax', () => {
  it('forward and backward stay within rounding', () => {
    forSeeds(30, (random) => {
      const { rows, classes, x } = randomRows(random);
      const size = rows * classes;
      within(`${rows} x ${classes}`, () => {
        const shape = [rows, classes];
        const [y] = checkAgainstReference(
          'log_softmax_forward',
          [floats(size)],
          [x],
          shape,
          (_, __, wanted) => relative(classes, 0) + 2 * EPSILON * Math.abs(wanted),
        );
        const dy = random.floats(size);
        const inputs = [dy, Float32Array.from(y)];
        checkAgainstReference(
          'log_softmax_backward',
          [floats(size)],
          inputs,
          shape,
          (_, i) => (4 * Math.sqrt(classes + 4) + 8) * EPSILON * (Math.abs(dy[i]) + Math.exp(y[i]) * classes),
        );
      });
    });
  });

  it('has the gradient of central differences, in double precision, and works in place', () => {
    forSeeds(6, (random) => {
      const [rows, classes] = [3, random.int(1, 6)];
      const x = Float64Array.from(random.floats(rows * classes, -3, 3));
      const forward = (at: Float64Array) =>
        call('log_softmax_forward', [doubles(at.length)], [at], [rows, classes])[0];
      const y = forward(x);
      const backward = (dy: Float64Array) =>
        call('log_softmax_backward', [doubles(x.length)], [dy, y], [rows, classes])[0];
      expectGradient(x, forward, backward, random);
      const given = random.floats(36 * 5);
      for (const data of [given, Float64Array.from(given)]) {
        const kind = data instanceof Float64Array ? doubles : floats;
        const [out] = call('log_softmax_forward', [kind(180)], [data], [5, 36]);
        const [dx] = call('log_softmax_backward', [kind(180)], [data, out], [5, 36]);
        const handles = [toTensor(data), toTensor(data), toTensor(out)];
        run('log_softmax_forward', [handles[0], handles[0]], [5, 36]);
        expectSameBits(fromTensor(handles[0]), out);
        run('log_softmax_backward', [handles[1], handles[1], handles[2]], [5, 36]);
        expectSameBits(fromTensor(handles[1]), dx);
        free(...handles);
      }
    });
  });

  it('does not overflow; -Infinity stays, +Infinity and NaN spoil their row', () => {
    const x = Float32Array.of(
      3e38,
      3e38,
      -3e38,
      0,
      -1000,
      -Infinity,
      Infinity,
      0,
      1,
      -Infinity,
      -Infinity,
      -Infinity,
    );
    forEachIsaAndThreads(() => {
      const [y] = call('log_softmax_forward', [floats(12)], [x], [4, 3]);
      const half = Math.fround(-Math.LN2);
      expect([...y.slice(0, 3)]).toEqual([half, half, -Infinity]);
      expect([...y.slice(3, 6)]).toEqual([0, -1000, -Infinity]);
      expect([...y.slice(6)]).toEqual(Array(6).fill(NaN));
    });
  });
});

describe('softmax_cross_entropy', () => {
  const crossEntropy = (x: NumberArray, labels: Int32Array, classes: number) => {
    const kind = x instanceof Float64Array ? doubles : floats;
    return call('softmax_cross_entropy', [kind(1), kind(x.length)], [x, labels], [labels.length, classes]);
  };

  it('stays within rounding of the mean loss and its gradient', () => {
    forSeeds(30, (random) => {
      const { rows, classes, x, labels } = randomRows(random);
      const allowed = relative(classes, 16);
      within(`${rows} x ${classes}`, () => {
        const outputs = [floats(1), floats(rows * classes)];
        checkAgainstReference(
          'softmax_cross_entropy',
          outputs,
          [x, labels],
          [rows, classes],
          (output, i, y) => {
            if (output === 0) return allowed + EPSILON * y;
            // At the label the probability itself rounds, before 1 goes off.
            const isLabel = labels[Math.floor(i / classes)] === i % classes;
            return allowed * (isLabel ? 1 / rows : Math.abs(y));
          },
        );
      });
    });
  });

  it('gives the same loss without the gradient, and in place', () => {
    forSeeds(4, (random) => {
      const { rows, classes, x, labels } = randomRows(random);
      const [loss, gradient] = crossEntropy(x, labels, classes);
      const handles = [allocate('float32', 1), toTensor(x), toTensor(labels)];
      const [out, logits, wanted] = handles;
      run('softmax_cross_entropy', [out, -1, logits, wanted], [rows, classes]);
      expectSameBits(fromTensor(out), loss);
      expectSameBits(fromTensor(logits), x);
      run('softmax_cross_entropy', [out, logits, logits, wanted], [rows, classes]);
      expectSameBits(fromTensor(logits), gradient);
      free(...handles);
    });
  });

  it('has the gradient of its loss', () => {
    forSeeds(6, (random) => {
      const [rows, classes] = [3, random.pick([2, 5, 10])];
      const labels = random.ints(rows, 0, classes - 1);
      const x = Float64Array.from(random.floats(rows * classes, -3, 3));
      expectGradient(
        x,
        (at) => crossEntropy(at, labels, classes)[0],
        (dy) => crossEntropy(x, labels, classes)[1].map((value) => value * dy[0]),
        random,
      );
    });
  });

  it('is stable for scores far apart', () => {
    const x = Float32Array.of(1000, 0, -1000, 1e30, -1e30, 0);
    forEachIsaAndThreads(() => {
      const [loss, gradient] = crossEntropy(x, Int32Array.of(1, 0), 3);
      expect(loss[0]).toBe(500);
      expect([...gradient]).toEqual([0.5, -0.5, 0, 0, 0, 0]);
    });
  });

  it('gives NaN for NaN, and an infinite loss for a label that has no chance', () => {
    forEachIsaAndThreads(() => {
      expect(crossEntropy(Float32Array.of(1, NaN), Int32Array.of(0), 2)[0][0]).toBeNaN();
      expect(crossEntropy(Float32Array.of(1, -Infinity), Int32Array.of(1), 2)[0][0]).toBe(Infinity);
    });
  });

  it.each([10, 12, -1, 2147483647])('refuses label %i before it writes anything', (bad) => {
    const labels = Int32Array.of(0, 9, 5, bad);
    const handles = [
      toTensor(Float32Array.of(42)),
      toTensor(new Float32Array(40).fill(7)),
      toTensor(new Float32Array(40)),
      toTensor(labels),
    ];
    const error = refusal(() => run('softmax_cross_entropy', handles, [4, 10]));
    expect(error).toMatchObject({
      code: 'ERR_DATA',
      expected: 'labels from 0 to 9',
      received: `label ${bad} at row 3`,
    });
    expect(fromTensor(handles[0])[0]).toBe(42);
    expect(fromTensor(handles[1]).every((value) => value === 7)).toBe(true);
    free(...handles);
  });

  it('refuses shapes that do not fit', () => {
    const of = (rows: number, classes: number) =>
      refusal(() =>
        call(
          'softmax_cross_entropy',
          [floats(1), floats(6)],
          [new Float32Array(6), new Int32Array(2)],
          [rows, classes],
        ),
      ).code;
    expect(of(3, 3)).toBe('ERR_SHAPE');
    expect(of(0, 3)).toBe('ERR_ARGUMENT');
    expect(of(2, -3)).toBe('ERR_ARGUMENT');
  });
});

describe('argmax and count_equal', () => {
  it('argmax finds the first largest, in both precisions', () => {
    forSeeds(10, (random) => {
      const rows = random.pick([1, 3, 5000]);
      const columns = random.int(1, 12);
      const x = Float32Array.from(random.ints(rows * columns, -3, 3));
      const expected = Int32Array.from({ length: rows }, (_, row) => {
        const scores = x.subarray(row * columns, (row + 1) * columns);
        return scores.indexOf(Math.max(...scores));
      });
      forEachIsaAndThreads(() => {
        expectSameBits(call('argmax', [ints(rows)], [x], [rows, columns])[0], expected);
        const inDouble = call('argmax', [ints(rows)], [Float64Array.from(x)], [rows, columns]);
        expectSameBits(inDouble[0], expected);
      });
    });
  });

  it.each([
    { x: [1, NaN, 3], at: 1 },
    { x: [NaN, 2, NaN], at: 0 },
    { x: [-Infinity, -Infinity], at: 0 },
    { x: [1, Infinity, Infinity], at: 1 },
  ])('argmax of $x is $at', ({ x, at }) => {
    expect(call('argmax', [ints(1)], [Float32Array.from(x)], [1, x.length])[0][0]).toBe(at);
  });

  it('count_equal counts equal places', () => {
    const [count] = call('count_equal', [ints(1)], [Int32Array.of(1, 2, 3, -4), Int32Array.of(1, 3, 3, -4)]);
    expect(count[0]).toBe(3);
    const error = refusal(() => call('count_equal', [ints(1)], [Int32Array.of(1), Int32Array.of(1, 3)]));
    expect(error.code).toBe('ERR_SHAPE');
  });
});
