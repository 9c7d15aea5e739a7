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
  return inGradMode(false, () => {
    const result = body();
    refusePromise('noGrad', result);
    return result;
  });
}

/** @internal Runs `body` with its operations recorded, or not. */
export function inGradMode<T>(mode: boolean, body: () => T): T {
  const before = enabled;
  enabled = mode;
  try {
    return body();
  } finally {
    enabled = before;
  }
}

let recomputing = false;

/** @internal True while a part of a forward pass is computed again: what it moves on the side has moved already. */
export function isRecomputing(): boolean {
  return recomputing;
}

/** @internal Runs `body`, which computes again what was computed before, with its operations recorded. */
export function recomputed<T>(body: () => T): T {
  const before = recomputing;
  recomputing = true;
  try {
    return inGradMode(true, body);
  } finally {
    recomputing = before;
  }
}
