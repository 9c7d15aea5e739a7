// SPDX-License-Identifier: Apache-2.0
// Checks of what layers are made with. A wrong option is refused when the layer is made, not when it first runs.
import { describe, didYouMean, fail } from '../errors.js';

/** Refuses anything but a whole number above 0. */
export function checkCount(op: string, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `${name} to be a whole number above 0`,
    received: describe(value),
  });
}

/** Refuses anything but an object, and options that this version does not know: a misspelt one would do nothing. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `an object with options ${known.join(', ')}`,
      received: describe(options),
    });
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: known.length === 0 ? 'no options' : `only the options ${known.join(', ')}`,
    received: unknown,
    hint: didYouMean(unknown, known) ?? 'this version does not support it',
  });
}
