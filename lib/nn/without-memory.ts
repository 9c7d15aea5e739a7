// SPDX-License-Identifier: Apache-2.0
// Models as plans of themselves: built, and run, without any of their memory.
import { free, record } from '../native/bindings.js';
import { recordDraws } from '../tensor/random.js';

/**
 * Runs `body` with instructions recorded instead of run, and forgets them: tensors have shapes but no memory, and no random
 * number is drawn that others would miss. What is made in it is of no use afterwards.
 *
 * Throws ERR_CAPTURE where a value is read.
 */
export function withoutMemory<T>(body: () => T): T {
  const { recording, result } = recordDraws(() => record(body)).result;
  for (const constant of recording.constants) free(constant);
  return result;
}
