// SPDX-License-Identifier: Apache-2.0
// Failures that say in which case they happened.

/** Adds what a case was to the message of the error it failed with. */
export function within<Result>(what: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}: ${error.message}`;
    throw error;
  }
}
