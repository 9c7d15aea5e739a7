// SPDX-License-Identifier: Apache-2.0
// What a row of predictions says about a model: pure functions over counts.

/** Row: the true class; column: the predicted one; entry: how many images. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Counts of all pairs (true class, predicted class), `[classes][classes]`. Labels must lie below `classes`. */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): ConfusionMatrix {
  const counts = emptyConfusion(classes);
  addToConfusion(counts, labels, predicted);
  return counts;
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
