// SPDX-License-Identifier: Apache-2.0
// Waiting that a signal ends.

/** Waits for a value, or until the signal is aborted. */
export async function untilAborted<T>(
  value: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined || !(value instanceof Promise)) return value;
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
