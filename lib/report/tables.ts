// SPDX-License-Identifier: Apache-2.0
// The tables of a report: classes, epochs, layers, configuration.
import { accuracyOf, type ConfusionMatrix } from '../metrics/confusion.js';
import { scoreOf } from '../metrics/scores.js';
import type { LayerSummary } from '../nn/summary.js';
import type { HistoryRow } from '../train/progress.js';
import { bytes, count, duration, percent, short } from '../viz/format.js';
import { type Html, html } from './html.js';

type Cell = string | Html;

interface Column<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  readonly of: (row: Row, index: number) => Cell;
}

/** A table with a heading; the first column names the rows. `last` is a row of sums. */
function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], last?: readonly Cell[]): Html {
  const numbers = columns.map(({ isNumber }) => (isNumber ? 'number' : ''));
  const line = (cells: readonly Cell[]) =>
    cells.map((cell, i) =>
      i === 0
        ? html`<th scope="row" class="${numbers[i]}">${cell}</th>`
        : html`<td class="${numbers[i]}">${cell}</td>`,
    );
  return html`<div class="scroll tall"><table>
<thead><tr>${columns.map(({ title }, i) => html`<th scope="col" class="${numbers[i]}">${title}</th>`)}</tr></thead>
<tbody>
${rows.map((row, r) => html`<tr>${line(columns.map(({ of }) => of(row, r)))}</tr>\n`)}${
  last && html`<tr class="total">${line(last)}</tr>\n`
}</tbody></table></div>`;
}

/** What a class is called. */
export const className = (classNames: readonly string[], c: number): string => classNames[c] ?? `(${c})`;

/** Images, precision, recall and F1 of each class, and their means. */
export function classTable(confusion: ConfusionMatrix, classNames: readonly string[]): Html {
  const scores = (['precision', 'recall', 'f1'] as const).map((name) => ({
    each: scoreOf(name, confusion, 'none') as number[],
    mean: scoreOf(name, confusion, 'macro') as number,
  }));
  const images = confusion.map((row) => row.reduce((sum, times) => sum + times, 0));
  const columns: Column<number>[] = [
    { title: 'class', of: (_, c) => className(classNames, c) },
    { title: 'images', isNumber: true, of: (n) => count(n) },
    { title: 'recognised', isNumber: true, of: (_, c) => count(confusion[c][c]) },
    ...['precision', 'recall', 'F1'].map((title, i) => ({
      ...{ title, isNumber: true },
      of: (_: number, c: number) => percent(scores[i].each[c]),
    })),
  ];
  const all = images.reduce((sum, n) => sum + n, 0);
  const right = Math.round(accuracyOf(confusion) * all);
  return table(columns, images, [
    ...['all; means over classes', count(all), count(right)],
    ...scores.map(({ mean }) => percent(mean)),
  ]);
}

/** A row for each epoch. */
export function historyTable(history: readonly HistoryRow[], validationName: string): Html {
  const optional = (value: number | undefined, text: (value: number) => string) =>
    value === undefined ? '' : text(value);
  const hasValidation = history.some(({ valLoss }) => valLoss !== undefined);
  const columns: Column<HistoryRow>[] = [
    { title: 'epoch', isNumber: true, of: ({ epoch }) => String(epoch) },
    { title: 'training loss', isNumber: true, of: ({ loss }) => loss.toFixed(4) },
    { title: 'accuracy', isNumber: true, of: ({ accuracy }) => percent(accuracy) },
    ...(hasValidation
      ? [
          {
            title: `${validationName} loss`,
            isNumber: true,
            of: ({ valLoss }: HistoryRow) => optional(valLoss, (value) => value.toFixed(4)),
          },
          {
            title: 'accuracy',
            isNumber: true,
            of: ({ valAccuracy }: HistoryRow) => optional(valAccuracy, percent),
          },
        ]
      : []),
    { title: 'learning rate', isNumber: true, of: ({ lr }) => Number(lr.toPrecision(3)).toString() },
    { title: 'time', isNumber: true, of: ({ seconds }) => duration(seconds) },
    { title: 'images/s', isNumber: true, of: ({ imagesPerSecond }) => count(imagesPerSecond) },
  ];
  return table(columns, history);
}

const blank = (value: number, text: (value: number) => string) => (value === 0 ? '' : text(value));
const pair = ([h, w]: readonly [number, number]) => (h === w ? count(h) : `${count(h)}x${count(w)}`);

/** A row for each layer. */
export function layerTable(layers: readonly LayerSummary[]): Html {
  const columns: Column<LayerSummary>[] = [
    { title: 'layer', of: ({ path }) => path },
    { title: 'type', of: ({ type }) => type },
    { title: 'output', of: ({ outputShape }) => outputShape.slice(1).join(' x ') },
    { title: 'parameters', isNumber: true, of: ({ parameters }) => blank(parameters, count) },
    { title: 'multiply-adds', isNumber: true, of: ({ multiplyAdds }) => blank(multiplyAdds, short) },
    { title: 'output memory', isNumber: true, of: ({ outputBytes }) => blank(outputBytes, bytes) },
    {
      title: 'receptive field',
      isNumber: true,
      of: ({ receptiveField }) => (receptiveField === null ? '' : pair(receptiveField.size)),
    },
  ];
  const total = (of: (layer: LayerSummary) => number) => layers.reduce((sum, layer) => sum + of(layer), 0);
  const parameters = total((layer) => layer.parameters);
  const multiplyAdds = total((layer) => layer.multiplyAdds);
  const outputs = total((layer) => layer.outputBytes);
  return table(columns, layers, ['all', '', '', count(parameters), short(multiplyAdds), bytes(outputs), '']);
}

/** A row for each setting. */
export function configTable(config: Readonly<Record<string, unknown>>): Html {
  const rows = Object.entries(config).filter(([, value]) => value !== undefined);
  const text = (value: unknown) =>
    typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const columns: Column<[string, unknown]>[] = [
    { title: 'setting', of: ([name]) => name },
    { title: 'value', of: ([, value]) => html`<div class="wrap">${text(value)}</div>` },
  ];
  return table(columns, rows);
}
