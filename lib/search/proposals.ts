// SPDX-License-Identifier: Apache-2.0
// Which points of a space are tried: drawn at random, or all those of a grid. Networks that cannot be are passed over and
// counted.
import { setImmediate } from 'node:timers/promises';
import { fail } from '../errors.js';
import { RandomStream } from '../tensor/philox.js';
import { type Candidate, keyOf, resolve } from './candidate.js';
import { drawValue, firstValue, gridValues, type Value } from './choice.js';
import { measure, type NetworkSize, type Task } from './network.js';
import type { Space } from './space.js';

/** A candidate that can be trained. Number 0 is the baseline, where the space has one. */
export interface Proposal extends Candidate, NetworkSize {
  readonly trial: number;
  readonly isBaseline: boolean;
}

/** What is to be tried. */
export interface Proposals {
  readonly list: readonly Proposal[];
  /** Points that were passed over, because their network is impossible or above the limits, and why the first was. */
  readonly skipped: { readonly count: number; readonly reason: string | undefined };
}

/** The numbers of a seed that trials are drawn from; data sets, orders and weights have others. */
const SEARCH_STREAM = 11;
/** So many draws in a row without a new possible network end the drawing: the space has no more, or hardly. */
const PATIENCE = 1000;
/** Points of a grid that are looked at: some 20 seconds. */
const LARGEST_GRID = 20_000;

/** Candidates between two turns of the event loop: some 10 ms. */
const SLICE = 8;

/** Takes candidates one by one, and keeps those that are new and can be built. */
class Collector {
  readonly list: Proposal[] = [];
  #skipped = 0;
  #reason: string | undefined;
  readonly #seen = new Set<string>();
  readonly #space: Space;
  readonly #task: Task;

  constructor(space: Space, task: Task) {
    this.#space = space;
    this.#task = task;
  }

  /** Whether it was kept; why not, where it is impossible. */
  take(candidate: Candidate, isBaseline = false): boolean {
    const key = keyOf(candidate);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    const size = measure(candidate, this.#task, this.#space.limits);
    if (typeof size === 'string') {
      this.#skipped += 1;
      this.#reason ??= size;
      return false;
    }
    this.list.push({ trial: this.list.length, isBaseline, ...candidate, ...size });
    return true;
  }

  get skipped() {
    return { count: this.#skipped, reason: this.#reason };
  }

  done(op: string): Proposals {
    if (this.list.length > 0) return { list: this.list, skipped: this.skipped };
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'a space with a network that can be built',
      received: `${this.#skipped} that cannot; the first: ${this.#reason}`,
      hint: 'fewer or smaller windows and pools, padding "same", or wider limits',
    });
  }
}

/**
 * Up to `trials` different candidates; fewer where the space has no more. Draws are named by (seed, number of the draw), so that
 * the first trials of a longer search are those of a shorter one.
 */
export async function drawProposals(
  op: string,
  space: Space,
  task: Task,
  trials: number,
  seed: number,
): Promise<Proposals> {
  const collector = begin(op, space, task);
  let vain = 0;
  for (let draw = 0; collector.list.length < trials && vain < PATIENCE; draw++) {
    if (draw % SLICE === 0) await setImmediate();
    const random = new RandomStream(seed, SEARCH_STREAM, draw);
    vain = collector.take(resolve(space, (dimension) => drawValue(dimension, random))) ? 0 : vain + 1;
  }
  return collector.done(op);
}

/** All points of the grid. Throws ERR_ARGUMENT for one with more than `most`. */
export async function gridProposals(
  op: string,
  space: Space,
  task: Task,
  most = LARGEST_GRID,
): Promise<Proposals> {
  const collector = begin(op, space, task);
  let points = 0;
  for (const candidate of gridOf(space)) {
    if (points % SLICE === 0) await setImmediate();
    points += 1;
    if (points <= LARGEST_GRID) collector.take(candidate);
    if (points > LARGEST_GRID || collector.list.length > most) {
      throw fail('ERR_ARGUMENT', {
        op,
        expected: `a grid of at most ${Math.min(most, LARGEST_GRID)} points`,
        received: 'one with more',
        hint: 'draw at random, or give ranges fewer "points"',
      });
    }
  }
  return collector.done(op);
}

/** The baseline comes first. Throws ERR_ARGUMENT where it is impossible: the user named it. */
function begin(op: string, space: Space, task: Task): Collector {
  const collector = new Collector(space, task);
  const { baseline } = space;
  if (baseline === undefined) return collector;
  const unused = new Set(Object.keys(baseline));
  const candidate = resolve(space, (dimension) => {
    unused.delete(dimension.name);
    return baseline[dimension.name] ?? firstValue(dimension);
  });
  const [idle] = unused;
  const refuse = (received: string) =>
    fail('ERR_ARGUMENT', { op, expected: 'a baseline that can be trained', received });
  if (idle !== undefined) throw refuse(`one with ${idle}, in a layer that it leaves out`);
  if (!collector.take(candidate, true)) throw refuse(collector.skipped.reason ?? '');
  return collector;
}

/** Every point once: an odometer whose wheels are the choices that are met, whatever the earlier ones show. */
function* gridOf(space: Space): Generator<Candidate> {
  const wheels: number[] = [];
  do {
    const sizes: number[] = [];
    const candidate = resolve(space, (dimension): Value => {
      const values = gridValues(dimension);
      const wheel = sizes.push(values.length) - 1;
      wheels[wheel] ??= 0;
      return values[wheels[wheel]];
    });
    yield candidate;
    while (wheels.length > 0 && wheels[wheels.length - 1] + 1 === sizes[wheels.length - 1]) wheels.pop();
    if (wheels.length > 0) wheels[wheels.length - 1] += 1;
  } while (wheels.length > 0);
}
