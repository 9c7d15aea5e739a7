// SPDX-License-Identifier: Apache-2.0
// What a row of predictions says about a model: pure functions over counts.
import { checkWhole, describe, fail } from '../errors.js';

/** Row: the true class; column: the predicted one; entry: how many images. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** A matrix of 10,000 classes takes 0.8 GB of JavaScript's heap, which ends the process where it is full. */
const MOST_CLASSES = 10_000;

/** @internal Refuses what is no number of classes, or more than a matrix can be made for. */
export function checkClassCount(op: string, classes: number): number {
  if (checkWhole(op, 'classes', classes) <= MOST_CLASSES) return classes;
  const expected = `at most ${MOST_CLASSES} classes for a confusion matrix`;
  throw fail('ERR_ARGUMENT', { op, expected, received: `${classes}` });
}

/**
 * Counts of all pairs (true class, predicted class), `[classes][classes]`.
 *
 * Throws ERR_ARGUMENT for arrays that are none or of different lengths and for more than 10,000 classes, ERR_DATA for a class
 * that is not from 0 to `classes` - 1.
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): ConfusionMatrix {
  checkClassCount('confusionMatrix', classes);
  checkClasses('labels', labels, classes);
  checkClasses('predicted', predicted, classes);
  if (labels.length !== predicted.length) {
    throw fail('ERR_ARGUMENT', {
      op: 'confusionMatrix',
      expected: 'as many predictions as labels',
      received: `${predicted.length} and ${labels.length}`,
    });
  }
  const counts = emptyConfusion(classes);
  addToConfusion(counts, labels, predicted);
  return counts;
}

function checkClasses(name: string, values: ArrayLike<number>, classes: number): void {
  if (!(Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView)))) {
    const expected = `${name} as an array of numbers`;
    throw fail('ERR_ARGUMENT', { op: 'confusionMatrix', expected, received: describe(values) });
  }
  const wrong = Array.from(values).findIndex((c) => !(Number.isInteger(c) && c >= 0 && c < classes));
  if (wrong < 0) return;
  throw fail('ERR_DATA', {
    op: 'confusionMatrix',
    expected: `${name} from 0 to ${classes - 1}`,
    received: `${describe((values as ArrayLike<unknown>)[wrong])} at position ${wrong}`,
  });
}

/** A matrix of zeros, `[classes][classes]`. */
export function emptyConfusion(classes: number): number[][] {
  return Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
}

/** Counts more pairs into a matrix. */
export function addToConfusion(
  counts: number[][],
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
): void {
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predicted[i]] += 1;
}

/** The share of images on the diagonal; 0 for an empty matrix. */
export function accuracyOf(confusion: ConfusionMatrix): number {
  let right = 0;
  let all = 0;
  confusion.forEach((row, label) => {
    right += row[label];
    for (const count of row) all += count;
  });
  return all === 0 ? 0 : right / all;
}

/** A pair of classes that a model takes for one another. */
export interface Mistake {
  /** The true class. */
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

/** The most frequent mistakes, most frequent first; equal ones in the order of their classes. */
export function worstMistakes(confusion: ConfusionMatrix, limit: number): Mistake[] {
  const mistakes = confusion.flatMap((row, label) =>
    row.map((count, predicted) => ({ label, predicted, count })),
  );
  return mistakes
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, limit);
}
