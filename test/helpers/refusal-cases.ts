// SPDX-License-Identifier: Apache-2.0
// Tables of refusals: each case is called on shared operands, must refuse in the right words, and must change nothing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/errors.js';
import { tensor } from '../../lib/tensor/create.js';
import { type TensorScope, tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { irregular } from './operands.js';
import { expectRefusal, type Refusal } from './refusal.js';

export type RefusalCase = [what: string, call: () => unknown, code: ErrorCode, words: Refusal];

const made = new Map<string, Tensor>();

function once(key: string, make: () => Tensor): Tensor {
  const found = made.get(key) ?? make();
  made.set(key, found);
  return found;
}

/** One tensor for each shape and type, made once, so that every case works on tensors that others refused. */
export function of(
  shape: readonly number[],
  dtype: 'float32' | 'float64' | 'int32' | 'uint8' = 'float32',
): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const numbers = () => (dtype.startsWith('float') ? irregular(size) : new Int32Array(size));
  return once(`${dtype} ${shape}`, () => tensor(numbers(), shape, { dtype }));
}

/** Labels or indices, made once. */
export function whole(values: number[]): Tensor {
  return once(`whole ${values}`, () => tensor(Int32Array.from(values)));
}

/** The bytes of all operands, in one text. */
function contents(): string {
  const parts = [...made.values()].map((operand) => operand.data());
  return parts.map(({ buffer }) => Buffer.from(buffer).toString('base64')).join(' ');
}

/** Registers a test for each case. */
export function describeRefusals(groups: Record<string, RefusalCase[]>): void {
  let scope: TensorScope;
  beforeAll(() => {
    scope = tensorScope();
  });
  afterAll(() => {
    scope.close();
    made.clear();
  });
  describe.each(Object.entries(groups))('%s', (_group, cases) => {
    test.each(cases)('%s', (_what, call, code, words) => {
      expect(call).toThrow(); // the first call makes the operands
      const before = contents();
      expectRefusal(call, code, words);
      expect(contents() === before, 'operands are as before').toBe(true);
    });
  });
}
