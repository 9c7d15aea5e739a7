// SPDX-License-Identifier: Apache-2.0
// What every refusal of the library is held to: the error form, words that help, and nothing left behind.
import { expect } from 'vitest';
import { type ErrorCode, ReceptiveError } from '../../lib/errors.js';
import { memory } from '../../lib/tensor/scope.js';

/** What an error should say; parts left out are not compared. */
export interface Refusal {
  readonly op?: string;
  readonly expected?: string | RegExp;
  readonly received?: string | RegExp;
  readonly hint?: string | RegExp;
}

function expectWords(actual: string | undefined, wanted: string | RegExp | undefined): void {
  if (wanted === undefined) return;
  if (typeof wanted === 'string') expect(actual).toBe(wanted);
  else expect(actual ?? '').toMatch(wanted);
}

/** Calls `body`, which must throw a ReceptiveError with this code and these words, and must not leave a tensor behind. */
export function expectRefusal(body: () => unknown, code: ErrorCode, wanted: Refusal = {}): ReceptiveError {
  const before = memory();
  let error: unknown;
  try {
    body();
  } catch (caught) {
    error = caught;
  }
  expect(error, 'nothing was refused').toBeDefined();
  if (!(error instanceof ReceptiveError)) throw error;
  expect(error.code).toBe(code);
  for (const part of [error.op, error.expected, error.received]) expect(part).toMatch(/\S/);
  expect(`${error.op} ${error.expected} ${error.hint ?? ''}`).not.toMatch(/undefined|\[object|NaN/);
  expectWords(error.op, wanted.op);
  expectWords(error.expected, wanted.expected);
  expectWords(error.received, wanted.received);
  expectWords(error.hint, wanted.hint);
  const after = memory();
  expect({ tensors: after.tensors, bytes: after.bytes }).toEqual({
    tensors: before.tensors,
    bytes: before.bytes,
  });
  return error;
}

/** Runs `body` and expects the native memory to be what it was before, to the byte. */
export function expectFlatMemory(body: () => void): void {
  const before = memory();
  body();
  const after = memory();
  expect({ tensors: after.tensors, bytes: after.bytes }).toEqual({
    tensors: before.tensors,
    bytes: before.bytes,
  });
}
