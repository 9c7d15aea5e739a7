// SPDX-License-Identifier: Apache-2.0
// Times a function for a block of time. The clock is read once per batch, so that it does not count in what takes less
// than a microsecond. peers/protocol.py does the same.

const BATCH_MS = 1;
const WARM_UP_MS = 100;
const MIN_ITERATIONS = 3;

/** Runs until warm. Returns how many calls fill a batch. */
export function warmUp(body) {
  const start = performance.now();
  let calls = 0;
  let last = start;
  let ms = 0;
  for (let batch = 1; last - start < WARM_UP_MS || calls < MIN_ITERATIONS; ) {
    for (let i = 0; i < batch; i++) body();
    calls += batch;
    const now = performance.now();
    ms = (now - last) / batch;
    last = now;
    if (ms * batch < BATCH_MS) batch *= 2;
  }
  return Math.max(1, Math.floor(BATCH_MS / ms));
}

/** Mean time of a call over at least `ms` and two calls, in ms: everything counts, garbage collection too. */
export function timeBlock(body, ms, batch) {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < batch; i++) body();
    calls += batch;
    elapsed = performance.now() - start;
  } while (elapsed < ms || calls < 2);
  return elapsed / calls;
}
