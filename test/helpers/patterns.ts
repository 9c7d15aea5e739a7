// SPDX-License-Identifier: Apache-2.0
// Lets a regular expression stand for every text that it matches, in toMatchObject and toEqual. Without this, toMatchObject takes it for
// an object without keys, which matches everything.
import { expect } from 'vitest';

expect.addEqualityTesters([
  (found: unknown, expected: unknown) =>
    typeof found === 'string' && expected instanceof RegExp ? expected.test(found) : undefined,
]);
