// SPDX-License-Identifier: Apache-2.0
// Times a function for a block of time. The clock is read once per batch, so that it does not count in what takes less
// than a microsecond. peers/protocol.py does the same.

const BATCH_MS = 1;
const WARM_UP_MS = 100;
const MIN_ITERATIONS = 3;
/** What takes so long is warm after its second call (the first may compile): some peers need seconds for a step. */
const SLOW_MS = 2500;
const SLOW_ITERATIONS = 2;

/** Calls the body so many times; a body that returns promises is awaited call by call. */
async function repeat(body, count) {
  for (let i = 0; i < count; i++) {
    const result = body();
    if (result instanceof Promise) await result;
  }
}

/** Runs until warm. Resolves with how many calls fill a `batch`, and the `ms` of a call. */
export async function warmUp(body) {
  const start = performance.now();
  let calls = 0;
  let last = start;
  let ms = 0;
  const isCold = () => {
    const elapsed = last - start;
    return elapsed < WARM_UP_MS || calls < (elapsed < SLOW_MS ? MIN_ITERATIONS : SLOW_ITERATIONS);
  };
  for (let batch = 1; isCold(); ) {
    await repeat(body, batch);
    calls += batch;
    const now = performance.now();
    ms = (now - last) / batch;
    last = now;
    if (ms * batch < BATCH_MS) batch *= 2;
  }
  return { batch: Math.max(1, Math.floor(BATCH_MS / ms)), ms };
}

/** Mean time of a call over at least `ms` and `least` calls, in ms: everything counts, garbage collection too. */
export async function timeBlock(body, ms, batch, least = 2) {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    await repeat(body, batch);
    calls += batch;
    elapsed = performance.now() - start;
  } while (elapsed < ms || calls < least);
  return elapsed / calls;
}
