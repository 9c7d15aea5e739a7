// SPDX-License-Identifier: Apache-2.0
// The refusal that a test expects.
import { ReceptiveError } from '../../lib/errors.js';

/** The library's error that `body` throws. Throws any other, and complains where there is none. */
export function refused(body: () => unknown): ReceptiveError {
  try {
    body();
  } catch (error) {
    if (error instanceof ReceptiveError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The same for a promise. */
export async function refusedLater(promise: Promise<unknown>): Promise<ReceptiveError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ReceptiveError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
