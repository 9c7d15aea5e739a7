// SPDX-License-Identifier: Apache-2.0
// Work that takes less time than handing it to another thread would is done where it is asked for, as long as the event loop
// turns often enough.

/**
 * In ms. From a call to its promise, LeNet-5 on one image takes 21 µs on the caller's thread and 50 by the plan's driver, of
 * which JavaScript's thread spends more than half.
 */
const BRIEF = 0.1;

/** In ms: so long may brief work follow brief work, where nobody waits for anything but promises. */
const SLICE = 5;

let sliceBegan: number | undefined;

/**
 * Whether work may hold JavaScript's thread now.
 *
 * @param ms what it will take, as far as that is known
 */
export function mayHoldThread(ms: number): boolean {
  if (!(ms < BRIEF)) return false;
  const now = performance.now();
  if (sliceBegan === undefined) {
    sliceBegan = now;
    setImmediate(() => {
      sliceBegan = undefined; // the event loop has turned
    });
  }
  return now - sliceBegan < SLICE;
}
