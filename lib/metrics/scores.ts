// SPDX-License-Identifier: Apache-2.0
// Precision, recall and F1 from the counts of a confusion matrix, with scikit-learn's conventions.
import { checkOptions, describe, didYouMean, fail } from '../errors.js';
import { accuracyOf, type ConfusionMatrix } from './confusion.js';

/**
 * What becomes of the scores of single classes: their mean over the classes that occur, among labels or predictions; the score of
 * all answers together; their mean by how often each class occurs among the labels; or all of them.
 */
export type Average = 'macro' | 'micro' | 'weighted' | 'none';

export const AVERAGES: readonly Average[] = ['macro', 'micro', 'weighted', 'none'];

/** How to put together the scores of single classes. */
export interface ScoreOptions {
  /** Default 'macro'. */
  readonly average?: Average | undefined;
}

/** Of one class: how often it was answered rightly, how often in all, and how often it was asked. */
interface ClassCounts {
  readonly right: number;
  readonly predicted: number;
  readonly labels: number;
}

function countsOf(confusion: ConfusionMatrix): ClassCounts[] {
  return confusion.map((row, c) => ({
    right: row[c],
    predicted: confusion.reduce((sum, other) => sum + other[c], 0),
    labels: row.reduce((sum, count) => sum + count, 0),
  }));
}

/** A share; 0 where there is nothing to divide by. */
const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

const SCORES = {
  precision: ({ right, predicted }: ClassCounts) => share(right, predicted),
  recall: ({ right, labels }: ClassCounts) => share(right, labels),
  f1: ({ right, predicted, labels }: ClassCounts) => share(2 * right, predicted + labels),
};

/** The scores that there are. */
export type ScoreName = keyof typeof SCORES;

/** @internal One of the scores, in one of the forms. */
export function scoreOf(name: ScoreName, confusion: ConfusionMatrix, average: Average): number | number[] {
  const classes = countsOf(confusion);
  const scores = classes.map(SCORES[name]);
  switch (average) {
    case 'none':
      return scores;
    case 'micro': // each answer is one class, so that a wrong one is missing once and too many once
      return accuracyOf(confusion);
    case 'weighted': {
      const all = classes.reduce((sum, { labels }) => sum + labels, 0);
      return share(
        scores.reduce((sum, score, c) => sum + score * classes[c].labels, 0),
        all,
      );
    }
    case 'macro': {
      const occurring = scores.filter((_, c) => classes[c].labels + classes[c].predicted > 0);
      return share(
        occurring.reduce((sum, score) => sum + score, 0),
        occurring.length,
      );
    }
  }
}

function checkConfusion(op: string, confusion: ConfusionMatrix): void {
  const isRow = (row: unknown): boolean =>
    Array.isArray(row) &&
    row.length === confusion.length &&
    row.every((count) => Number.isFinite(count) && count >= 0);
  if (Array.isArray(confusion) && confusion.length > 0 && confusion.every(isRow)) return;
  const expected = 'a confusion matrix, [classes][classes] of counts';
  throw fail('ERR_ARGUMENT', { op, expected, received: describe(confusion) });
}

/** @internal Refuses what is no way to average. */
export function checkAverage(op: string, options: ScoreOptions): Average {
  checkOptions(op, options, ['average']);
  const { average = 'macro' } = options;
  if (AVERAGES.includes(average)) return average;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `average to be one of ${AVERAGES.join(', ')}`,
    received: describe(average),
    hint: didYouMean(average, AVERAGES),
  });
}

function score(name: ScoreName, confusion: ConfusionMatrix, options: ScoreOptions): number | number[] {
  checkConfusion(name, confusion);
  return scoreOf(name, confusion, checkAverage(name, options));
}

/** What a score with these options is: a number, or one for each class. */
export type Scored<Options> = Options extends { readonly average: 'none' } ? number[] : number;

/**
 * Of the answers that name a class, the share that is right; 0 for a class that no answer names. A number, or one for each class
 * where `average` is 'none'.
 *
 * Throws ERR_ARGUMENT.
 */
export function precision<Options extends ScoreOptions>(
  confusion: ConfusionMatrix,
  options: Options = {} as Options,
): Scored<Options> {
  return score('precision', confusion, options) as Scored<Options>;
}

/**
 * Of the samples of a class, the share that is found; 0 for a class without samples. A number, or one for each class where
 * `average` is 'none'.
 *
 * Throws ERR_ARGUMENT.
 */
export function recall<Options extends ScoreOptions>(
  confusion: ConfusionMatrix,
  options: Options = {} as Options,
): Scored<Options> {
  return score('recall', confusion, options) as Scored<Options>;
}

/**
 * The harmonic mean of precision and recall, class by class before any average. A number, or one for each class where `average` is
 * 'none'.
 *
 * Throws ERR_ARGUMENT.
 */
export function f1<Options extends ScoreOptions>(
  confusion: ConfusionMatrix,
  options: Options = {} as Options,
): Scored<Options> {
  return score('f1', confusion, options) as Scored<Options>;
}
