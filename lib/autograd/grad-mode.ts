// SPDX-License-Identifier: Apache-2.0
// Whether operations are recorded for backward.

let enabled = true;

/** True where operations are recorded. */
export function isGradEnabled(): boolean {
  return enabled;
}

/**
 * Runs a synchronous function without recording its operations: no gradients, and no memory kept for them.
 *
 * @returns what `body` returns
 */
export function noGrad<T>(body: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    return body();
  } finally {
    enabled = before;
  }
}
