// SPDX-License-Identifier: Apache-2.0
// Notes the random draws of a computation, so that it can be computed again with the same numbers.
import { fail } from '../errors.js';
import type { Draw, Generator } from './random.js';

/** What takes note of draws, or gives out those that were noted. */
interface Active {
  readonly log: DrawLog;
  readonly replays: boolean;
  readonly outer: Active | undefined;
}

let active: Active | undefined;

/** @internal The draws of one computation. */
export class DrawLog {
  readonly #entries: { readonly generator: Generator; readonly draw: Draw }[] = [];
  #next = 0;

  /** Runs `body` and notes its draws. */
  note<T>(body: () => T): T {
    return this.#during(false, body);
  }

  /** Runs `body` with the draws that were noted, in their order; generators do not move. */
  replay<T>(body: () => T): T {
    this.#next = 0;
    return this.#during(true, body);
  }

  #during<T>(replays: boolean, body: () => T): T {
    const outer = active;
    active = { log: this, replays, outer };
    try {
      return body();
    } finally {
      active = outer;
    }
  }

  add(generator: Generator, draw: Draw): void {
    this.#entries.push({ generator, draw });
  }

  /** The next draw that was noted, which must have been this generator's. */
  take(generator: Generator): Draw {
    const entry = this.#entries[this.#next++];
    if (entry?.generator === generator) return entry.draw;
    throw fail('ERR_ARGUMENT', {
      op: 'checkpoint',
      expected: 'a function that does the same on every call',
      received: 'one that drew other random numbers when it was computed again',
    });
  }
}

/** @internal What `draw` gives, noted where draws are noted; in its place the one that was noted, where they are replayed. */
export function logged(generator: Generator, draw: () => Draw): Draw {
  const current = active;
  if (current === undefined) return draw();
  if (current.replays) return current.log.take(generator);
  active = current.outer; // a log around this one takes note first, or gives the draw
  try {
    const made = logged(generator, draw);
    current.log.add(generator, made);
    return made;
  } finally {
    active = current;
  }
}
