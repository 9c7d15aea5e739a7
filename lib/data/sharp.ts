// SPDX-License-Identifier: Apache-2.0
// sharp, which decodes and scales pictures: an optional package, loaded when the first picture is read.
import { fail } from '../errors.js';

export type Sharp = typeof import('sharp').default;

/** sharp, or an error that says how to get it. */
export async function loadSharp(op: string): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw fail('ERR_NATIVE_MISSING', {
      op,
      expected: 'the package sharp, which reads JPEG, PNG and WebP files',
      received: 'none that loads',
      hint: 'run `npm install sharp`',
      cause,
    });
  }
}
