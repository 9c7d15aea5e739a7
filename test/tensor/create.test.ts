// SPDX-License-Identifier: Apache-2.0
// New tensors from numbers: every dtype, and everything that is no shape, no dtype or no data.
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { DTYPES, type DType } from '../../lib/native/bindings.js';
import { full, ones, tensor, zeros } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { expectFlatMemory, expectRefusal } from '../helpers/refusal.js';

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

describe.each(DTYPES)('%s', (dtype) => {
  test('numbers come back as the typed array of the dtype', () =>
    tensorScope(() => {
      const values = [0, 1, 2, 253, 254, 255];
      for (const data of [values, arrays[dtype].from(values)]) {
        const x = tensor(data, [2, 3], { dtype });
        expect(x).toMatchObject({ dtype, size: 6, requiresGrad: false, disposed: false, grad: null });
        expect(x.shape).toEqual([2, 3]);
        expect(x.data()).toEqual(arrays[dtype].from(values));
      }
    }));

  test('typed arrays keep their type', () =>
    tensorScope(() => {
      expect(tensor(arrays[dtype].of(1, 2)).dtype).toBe(dtype);
      expect(tensor(arrays[dtype].of(1, 2)).shape).toEqual([2]);
    }));

  test('zeros, ones and full', () =>
    tensorScope(() => {
      expect(Array.from(zeros([2, 2], { dtype }).data())).toEqual([0, 0, 0, 0]);
      expect(Array.from(ones([3], { dtype }).data())).toEqual([1, 1, 1]);
      expect(Array.from(full([2], 7, { dtype }).data())).toEqual([7, 7]);
    }));
});

describe('data', () => {
  test('is copied, in and out', () =>
    tensorScope(() => {
      const values = Float32Array.of(1, 2);
      const x = tensor(values);
      values[0] = 9;
      x.data()[1] = 9;
      expect(Array.from(x.data())).toEqual([1, 2]);
    }));

  test('may be a view at any offset, a Buffer, or of shared memory', () =>
    tensorScope(() => {
      const bytes = new Uint8Array([9, 1, 2, 3]);
      expect(Array.from(tensor(bytes.subarray(1)).data())).toEqual([1, 2, 3]);
      expect(tensor(Buffer.from([1, 2])).dtype).toBe('uint8');
      const shared = new Float32Array(new SharedArrayBuffer(8)).fill(3);
      expect(Array.from(tensor(shared).data())).toEqual([3, 3]);
      const odd = new Float64Array(new ArrayBuffer(24), 8, 2).fill(4);
      expect(Array.from(tensor(odd).data())).toEqual([4, 4]);
    }));

  test('of other kinds of typed arrays becomes float32 unless asked for', () =>
    tensorScope(() => {
      const kinds = [Int8Array.of(-1, 2), Uint16Array.of(1, 65535), Uint8ClampedArray.of(3, 255)];
      for (const data of kinds) {
        const x = tensor(data as unknown as Uint8Array);
        expect(x.dtype).toBe('float32');
        expect(Array.from(x.data())).toEqual(Array.from(data));
      }
    }));

  test('of another realm keeps its type too', () =>
    tensorScope(() => {
      const foreign = runInNewContext('Float64Array.of(1, 2)') as Float64Array;
      expect(foreign).not.toBeInstanceOf(Float64Array);
      expect(tensor(foreign).dtype).toBe('float64');
    }));

  test('and a scalar has one element and no dimensions', () =>
    tensorScope(() => {
      const x = tensor([5], []);
      expect(x.shape).toEqual([]);
      expect(x.item()).toBe(5);
    }));

  test('of a wrong length is refused', () => {
    expectRefusal(() => tensor([1, 2, 3], [2, 2]), 'ERR_SHAPE', {
      expected: '4 elements for shape [2, 2]',
      received: '3',
    });
    expectRefusal(() => tensor([], [1]), 'ERR_SHAPE');
    expectRefusal(() => tensor([]), 'ERR_SHAPE', { expected: /positive/ });
    expectRefusal(() => tensor([1], { dtype: 'int32' } as never), 'ERR_SHAPE', {
      hint: /options come third/,
    });
  });

  test('that was transferred away is refused with the reason', () => {
    for (const dtype of DTYPES) {
      const data = new arrays[dtype](4);
      structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
      expectRefusal(() => tensor(data, [4]), 'ERR_SHAPE', { hint: /detached/ });
    }
  });

  test('that is no list of numbers is refused', () => {
    const wrong: unknown[] = [
      'abc',
      5,
      null,
      undefined,
      {},
      new Map(),
      { length: 2, 0: 1, 1: 2 },
      new DataView(new ArrayBuffer(8)),
      BigInt64Array.of(1n, 2n),
      ['1', '2'],
      [1, undefined],
      [1n, 2n],
      [
        [1, 2],
        [3, 4],
      ],
      new Array(2),
    ];
    for (const data of wrong)
      expectRefusal(() => tensor(data as number[], [2]), 'ERR_ARGUMENT', { op: 'tensor' });
    expectRefusal(() => tensor([1, 'x'] as number[], [2]), 'ERR_ARGUMENT', { received: /"x" at element 1/ });
  });

  test('full refuses what is not a number, and what a whole-number dtype cannot hold', () => {
    for (const value of ['1', null, undefined, 1n, {}]) {
      expectRefusal(() => full([2], value as number), 'ERR_ARGUMENT', { op: 'full' });
    }
    for (const value of [-1, 256, 0.5, Number.NaN, Infinity]) {
      expectRefusal(() => full([2], value, { dtype: 'uint8' }), 'ERR_ARGUMENT', { expected: /0 to 255/ });
    }
    for (const value of [2 ** 31, -(2 ** 31) - 1, 1e300, Number.NaN]) {
      expectRefusal(() => full([2], value, { dtype: 'int32' }), 'ERR_ARGUMENT', { expected: /-2147483648/ });
    }
    using low = full([1], -(2 ** 31), { dtype: 'int32' });
    expect(low.item()).toBe(-(2 ** 31));
    using nan = full([1], Number.NaN);
    expect(nan.item()).toBeNaN();
  });
});

describe('shapes', () => {
  const wrong: unknown[] = [
    [0],
    [-1],
    [-0],
    [1.5],
    [Number.NaN],
    [Infinity],
    ['2'],
    [2n],
    [null],
    new Array(2),
    [[2]],
    2,
    '2',
    null,
    {},
    Int32Array.of(2),
    [2 ** 31],
    [2 ** 53],
    [2 ** 16, 2 ** 15],
    [2 ** 30, 2 ** 30, 2 ** 30],
    Array(9).fill(1),
    Array(1000).fill(1),
    Array(1000).fill(2),
  ];
  test.each(wrong.map((shape) => ({ shape })))('$shape is none', ({ shape }) => {
    for (const make of [zeros, ones, (s: number[]) => full(s, 1), (s: number[]) => tensor([1, 2], s)]) {
      const error = expectRefusal(() => make(shape as number[]), 'ERR_SHAPE');
      expect(error.message.length).toBeLessThan(300);
    }
  });

  test('are up to 8 dimensions, and cannot be changed afterwards', () =>
    tensorScope(() => {
      const shape = [1, 1, 2, 1, 1, 3, 1, 1];
      const x = zeros(shape);
      shape[0] = 5;
      expect(x.shape).toEqual([1, 1, 2, 1, 1, 3, 1, 1]);
      expect(() => {
        (x.shape as number[])[0] = 7;
      }).toThrow(TypeError);
    }));
});

describe('options', () => {
  test('an unknown dtype is refused with the known ones', () => {
    for (const dtype of ['float16', 'Float32', '', 0, null, {}]) {
      expectRefusal(() => zeros([1], { dtype: dtype as DType }), 'ERR_DTYPE', {
        expected: /float32, float64, int32, uint8/,
      });
    }
  });

  test('misspelt ones, and what is no object, are refused by the function that was called', () => {
    const makers = { zeros, ones, full: (s: number[], o?: object) => full(s, 1, o) };
    for (const [op, make] of Object.entries(makers)) {
      const misspelt = { dtpe: 'int32' } as object;
      expectRefusal(() => make([1], misspelt), 'ERR_ARGUMENT', { op, received: 'dtpe', hint: /dtype/ });
      expectRefusal(() => make([1], null as never), 'ERR_ARGUMENT', { op, received: 'null' });
      expectRefusal(() => make([0]), 'ERR_SHAPE', { op });
    }
    expectRefusal(() => tensor([1], [1], { type: 'int32' } as object), 'ERR_ARGUMENT', { op: 'tensor' });
  });

  test('gradients are for floating-point tensors', () => {
    for (const dtype of ['int32', 'uint8'] as const) {
      expectRefusal(() => zeros([1], { dtype, requiresGrad: true }), 'ERR_DTYPE', { received: dtype });
      expectRefusal(() => tensor(new arrays[dtype](1), [1], { requiresGrad: true }), 'ERR_DTYPE');
    }
    expectFlatMemory(() => {
      using x = zeros([1], { dtype: 'float64', requiresGrad: true });
      expect(x.requiresGrad).toBe(true);
    });
  });
});
