// SPDX-License-Identifier: Apache-2.0
// Instructions that take in their neighbours have the bits of the instructions one after another.
import { describe, expect, it } from 'vitest';
import {
  call,
  doubled,
  expectClose,
  expectSameBits,
  forEachIsaAndThreads,
  forSeeds,
  type NumberArray,
  type Random,
  refusal,
  within,
} from '../helpers/native.js';

const EPS = 1e-5;
const like = (data: NumberArray) =>
  ({ kind: data instanceof Float64Array ? 'float64' : 'float32', size: data.length }) as const;

interface Case {
  rows: number;
  channels: number;
  x: NumberArray;
  weight: NumberArray | null;
  bias: NumberArray | null;
  residual: NumberArray;
  /** One for each channel. */
  columns: NumberArray;
}

function makeCase(random: Random, wide: boolean): Case {
  const rows = random.int(2, 700);
  const channels = random.pick([1, 3, 7, 8, 15, 16, 17, 40, 64, 65, 130]);
  const affine = random.next() < 0.7;
  const kind = <Data extends Float32Array | null>(data: Data) =>
    wide && data !== null ? doubled(data) : data;
  const x = random.floats(rows * channels);
  const residual = random.floats(rows * channels);
  x[random.int(0, x.length - 1)] = wide ? 0 : Number.NaN; // NaN must come out where it would
  return {
    rows,
    channels,
    x: kind(x) as NumberArray,
    weight: kind(affine ? random.floats(channels, -2, 2) : null),
    bias: kind(affine ? random.floats(channels) : null),
    residual: kind(residual) as NumberArray,
    columns: kind(random.floats(channels, 0.1, 2)) as NumberArray,
  };
}

const operations = {
  batch_norm_forward: ({ columns }: Case) => ({ outputs: [columns, columns], inputs: [] as NumberArray[] }),
  batch_norm_eval: ({ columns }: Case) => ({ outputs: [] as NumberArray[], inputs: [columns, columns] }),
};

describe.each(['batch_norm_forward', 'batch_norm_eval'] as const)('%s', (op) => {
  it.each([
    ['a ReLU', false, true],
    ['a residual', true, false],
    ['a residual and a ReLU', true, true],
  ])('with %s', (_, hasResidual, hasRelu) => {
    forSeeds(12, (random) => {
      const wide = random.next() < 0.2;
      const given = makeCase(random, wide);
      const { rows, channels, x, weight, bias, residual, columns } = given;
      const extra = operations[op](given);
      const outputs = [like(x), like(columns), like(columns), ...extra.outputs];
      const inputs = [x, ...extra.inputs, weight, bias];
      const numbers = op === 'batch_norm_forward' ? [rows, channels, EPS, 0.1] : [rows, channels, EPS];
      within(`${rows} rows, ${channels} channels`, () =>
        forEachIsaAndThreads(() => {
          const apart = call(op, outputs, inputs, numbers);
          if (hasResidual) [apart[0]] = call('add', [like(x)], [apart[0], residual]);
          if (hasRelu) [apart[0]] = call('relu_forward', [like(x)], [apart[0]]);
          const together = call(
            op,
            outputs,
            [...inputs, hasResidual ? residual : null],
            [...numbers, hasRelu ? 1 : 0],
          );
          together.forEach((output, i) => {
            expectSameBits(output, apart[i], `output ${i}`);
          });
        }),
      );
    });
  });

  it('refuses a residual of another size', () => {
    const ones = (size: number) => new Float32Array(size).fill(1);
    const extra = op === 'batch_norm_forward' ? [] : [ones(3), ones(3)];
    const outputs = [ones(12), ones(3), ones(3), ...(op === 'batch_norm_forward' ? [ones(3), ones(3)] : [])];
    const inputs = [ones(12), ...extra, null, null, ones(11)];
    expect(refusal(() => call(op, outputs, inputs, [4, 3, EPS, 0]))).toMatchObject({ code: 'ERR_SHAPE' });
  });
});

describe('conv2d_forward', () => {
  const DIRECT = 1;
  const F2 = 3;
  const F4 = 4;
  /** Channels, kernel, stride, the number of the algorithm: vectors that are full and not, sums of several pieces. */
  const convolutions = [
    [17, 40, 3, 1, DIRECT],
    [16, 64, 3, 2, DIRECT],
    [3, 70, 2, 1, DIRECT],
    [130, 5, 3, 1, DIRECT],
    [260, 33, 1, 1, DIRECT],
    [20, 16, 3, 1, F2],
    [16, 70, 3, 1, F2],
    [33, 33, 3, 1, F4],
    [16, 128, 3, 1, F4],
  ] as const;

  it.each(convolutions)(
    'of %i to %i channels, kernel %i, stride %i, algorithm %i, with a residual and a ReLU',
    (...of) => {
      const [inC, outC, kernel, stride, algorithm] = of;
      forSeeds(2, (random) => {
        const wide = random.next() < 0.3;
        const kind = (data: Float32Array) => (wide ? doubled(data) : data);
        const [n, inH, inW] = [random.int(1, 2), random.int(3, 11), random.int(3, 11)];
        const size = (length: number) => Math.floor((length - kernel + 2) / stride) + 1;
        const [outH, outW] = [size(inH), size(inW)];
        const x = kind(random.floats(n * inH * inW * inC));
        const weight = kind(random.floats(outC * kernel * kernel * inC));
        const bias = random.next() < 0.5 ? kind(random.floats(outC)) : null;
        const residual = kind(random.floats(n * outH * outW * outC));
        residual[random.int(0, residual.length - 1)] = Number.NaN;
        const numbers = [n, inH, inW, inC, outH, outW, outC, kernel, kernel, stride, stride, 1, 1];
        forEachIsaAndThreads(() => {
          const [plain] = call(
            'conv2d_forward',
            [like(residual)],
            [x, weight, bias],
            [...numbers, 0, algorithm],
          );
          const [sum] = call('add', [like(residual)], [plain, residual]);
          const [rectified] = call('relu_forward', [like(residual)], [sum]);
          for (const [relu, apart] of [sum, rectified].entries()) {
            const inputs = [x, weight, bias, residual];
            const [together] = call('conv2d_forward', [like(residual)], inputs, [
              ...numbers,
              relu,
              algorithm,
            ]);
            expectSameBits(together, apart, relu === 1 ? 'with a ReLU' : 'without');
          }
        });
      });
    },
  );

  it('refuses a residual of another size, and where its algorithm adds none', () => {
    const ones = (size: number) => new Float32Array(size).fill(1);
    const refused = (n: number, inC: number, residual: number, choice: number, interleaved = 0) => {
      const numbers = [n, 3, 3, inC, 3, 3, 2, 1, 1, 1, 1, 0, 0, 0, choice, interleaved];
      const inputs = [ones(n * 9 * inC), ones(2 * inC), null, ones(residual)];
      return refusal(() => call('conv2d_forward', [ones(n * 18)], inputs, numbers));
    };
    expect(refused(1, 20, 17, DIRECT)).toMatchObject({ code: 'ERR_SHAPE' });
    expect(refused(16, 4, 16 * 18, 0)).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(refused(16, 4, 16 * 18, DIRECT, 1)).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(refused(1, 1, 18, DIRECT)).toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

describe('batch_norm_backward', () => {
  it.each([1, 0])('with the gradient of a ReLU behind; statistics of the batch: %i', (batchStatistics) => {
    forSeeds(15, (random) => {
      const { rows, channels, x, weight, residual, columns } = makeCase(random, random.next() < 0.2);
      const dy = residual;
      const [y] = call('relu_forward', [like(x)], [x]);
      const outputs = [like(x), like(columns), like(columns)];
      const rest = [x, columns, columns, weight];
      const numbers = [rows, channels, batchStatistics];
      within(`${rows} rows, ${channels} channels`, () =>
        forEachIsaAndThreads(() => {
          const [dz] = call('relu_backward', [like(x)], [dy, y]);
          const apart = call('batch_norm_backward', outputs, [dz, ...rest], numbers);
          const together = call('batch_norm_backward', outputs, [dy, ...rest, y], numbers);
          together.forEach((output, i) => {
            expectSameBits(output, apart[i], `output ${i}`);
          });
        }),
      );
    });
  });
});

describe('batch_norm_join_backward', () => {
  it.each([
    [1, true],
    [0, true],
    [1, false],
  ])('with statistics of the batch: %i, with a second gradient: %s', (batchStatistics, hasOther) => {
    forSeeds(15, (random) => {
      const wide = random.next() < 0.2;
      const { rows, channels, x, weight, residual: dy, columns } = makeCase(random, wide);
      const other = random.floats(rows * channels);
      const second = wide ? doubled(other) : other;
      const [y] = call('relu_forward', [like(x)], [x]);
      const rest = [x, columns, columns, weight];
      const numbers = [rows, channels, batchStatistics];
      within(`${rows} rows, ${channels} channels`, () =>
        forEachIsaAndThreads(() => {
          const [sum] = hasOther ? call('add', [like(x)], [dy, second]) : [dy];
          const [dz] = call('relu_backward', [like(x)], [sum, y]);
          const outputs = [like(x), like(columns), like(columns)];
          const apart = [...call('batch_norm_backward', outputs, [dz, ...rest], numbers), dz];
          const inputs = [dy, hasOther ? second : null, y, ...rest];
          const together = call('batch_norm_join_backward', [...outputs, like(x)], inputs, numbers);
          together.forEach((output, i) => {
            expectSameBits(output, apart[i], `output ${i}`);
          });
        }),
      );
    });
  });

  it('refuses operands of another size', () => {
    const ones = (size: number) => new Float32Array(size).fill(1);
    const outputs = [ones(12), ones(3), ones(3), ones(12)].map(like);
    const right = [ones(12), ones(12), ones(12), ones(12), ones(3), ones(3), ones(3)];
    for (let wrong = 0; wrong < right.length; wrong++) {
      const inputs = right.map((data, i) => (i === wrong ? ones(data.length - 1) : data));
      expect(refusal(() => call('batch_norm_join_backward', outputs, inputs, [4, 3, 1]))).toMatchObject({
        code: 'ERR_SHAPE',
      });
    }
  });
});

describe('relu_backward_sum', () => {
  it('has the bits of the gradient and its column sums', () => {
    forSeeds(25, (random) => {
      const [rows, columns] = [random.int(1, 3000), random.pick([1, 3, 16, 33, 64, 200])];
      const wide = random.next() < 0.2;
      const kind = (data: Float32Array) => (wide ? doubled(data) : data);
      const dy = kind(random.floats(rows * columns));
      const y = kind(random.floats(rows * columns));
      const sums = kind(new Float32Array(columns));
      within(`${rows} rows, ${columns} columns`, () =>
        forEachIsaAndThreads(() => {
          const [dz] = call('relu_backward', [like(dy)], [dy, y]);
          const [wanted] = call('column_sum', [like(sums)], [dz], [rows, columns]);
          const [dx, found] = call('relu_backward_sum', [like(dy), like(sums)], [dy, y], [rows, columns]);
          expectSameBits(dx, dz, 'gradient');
          expectSameBits(found, wanted, 'sums');
        }),
      );
    });
  });

  it('refuses operands of another size', () => {
    const ones = (size: number) => new Float32Array(size).fill(1);
    for (const [dx, sums, dy, y] of [
      [11, 3, 12, 12],
      [12, 4, 12, 12],
      [12, 3, 11, 12],
      [12, 3, 12, 13],
    ]) {
      const outputs = [ones(dx), ones(sums)].map(like);
      expect(refusal(() => call('relu_backward_sum', outputs, [ones(dy), ones(y)], [4, 3]))).toMatchObject({
        code: 'ERR_SHAPE',
      });
    }
  });
});

describe('fold_batch_norm', () => {
  it('makes the weight and bias that give the same results', () => {
    forSeeds(20, (random) => {
      const [outC, patch, pixels] = [random.int(1, 20), random.int(1, 30), 5];
      const weight = random.floats(outC * patch);
      const bias = random.next() < 0.5 ? random.floats(outC) : null;
      const mean = random.floats(outC);
      const variance = random.floats(outC, 0.1, 2);
      const affine = random.next() < 0.5;
      const [scale, shift] = affine ? [random.floats(outC), random.floats(outC)] : [null, null];
      const x = doubled(random.floats(pixels * patch));
      const [foldedWeight, foldedBias] = call(
        'fold_batch_norm',
        [like(weight), like(mean)],
        [weight, bias, mean, variance, scale, shift],
        [outC, patch, EPS],
      ) as Float32Array[];
      const linear = (w: Float32Array, b: Float32Array | null) =>
        call(
          'linear_forward',
          [{ kind: 'float64', size: pixels * outC }],
          [x, doubled(w), doubled(b)],
          [pixels, patch, outC],
        )[0];
      const y = linear(weight, bias);
      const wanted = call(
        'batch_norm_eval',
        [like(y), like(doubled(mean)), like(doubled(mean))],
        [y, ...[mean, variance, scale, shift].map((data) => doubled(data))],
        [pixels, outC, EPS],
      )[0];
      expectClose(linear(foldedWeight, foldedBias), wanted, (i) => 1e-5 * (1 + Math.abs(wanted[i])));
    });
  });
});
