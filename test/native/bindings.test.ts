// SPDX-License-Identifier: Apache-2.0
// The one place where TypeScript reaches C++: instructions, transfers, settings, and the form of refusals.
import { afterAll, describe, expect, test } from 'vitest';
import {
  allocate,
  emit,
  free,
  measurePeak,
  memoryInfo,
  NO_TENSOR,
  nativeInfo,
  read,
  resetMemory,
  setIsa,
  setNumThreads,
  write,
} from '../../lib/native/bindings.js';
import { expectRefusal } from '../helpers/refusal.js';

const before = nativeInfo();
afterAll(() => {
  setIsa(before.isa);
  setNumThreads(before.threads);
});

function withTensor(size: number, body: (handle: number) => void): void {
  const handle = allocate(size, 'float32');
  try {
    body(handle);
  } finally {
    free(handle);
  }
}

describe('emit', () => {
  test('runs an instruction on operands and numbers', () =>
    withTensor(3, (x) => {
      emit('fill', [x], [2.5]);
      emit('scale', [x, x], [2]);
      const values = new Float32Array(3);
      read(x, values);
      expect(Array.from(values)).toEqual([5, 5, 5]);
    }));

  test('refuses an unknown instruction, too many operands and too many numbers', () =>
    withTensor(3, (x) => {
      expectRefusal(() => emit('explode', [x]), 'ERR_ARGUMENT', { op: 'explode', hint: /build again/ });
      expectRefusal(() => emit('fill', Array(9).fill(x)), 'ERR_ARGUMENT', { received: /9 operands/ });
      expectRefusal(() => emit('fill', [x], Array(65).fill(1)), 'ERR_ARGUMENT', { received: /65 numbers/ });
    }));

  test('refuses operands that are freed, absent, of another type or size', () =>
    withTensor(3, (x) => {
      const [gone, ints] = [allocate(3, 'float32'), allocate(3, 'int32')];
      free(gone);
      expectRefusal(() => emit('scale', [gone, x]), 'ERR_DISPOSED', { received: `handle ${gone}` });
      expectRefusal(() => emit('scale', [2 ** 31 - 1, x]), 'ERR_DISPOSED');
      expectRefusal(() => emit('scale', [NO_TENSOR, x]), 'ERR_ARGUMENT', { received: 'no operand' });
      expectRefusal(() => emit('scale', []), 'ERR_ARGUMENT');
      expectRefusal(() => emit('scale', [x, ints]), 'ERR_DTYPE', { received: 'int32 with 3 elements' });
      withTensor(4, (y) =>
        expectRefusal(() => emit('scale', [x, y]), 'ERR_SHAPE', { received: /with 4 elements/ }),
      );
      free(ints);
    }));

  test('does not read numbers of the instruction before', () =>
    withTensor(2, (x) => {
      emit('fill', [x], [7]);
      emit('fill', [x]);
      const values = new Float32Array(2);
      read(x, values);
      expect(Array.from(values)).toEqual([0, 0]);
    }));
});

describe('transfers', () => {
  test('copy a part of a tensor', () =>
    withTensor(5, (x) => {
      write(x, new Float32Array(5));
      write(x, Float32Array.of(1, 2), 3);
      const part = new Float32Array(3);
      read(x, part, 2);
      expect(Array.from(part)).toEqual([0, 1, 2]);
    }));

  test('refuse what does not fit', () =>
    withTensor(5, (x) => {
      const attempts: [Float32Array, number][] = [
        [new Float32Array(6), 0],
        [new Float32Array(1), 5],
        [new Float32Array(2), 4],
        [new Float32Array(1), -1],
        [new Float32Array(1), 2 ** 53],
        [new Float32Array(1), Number.NaN],
        [new Float32Array(1), 0.5],
      ];
      for (const [array, first] of attempts) {
        expectRefusal(() => write(x, array, first), 'ERR_SHAPE');
        expectRefusal(() => read(x, array, first), 'ERR_SHAPE');
      }
      expectRefusal(() => write(x, new Float64Array(5)), 'ERR_DTYPE');
      for (const array of [[1, 2], null, undefined, 'ab', {}, new DataView(new ArrayBuffer(8))]) {
        expectRefusal(() => write(x, array as unknown as Float32Array), 'ERR_DTYPE');
        expectRefusal(() => read(x, array as unknown as Float32Array), 'ERR_DTYPE');
      }
      expectRefusal(() => write('x' as unknown as number, new Float32Array(5)), 'ERR_ARGUMENT');
    }));

  test('refuse freed tensors', () => {
    const x = allocate(2, 'float32');
    free(x);
    free(x);
    expectRefusal(() => write(x, new Float32Array(2)), 'ERR_DISPOSED');
    expectRefusal(() => read(x, new Float32Array(2)), 'ERR_DISPOSED');
  });
});

describe('allocate', () => {
  test('says when there is no memory, and counts nothing then', () => {
    for (const size of [2 ** 50, 2 ** 53, 2 ** 60, 2 ** 61 + 4096, 2 ** 63, 1e300, -1]) {
      expectRefusal(() => allocate(size, 'float32'), 'ERR_OUT_OF_MEMORY', { hint: /smaller batch/ });
      expectRefusal(() => allocate(size, 'float64'), 'ERR_OUT_OF_MEMORY');
    }
  });

  test('rounds up to whole cache lines and counts them', () => {
    const bytes = memoryInfo().bytes;
    const x = allocate(17, 'float32');
    expect(memoryInfo().bytes - bytes).toBe(128);
    free(x);
    expect(memoryInfo().bytes).toBe(bytes);
  });

  test('keeps freed blocks for reuse until trimmed', () => {
    resetMemory({ trim: true });
    expect(memoryInfo().cachedBytes).toBe(0);
    free(allocate(1000, 'float32'));
    expect(memoryInfo().cachedBytes).toBeGreaterThanOrEqual(4000);
    const peak = memoryInfo().peakBytes;
    resetMemory();
    expect(memoryInfo().peakBytes).toBeLessThanOrEqual(peak);
    expect(memoryInfo().peakBytes).toBe(memoryInfo().bytes);
  });
});

describe('settings', () => {
  test('setNumThreads takes whole numbers from 1 to 256', () => {
    for (const count of [1, 2, 256, before.threads]) {
      setNumThreads(count);
      expect(nativeInfo().threads).toBe(count);
    }
    const wrong: unknown[] = [
      0,
      -1,
      257,
      1.5,
      Number.NaN,
      Infinity,
      2 ** 32 + 1,
      '2',
      null,
      undefined,
      {},
      2n,
      true,
    ];
    for (const count of wrong) {
      expectRefusal(() => setNumThreads(count as number), 'ERR_ARGUMENT', {
        op: 'setNumThreads',
        expected: 'a whole number from 1 to 256',
      });
      expect(nativeInfo().threads).toBe(before.threads);
    }
  });

  test('setIsa takes what the machine has', () => {
    for (const isa of before.supportedIsas) {
      setIsa(isa);
      expect(nativeInfo().isa).toBe(isa);
    }
    setIsa(before.isa);
    for (const isa of ['', 'sse', 'AVX2', 5, null, undefined, {}]) {
      expectRefusal(() => setIsa(isa as string), 'ERR_ARGUMENT', { op: 'setIsa', expected: /scalar/ });
      expect(nativeInfo().isa).toBe(before.isa);
    }
  });

  test('measurePeak measures, and refuses times and threads that make no sense', () => {
    expect(measurePeak(5, 1)).toBeGreaterThan(0.1);
    for (const [milliseconds, threads] of [
      [Number.NaN, 1],
      [1e9, 1],
      [-1, 1],
      [5, 0],
      [5, 1e9],
      [5, Number.NaN],
    ]) {
      expectRefusal(() => measurePeak(milliseconds, threads), 'ERR_ARGUMENT', { op: 'measurePeak' });
    }
  });
});
