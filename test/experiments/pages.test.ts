// SPDX-License-Identifier: Apache-2.0
// The pages about the experiments show what the runs beside them found.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { markdownTable } from '../../experiments/harness/report.mjs';
import { EXPERIMENT_NAMES } from '../../experiments/index.mjs';

const pathOf = (name: string) => fileURLToPath(new URL(`../../docs/experiments/${name}`, import.meta.url));
const textOf = (name: string) => readFileSync(pathOf(name), 'utf8');

describe.each(EXPERIMENT_NAMES)('the page of %s', (name) => {
  const page = textOf(`${name}.md`);
  const report = JSON.parse(textOf(`figures/${name}.json`));

  test('holds the table of its full run', () => {
    expect(report).toMatchObject({ experiment: name, quick: false });
    expect(page).toContain(markdownTable(report.columns, report.rows));
  });

  test('has the claim, its source, the data and the verdict of that run', () => {
    for (const heading of ['Claim', 'Method', 'What we found', 'Where we differ']) {
      expect(page).toMatch(new RegExp(`^## ${heading}$`, 'm'));
    }
    const flat = page.replaceAll(/\s+/g, ' ');
    for (const part of [report.source, report.data, report.verdict]) expect(flat).toContain(part);
  });

  test('shows its picture, and is in the index', () => {
    expect(page).toContain(`(figures/${name}.svg)`);
    expect(existsSync(pathOf(`figures/${name}.svg`))).toBe(true);
    expect(textOf('README.md')).toContain(`(${name}.md)`);
  });
});
