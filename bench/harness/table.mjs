// SPDX-License-Identifier: Apache-2.0
// Tables for people: how numbers look, and columns that line up while rows still come in.

/** A duration given in ms, in the unit that leaves few digits before the point: `812 ns`, `4.48 ms`. */
export function duration(ms) {
  const units = [
    ['s', 1e-3],
    ['ms', 1],
    ['µs', 1e3],
    ['ns', 1e6],
  ];
  const [unit, factor] = units.find(([, factor]) => ms * factor >= 1) ?? units[3];
  return `${significant(ms * factor)} ${unit}`;
}

/** Three significant digits without an exponent. */
export function significant(value) {
  if (!Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 12));
}

/** A value in its unit. */
export function quantity(value, unit) {
  return unit === 'ms' ? duration(value) : `${significant(value)} ${unit}`;
}

/** `1.80 [1.75, 1.86]`, or `4190 (one call)`; empty without a ratio. */
export function ratioText(ratio, interval, calls) {
  if (ratio === undefined) return '';
  if (calls === 1) return `${significant(ratio)} (one call)`;
  const range = interval === undefined ? '' : ` [${interval.map(significant).join(', ')}]`;
  return `${significant(ratio)}${range}`;
}

const scientific = (value) => value.toExponential(1);

/** Our error, and those of peers who know theirs: `2.6e-6 (pytorch 3.1e-6)`. */
export function errorText({ error, peers }) {
  if (error === null || error === undefined) return '';
  const theirs = Object.entries(peers).filter(([, peer]) => Number.isFinite(peer.error));
  const beside = theirs.map(([name, peer]) => `${name} ${scientific(peer.error)}`).join(', ');
  return beside === '' ? scientific(error) : `${scientific(error)} (${beside})`;
}

export const percent = (value) => (value === null || value === undefined ? '' : `${value.toFixed(1)} %`);

/** The columns of every suite; those that none of its rows fill are left out of a report. */
export function columnsFor(peers) {
  return [
    { title: 'case', width: 26, of: (row) => row.case },
    { title: 'threads', width: 7, right: true, of: (row) => String(row.threads) },
    { title: 'isa', width: 6, of: (row) => row.isa },
    { title: 'ours', width: 10, right: true, of: (row) => quantity(row.value, row.unit) },
    { title: 'GFLOP/s', width: 8, right: true, of: (row) => (row.gflops ? significant(row.gflops) : '') },
    { title: 'of peak', width: 7, right: true, of: (row) => percent(row.percentOfPeak) },
    { title: 'error', width: 7, right: true, of: errorText },
    ...peers.flatMap((name) => [
      {
        title: name,
        width: Math.max(10, name.length),
        right: true,
        of: (row) => (row.peers[name] ? quantity(row.peers[name].value, row.unit) : ''),
      },
      {
        title: 'ratio [95 %]',
        width: 19,
        right: true,
        of: (row) => ratioText(row.ratio[name], row.ratioInterval?.[name], row.peers[name]?.calls),
      },
      { title: 'variant', width: 22, of: (row) => row.peers[name]?.variant ?? '' },
    ]),
    { title: 'notes', width: 0, of: (row) => row.notes ?? '' },
  ];
}

/** One line of a table. */
export function line(columns, cells) {
  return columns
    .map(({ width, right }, i) => (right ? cells[i].padStart(width) : cells[i].padEnd(width)))
    .join('  ')
    .trimEnd();
}

export const headerLine = (columns) =>
  line(
    columns,
    columns.map(({ title }) => title),
  );
export const rowLine = (columns, row) =>
  line(
    columns,
    columns.map(({ of }) => of(row)),
  );
