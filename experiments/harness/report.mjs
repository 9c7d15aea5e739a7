// SPDX-License-Identifier: Apache-2.0
// What an experiment found, as Markdown, JSON and a picture. An experiment returns
//
//   title, claim, source   what is claimed, and by whom
//   data                   which pictures it was tried on
//   columns                [{ key, title, format }], of FORMATS
//   rows                   one object each, with a value (or null) for every column
//   figures                named numbers that the claim is about
//   holds                  whether the claim's direction was found
//   verdict                a sentence with the figures
//   svg                    a picture
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format;

/** A share as text. */
export const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`;

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** How values of a column look. */
export const FORMATS = {
  text: String,
  count: grouped,
  percent: (value) => percent(value),
  number: (value) => String(Number(value.toPrecision(3))),
  seconds: (value) => `${value.toFixed(1)} s`,
  exact: (value) => value.toPrecision(12),
};

/** The rows as a Markdown table: text to the left, numbers to the right. */
export function markdownTable(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const cellOf = (value, format) => (value === null || value === undefined ? '' : FORMATS[format](value));
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ format }) => (format === 'text' ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(({ key, format }) => cellOf(row[key], format)))),
  ].join('\n');
}

/** For a terminal, and NAME.md. */
export function reportText(report) {
  const { title, claim, source, data, columns, rows, verdict, seed, quick, seconds } = report;
  const { threads, isa, cpu, node, commit, date } = report;
  const how = `${quick ? 'Quick form, s' : 'S'}eed ${seed}, ${seconds} s on ${threads} threads (${isa})`;
  return `# ${title}

Claim: ${claim} (${source})

${data}.

${markdownTable(columns, rows)}

${verdict}

${how}; ${cpu}, Node ${node}, commit ${commit}, ${date.slice(0, 10)}.
`;
}

/** Writes the three files. Returns their paths. */
export async function writeReport(folder, report, svg) {
  await mkdir(folder, { recursive: true });
  const files = {
    md: reportText(report),
    json: `${JSON.stringify(report, null, 1)}\n`,
    svg,
  };
  return Promise.all(
    Object.entries(files).map(async ([ending, text]) => {
      const file = path.join(folder, `${report.experiment}.${ending}`);
      await writeFile(file, text);
      return file;
    }),
  );
}
