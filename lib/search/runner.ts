// SPDX-License-Identifier: Apache-2.0
// Runs the rounds of a search: what the log does not have is trained, side by side, and added to it.
import { fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { withGeneratorAt } from '../tensor/random.js';
import { fitMany } from '../train/fit-many.js';
import { buildNetwork } from './network.js';
import type { Proposal } from './proposals.js';
import type { Round } from './rounds.js';
import type { SearchOptions } from './search.js';
import type { TrialLog, TrialRecord } from './trial-log.js';
import { drawsOf, failureOf, fitOptionsOf, recordOf } from './trial-training.js';

/** Trials whose models exist at the same time: enough for any machine's threads, few enough for its memory. */
const WAVE = 32;

/** The trainings of one search. */
export class Runner {
  readonly #op: string;
  readonly #options: SearchOptions;
  readonly #seed: number;
  readonly #log: TrialLog | undefined;
  readonly #known: ReadonlyMap<string, TrialRecord>;
  readonly #records = new Map<number, TrialRecord[]>();
  readonly #failure = new AbortController();
  #done = 0;
  #total = 0;

  constructor(
    op: string,
    options: SearchOptions,
    seed: number,
    log: TrialLog | undefined,
    known: readonly TrialRecord[],
  ) {
    this.#op = op;
    this.#options = options;
    this.#seed = seed;
    this.#log = log;
    this.#known = new Map(known.map((record) => [keyOf(record), record]));
  }

  /** Whether the signal of the options ended it. */
  get isAborted(): boolean {
    return this.#options.signal?.aborted === true && this.#done < this.#total;
  }

  /** All rounds, or up to the step in which the signal comes. The records of each trial, a record for each of its rounds. */
  async rounds(
    proposals: readonly Proposal[],
    rounds: readonly Round[],
  ): Promise<ReadonlyMap<number, readonly TrialRecord[]>> {
    this.#total = rounds.reduce((sum, { trials }) => sum + trials, 0);
    let left = proposals;
    for (const { trials, epochs } of rounds) {
      left = this.#bestOf(left, trials);
      await this.#round(left, epochs);
      if (this.isAborted) break;
    }
    return this.#records;
  }

  /** Those that go on: the best of the last round; all, before the first. */
  #bestOf(proposals: readonly Proposal[], count: number): readonly Proposal[] {
    if (this.#records.size === 0) return proposals.slice(0, count);
    const last = (trial: number) => this.#records.get(trial)?.at(-1);
    const scored = proposals.filter(({ trial }) => last(trial)?.score !== undefined);
    const worse = (a: Proposal, b: Proposal) => {
      const [one, other] = [last(a.trial), last(b.trial)];
      return (
        (other?.score ?? 0) - (one?.score ?? 0) || (one?.loss ?? 0) - (other?.loss ?? 0) || a.trial - b.trial
      );
    };
    const best = scored.sort(worse).slice(0, count);
    this.#total -= count - best.length; // failed ones do not go on
    return best;
  }

  async #round(proposals: readonly Proposal[], epochs: number): Promise<void> {
    const missing: Proposal[] = [];
    for (const proposal of proposals) {
      const record = this.#known.get(keyOf({ trial: proposal.trial, epochs }));
      if (record === undefined) missing.push(proposal);
      else this.#take(checkSame(this.#op, proposal, record), true);
    }
    for (let first = 0; first < missing.length && !this.isAborted; first += WAVE) {
      await this.#wave(missing.slice(first, first + WAVE), epochs);
    }
  }

  /** Trains some trials side by side. */
  async #wave(proposals: readonly Proposal[], epochs: number): Promise<void> {
    const { train, validation, signal } = this.#options;
    const task = { imageShape: train.imageShape, classes: train.classNames.length };
    const written: Promise<void>[] = [];
    const add = (record: TrialRecord | undefined) => {
      if (record === undefined) return;
      const done = this.#add(record);
      done.catch(() => undefined); // awaited below, when all trainings have stopped
      written.push(done);
    };
    const jobs: { model: Module; proposal: Proposal }[] = [];
    try {
      for (const proposal of proposals) {
        try {
          jobs.push({ model: buildNetwork(proposal.layers, task, this.#seed), proposal });
        } catch (error) {
          add(failureOf({ ...titleOf(proposal), epochs }, error)); // no memory for it
        }
      }
      const signals = [this.#failure.signal, ...(signal === undefined ? [] : [signal])];
      const fits = jobs.map(({ model, proposal }) => ({
        model,
        dataset: train,
        options: { ...fitOptionsOf(proposal, epochs, this.#seed), validation },
      }));
      await withGeneratorAt(drawsOf(this.#seed), () =>
        fitMany(fits, {
          signal: AbortSignal.any(signals),
          onFinish: (i, settled) =>
            add(recordOf({ ...titleOf(jobs[i].proposal), epochs }, jobs[i].model, settled)),
        }),
      );
    } finally {
      await Promise.allSettled(written);
      for (const { model } of jobs) model.dispose();
    }
    await Promise.all(written); // a log that cannot be written is the reason why all else stopped
  }

  /** On the disk first, then told. */
  async #add(record: TrialRecord): Promise<void> {
    try {
      await this.#log?.append(record);
      this.#take(record, false);
    } catch (error) {
      this.#failure.abort(error);
      throw error;
    }
  }

  #take(record: TrialRecord, isFromLog: boolean): void {
    const records = this.#records.get(record.trial);
    if (records === undefined) this.#records.set(record.trial, [record]);
    else records.push(record);
    this.#done += 1;
    this.#options.onTrial?.({ record, done: this.#done, total: this.#total, isFromLog });
  }
}

const keyOf = ({ trial, epochs }: { trial: number; epochs: number }) => `${trial}/${epochs}`;
const titleOf = ({ trial, values }: Proposal) => ({ trial, values });

/** A log that has been edited, or comes from a version that drew otherwise, would lead astray. */
function checkSame(op: string, { trial, values }: Proposal, record: TrialRecord): TrialRecord {
  if (JSON.stringify(values) === JSON.stringify(record.values)) return record;
  throw fail('ERR_DATA', {
    op,
    expected: `trial ${trial} of the log to be ${JSON.stringify(values)}`,
    received: JSON.stringify(record.values),
    hint: 'begin anew in another place',
  });
}
