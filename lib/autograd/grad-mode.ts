// SPDX-License-Identifier: Apache-2.0
// Whether operations are recorded for backward.
import { describe, fail } from '../errors.js';

let enabled = true;

/** True where operations are recorded. */
export function isGradEnabled(): boolean {
  return enabled;
}

/**
 * Refuses a promise as the result of a body that must be synchronous: what such a body sets up ends when it returns,
 * before the promised work has begun.
 */
export function refusePromise(op: string, result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // the caller gets the refusal; its rejection must not end the process
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'a synchronous function',
    received: 'one that returns a promise',
    hint: `await first, and call ${op} around the computation alone`,
  });
}

/** Refuses what cannot be called. */
export function checkFunction(op: string, body: unknown): void {
  if (typeof body === 'function') return;
  throw fail('ERR_ARGUMENT', { op, expected: 'a function', received: describe(body) });
}

/**
 * Runs a synchronous function without recording its operations: no gradients, and no memory kept for them.
 *
 * @returns what `body` returns
 */
export function noGrad<T>(body: () => T): T {
  checkFunction('noGrad', body);
  const before = enabled;
  enabled = false;
  try {
    const result = body();
    refusePromise('noGrad', result);
    return result;
  } finally {
    enabled = before;
  }
}
