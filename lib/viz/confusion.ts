// SPDX-License-Identifier: Apache-2.0
// The confusion matrix, as text for a terminal and as an SVG heat map.
import type { TopLevelSpec } from 'vega-lite';
import { renderSvg } from './vega.js';

/** How parts of the text are set off; each takes the text and returns it decorated. Default: not at all. */
export interface ConfusionStyle {
  /** Entries on the diagonal. */
  readonly right?: (text: string) => string;
  /** Entries off the diagonal. */
  readonly wrong?: (text: string) => string;
  /** Zeros and headings. */
  readonly quiet?: (text: string) => string;
}

const same = (text: string) => text;
const LONGEST_NAME = 10;

/**
 * A table with a row for each true class, a column for each predicted one, and the share of each class that was
 * recognised. Zeros are shown as dots, so that mistakes stand out.
 *
 * @param confusion `[classes][classes]`
 */
export function confusionText(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  style: ConfusionStyle = {},
): string {
  const { right = same, wrong = same, quiet = same } = style;
  const names = confusion.map((_, i) => shorten(classNames[i] ?? `(${i})`));
  const nameWidth = Math.max(...names.map(({ length }) => length), 'true'.length);
  const width = Math.max(
    ...names.map(({ length }) => length),
    ...confusion.flat().map((n) => String(n).length),
  );
  const heading = `${'true'.padStart(nameWidth)}   ${names.map((name) => name.padStart(width)).join('  ')}`;
  const rows = confusion.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const entries = row.map((count, predicted) => {
      const text = (count === 0 ? '·' : String(count)).padStart(width);
      if (count === 0) return quiet(text);
      return predicted === label ? right(text) : wrong(text);
    });
    const share = total === 0 ? '—' : `${((100 * row[label]) / total).toFixed(1)} %`;
    return `${names[label].padStart(nameWidth)}   ${entries.join('  ')}  ${quiet(share.padStart(8))}`;
  });
  const columns = `${' '.repeat(nameWidth + 3)}${'predicted'.padStart(width)}`;
  return [columns, heading].map(quiet).concat(rows).join('\n');
}

function shorten(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`;
}

/** A heat map: colour by the share of the true class, numbers are counts. */
export function confusionSvg(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  title: string,
): Promise<string> {
  const values = confusion.flatMap((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => ({
      truth: classNames[label] ?? `(${label})`,
      predicted: classNames[predicted] ?? `(${predicted})`,
      count,
      share: total === 0 ? 0 : count / total,
    }));
  });
  const sort = confusion.map((_, i) => classNames[i] ?? `(${i})`);
  const cell = Math.max(30, Math.min(60, 380 / confusion.length));
  const axis = (field: string, name: string) => ({
    field,
    type: 'nominal',
    sort,
    title: name,
    axis: { grid: false, labelAngle: 0 },
  });
  return renderSvg({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title,
    width: cell * confusion.length,
    height: cell * confusion.length,
    data: { values },
    encoding: { x: axis('predicted', 'predicted class'), y: axis('truth', 'true class') },
    layer: [
      {
        mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 1 },
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            // The square root makes a mistake of one in a hundred visible beside a class that is nearly always right.
            scale: { type: 'sqrt', domain: [0, 1], range: ['#f4f7fa', '#0072b2'] },
            legend: null,
          },
        },
      },
      {
        transform: [{ filter: 'datum.count > 0' }],
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          text: { field: 'count', format: 'd' },
          color: { condition: { test: 'datum.share > 0.25', value: '#ffffff' }, value: '#24292f' },
        },
      },
    ],
  } as TopLevelSpec);
}
