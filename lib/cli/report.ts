// SPDX-License-Identifier: Apache-2.0
// What an evaluation looks like in a terminal.

import { worstMistakes } from '../metrics/confusion.js';
import type { Evaluation } from '../train/evaluate.js';
import { confusionText } from '../viz/confusion.js';
import { count, percent } from './format.js';
import type { Output } from './output.js';

const WIDEST_TABLE = 20; // classes
const MISTAKES = 3;

/** Writes accuracy, the confusion matrix and the most frequent mistakes. */
export function reportEvaluation(
  output: Output,
  evaluation: Evaluation,
  classNames: readonly string[],
): void {
  const { bold, green, red, dim } = output.colors;
  const { accuracy, loss, images, confusion } = evaluation;
  const wrong = images - Math.round(accuracy * images);
  output.line(
    `test accuracy ${bold(percent(accuracy))}, loss ${loss.toFixed(4)}` +
      dim(`   ${count(wrong)} of ${count(images)} images wrong`),
  );
  for (const [name, value] of Object.entries(evaluation.metrics ?? {})) {
    output.line(`${name} ${typeof value === 'number' ? bold(percent(value)) : perClass(value, classNames)}`);
  }
  if (output.isQuiet) return;
  if (confusion.length <= WIDEST_TABLE) {
    output.line();
    output.line(confusionText(confusion, classNames, { right: green, wrong: red, quiet: dim }));
  }
  const mistakes = worstMistakes(confusion, MISTAKES);
  if (mistakes.length === 0) return;
  const list = mistakes.map(
    ({ label, predicted, count: times }) =>
      `${classNames[label]} as ${classNames[predicted] ?? predicted} (${times})`,
  );
  output.line();
  output.line(`most often mistaken: ${list.join(', ')}`);
}

function perClass(values: readonly number[], classNames: readonly string[]): string {
  return values.map((value, c) => `${classNames[c] ?? c} ${percent(value)}`).join(', ');
}
