// SPDX-License-Identifier: Apache-2.0
// `search`: tries networks and trainings of a space, side by side in this process, and says which was best and what mattered.
import { createHash } from 'node:crypto';
import { checkInMemory, type Dataset } from '../data/dataset.js';
import {
  checkBooleans,
  checkListeners,
  checkOptions,
  checkWhole,
  describe,
  didYouMean,
  fail,
} from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import type { Value } from './choice.js';
import { type ChoiceEffect, effectsOf } from './effects.js';
import type { TrialLayer } from './layer-kinds.js';
import type { NetworkSize } from './network.js';
import { drawProposals, gridProposals, type Proposal, type Proposals } from './proposals.js';
import { halvingRounds, type Round } from './rounds.js';
import { Runner } from './runner.js';
import { readSpace, type SearchSpace, type Space } from './space.js';
import { type SearchIdentity, TrialLog, type TrialRecord } from './trial-log.js';

/** Names of the ways to go through a space. */
export const STRATEGY_NAMES = ['random', 'grid', 'halving'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** How to search. */
export interface SearchOptions {
  /** What each trial trains with. */
  readonly train: Dataset;
  /** What each is judged on: images that are not trained on, and not those of a test that is to be reported. */
  readonly validation: Dataset;
  /**
   * 'random' (default): points drawn at random. 'grid': all points, ranges at their `points`. 'halving': successive halving, which
   * draws at random, trains all briefly, and a third of them three times as long, until the last have `epochs`.
   */
  readonly strategy?: StrategyName | undefined;
  /** How many, the baseline included. Default 20, for halving 27; of a grid the most that it may have. */
  readonly trials?: number | undefined;
  /** Of each training, with halving of the longest. Default 3, with halving 9. */
  readonly epochs?: number | undefined;
  /** Names the trials, their first weights and the order of their images. Default 1. */
  readonly seed?: number | undefined;
  /** A file that every finished training is added to, as a line of JSON, so that a search can go on after a kill. */
  readonly log?: string | undefined;
  /** Goes on with the log; begins where there is none yet. Default false, which refuses one that is there. */
  readonly resume?: boolean | undefined;
  /** Stops after the steps that are under way; what is finished is in the log and in the result. */
  readonly signal?: AbortSignal | undefined;
  /** After each training, and for each that the log had already. */
  readonly onTrial?: ((report: TrialReport) => void) | undefined;
}

/** A training that is over. */
export interface TrialReport {
  readonly record: TrialRecord;
  /** Trainings that are over, and all there will be. */
  readonly done: number;
  readonly total: number;
  /** Whether it was in the log. */
  readonly isFromLog: boolean;
}

/** A trial and how it did. */
export interface TrialResult extends NetworkSize {
  /** The first is 0; the baseline, where the space has one. */
  readonly trial: number;
  readonly isBaseline: boolean;
  /** What was chosen, by the names of the choices. */
  readonly values: Readonly<Record<string, Value>>;
  readonly layers: readonly TrialLayer[];
  /** Options of `fit`. */
  readonly training: Readonly<Record<string, Value>>;
  /** Of its longest training. */
  readonly epochs: number;
  /** Accuracy on the validation set after that, 0 to 1; nothing where it failed. */
  readonly score: number | undefined;
  readonly loss: number | undefined;
  readonly weightsSha256: string | undefined;
  /** Why there is no score, such as a loss that was not finite. */
  readonly failure: string | undefined;
}

/** What a search found. */
export interface SearchResult {
  /** The longest trained first, and of those the best: higher score, then lower loss, then lower number; failed ones last. */
  readonly trials: readonly TrialResult[];
  /** The first of them, if any has a score. */
  readonly best: TrialResult | undefined;
  readonly baseline: TrialResult | undefined;
  /** What mattered, by the scores of the first round, in which all trials train for as long. */
  readonly effects: readonly ChoiceEffect[];
  /** The scores that they are of. */
  readonly scores: readonly {
    readonly trial: number;
    readonly values: TrialResult['values'];
    readonly score: number;
  }[];
  readonly rounds: readonly Round[];
  /** Points that were passed over, as their network cannot be or is above the limits, and why the first was. */
  readonly skipped: Proposals['skipped'];
  /** Trainings without a score. */
  readonly failed: number;
  /** True where the signal ended the search early. */
  readonly aborted: boolean;
}

const OPTIONS: readonly (keyof SearchOptions)[] = [
  ...(['train', 'validation', 'strategy', 'trials', 'epochs', 'seed', 'log', 'resume'] as const),
  ...(['signal', 'onTrial'] as const),
];
const MOST_TRIALS = 10_000;

/**
 * Searches a space. The same seed gives the same trials, and each the same score, whatever runs beside it and with any number of
 * threads; a search that was killed and goes on with its log ends with the same result.
 *
 * Trials train side by side, as many at a time as there are threads (`fitMany`). Their score is the accuracy on the validation
 * set after the last epoch. All begin with the first weights of the same seed.
 *
 * @param space what is open: see `SearchSpace`
 * @param options train and validation are needed
 *
 * Throws, before anything is trained: ERR_ARGUMENT for a space that is none, naming the place, for wrong options, for a log of
 * another search, for a space without a network that can be built; ERR_FILE and ERR_DATA for a log that cannot be used; while it
 * runs ERR_FILE where the log cannot be written. Networks that cannot be are counted in `skipped`, trainings whose numbers are
 * not finite any more in `failed`.
 */
export async function search(space: SearchSpace, options: SearchOptions): Promise<SearchResult> {
  return searchIn('search', readSpace('search', space), space, options);
}

/** @internal The same for a space that was read. */
export async function searchIn(
  op: string,
  space: Space,
  written: unknown,
  options: SearchOptions,
): Promise<SearchResult> {
  const plan = checkSearch(op, options);
  const { train, log: path, resume = false } = options;
  const task = { imageShape: train.imageShape, classes: train.classNames.length };
  const { trials, epochs, seed } = plan;
  const proposals =
    plan.strategy === 'grid'
      ? await gridProposals(op, space, task, trials)
      : await drawProposals(op, space, task, trials ?? 20, seed);
  const rounds =
    plan.strategy === 'halving'
      ? halvingRounds(op, proposals.list.length, epochs)
      : [{ trials: proposals.list.length, epochs }];
  const identity = identityOf(written, plan, options);
  const opened = path === undefined ? undefined : await TrialLog.open(op, path, identity, resume);
  const runner = new Runner(op, options, seed, opened?.log, opened?.records ?? []);
  try {
    const records = await runner.rounds(proposals.list, rounds);
    return resultOf(space, proposals, rounds, records, runner.isAborted);
  } finally {
    await opened?.log.close();
  }
}

interface CheckedSearch {
  readonly strategy: StrategyName;
  readonly trials: number | undefined;
  readonly epochs: number;
  readonly seed: number;
}

function checkSearch(op: string, options: SearchOptions): CheckedSearch {
  checkOptions(op, options, OPTIONS);
  const { train, validation, strategy = 'random', signal, onTrial, log, resume } = options;
  checkInMemory(op, train); // all trials share them
  checkInMemory(op, validation);
  checkBooleans(op, { resume });
  checkListeners(op, signal, { onTrial });
  if (!STRATEGY_NAMES.includes(strategy)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `strategy to be one of ${STRATEGY_NAMES.join(', ')}`,
      received: describe(strategy),
      hint: typeof strategy === 'string' ? didYouMean(strategy, STRATEGY_NAMES) : undefined,
    });
  }
  if (log !== undefined) checkPath(op, log);
  if (resume === true && log === undefined) {
    throw fail('ERR_ARGUMENT', { op, expected: 'a log to resume', received: 'none' });
  }
  const sets = [train, validation].map(({ imageShape, classNames }) => [imageShape, classNames.length]);
  if (String(sets[0]) !== String(sets[1])) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `a validation set of images and classes like those of train, [${sets[0]}]`,
      received: `[${sets[1]}]`,
    });
  }
  const halves = strategy === 'halving';
  const usual = strategy === 'grid' ? undefined : halves ? 27 : 20;
  const trials = options.trials ?? usual;
  if (trials !== undefined && checkWhole(op, 'trials', trials) > MOST_TRIALS) {
    const expected = `at most ${MOST_TRIALS} trials`;
    throw fail('ERR_ARGUMENT', { op, expected, received: String(trials) });
  }
  const epochs = checkWhole(op, 'epochs', options.epochs ?? (halves ? 9 : 3));
  const seed = checkWhole(op, 'seed', options.seed ?? 1, Number.MIN_SAFE_INTEGER);
  return { strategy, trials, epochs, seed };
}

/** What a log must agree in. Random trials may become more: the first ones stay what they are. */
function identityOf(
  written: unknown,
  plan: CheckedSearch,
  { train, validation }: SearchOptions,
): SearchIdentity {
  const { strategy, trials, epochs, seed } = plan;
  return {
    ...{ strategy, epochs, seed },
    ...(strategy === 'halving' && { trials: trials as number }),
    space: sha256(JSON.stringify(written)),
    train: fingerprint(train),
    validation: fingerprint(validation),
  };
}

const sha256 = (...parts: (string | NodeJS.ArrayBufferView)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

function fingerprint({ name, length, images, labels, normalization }: Dataset): string {
  return `${length} of ${name}, ${sha256(images, labels, JSON.stringify(normalization)).slice(0, 16)}`;
}

function resultOf(
  space: Space,
  { list, skipped }: Proposals,
  rounds: readonly Round[],
  records: ReadonlyMap<number, readonly TrialRecord[]>,
  aborted: boolean,
): SearchResult {
  const trials = list.flatMap((proposal) => {
    const last = records.get(proposal.trial)?.at(-1);
    return last === undefined ? [] : [trialResult(proposal, last)];
  });
  trials.sort(order);
  const first = list.flatMap(({ trial, values }) => {
    const score = records.get(trial)?.[0]?.score;
    return score === undefined ? [] : [{ trial, values, score }];
  });
  return {
    trials,
    best: trials[0]?.score === undefined ? undefined : trials[0],
    baseline: trials.find(({ isBaseline }) => isBaseline),
    effects: effectsOf(space.dimensions, first),
    scores: first,
    rounds,
    skipped,
    failed: trials.filter(({ failure }) => failure !== undefined).length,
    aborted,
  };
}

function trialResult(
  proposal: Proposal,
  { epochs, score, loss, weightsSha256, failure }: TrialRecord,
): TrialResult {
  return { ...proposal, epochs, score, loss, weightsSha256, failure };
}

/** The best first. */
export function order(
  a: Pick<TrialResult, 'score' | 'loss' | 'epochs' | 'trial'>,
  b: Pick<TrialResult, 'score' | 'loss' | 'epochs' | 'trial'>,
): number {
  if ((a.score === undefined) !== (b.score === undefined)) return a.score === undefined ? 1 : -1;
  return (
    b.epochs - a.epochs ||
    (b.score ?? 0) - (a.score ?? 0) ||
    (a.loss ?? 0) - (b.loss ?? 0) ||
    a.trial - b.trial
  );
}
