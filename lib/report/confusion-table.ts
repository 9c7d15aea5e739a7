// SPDX-License-Identifier: Apache-2.0
// The confusion matrix as a table whose cells are as deep as their share of the true class.
import { type ConfusionMatrix, worstMistakes } from '../metrics/confusion.js';
import { count } from '../viz/format.js';
import { type Html, html } from './html.js';
import { className } from './tables.js';

/** Numbers are left out above so many classes, the whole table above more: 200 by 200 cells make a page of 3 MB. */
const WITH_NUMBERS = 30;
const MOST_CLASSES = 200;
const LONG_NAME = 3;
const MISTAKES = 12;

/** Rows are true classes, columns predicted ones. */
export function confusionTable(confusion: ConfusionMatrix, classNames: readonly string[]): Html {
  if (confusion.length > MOST_CLASSES) {
    return html`<p class="quiet">${count(confusion.length)} classes are too many for a table.</p>${mistakes(confusion, classNames)}`;
  }
  const isSmall = confusion.length <= WITH_NUMBERS;
  const names = confusion.map((_, c) => className(classNames, c));
  const isTurned = names.some(({ length }) => length > LONG_NAME);
  const heading = names.map((name) =>
    isTurned
      ? html`<th scope="col" class="name"><span class="turned" title="${name}">${name}</span></th>`
      : html`<th scope="col" class="name">${name}</th>`,
  );
  const rows = confusion.map((row, label) => {
    const total = row.reduce((sum, times) => sum + times, 0);
    const cells = row.map((times, predicted) =>
      cell(times, total, `${names[label]} as ${names[predicted]}`, isSmall),
    );
    return html`<tr><th scope="row" title="${names[label]}">${names[label]}</th>${cells}</tr>\n`;
  });
  const corner = html`<th class="name">true \\ predicted</th>`;
  return html`<div class="scroll"><table class="confusion${isSmall ? '' : ' many'}">
<thead><tr>${isSmall ? [corner, ...heading] : html`<th></th>`}</tr></thead>
<tbody>
${rows}</tbody></table></div>${mistakes(confusion, classNames)}`;
}

/** The square root makes a mistake of one in a hundred visible beside a class that is nearly always right. */
function cell(times: number, total: number, title: string, isSmall: boolean): Html {
  if (times === 0) return isSmall ? html`<td class="zero">0</td>` : html`<td class="zero"></td>`;
  const depth = Math.sqrt(times / total);
  const kind = depth > 0.55 ? 'deep' : '';
  return html`<td class="${kind}" style="--share:${depth.toFixed(2)}" title="${title}: ${times}">${isSmall ? times : ''}</td>`;
}

function mistakes(confusion: ConfusionMatrix, classNames: readonly string[]): Html {
  const worst = worstMistakes(confusion, MISTAKES);
  if (worst.length === 0) return html`<p>No image was mistaken.</p>`;
  const list = worst.map(
    ({ label, predicted, count: times }) =>
      `${className(classNames, label)} as ${className(classNames, predicted)} (${count(times)})`,
  );
  return html`<p>Most often mistaken: ${list.join(', ')}.</p>`;
}
