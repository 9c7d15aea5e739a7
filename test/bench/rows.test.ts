// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf, writeRows } from '../../bench/harness/rows.mjs';
import { readResults, renderReport, reportFile, resultsFolder } from '../../bench/report.mjs';

const row = {
  suite: 'step',
  case: 'lenet5/b64',
  threads: 2,
  isa: 'avx512',
  value: 1.23456789,
  unit: 'ms',
  percentOfPeak: 41.5,
  peers: { pytorch: { value: 4.5, version: '2.13.0', variant: 'nchw fused' } },
  ratio: { pytorch: 3.65 },
  ratioInterval: { pytorch: [3.5, 3.8] },
  date: '2026-01-02T03:04:05.678Z',
  cpu: 'A processor',
  cores: 2,
  node: '20.19.0',
  commit: 'abc',
};

describe('faultsOf', () => {
  it('finds none in a row of the contract, with or without peers', () => {
    expect(faultsOf(row)).toEqual([]);
    expect(faultsOf({ ...row, percentOfPeak: null, peers: {}, ratio: {} })).toEqual([]);
  });

  it.each([
    ['value', Number.NaN],
    ['value', '1.2'],
    ['threads', 0],
    ['isa', undefined],
    ['percentOfPeak', undefined],
    ['peers', null],
    ['peers', { pytorch: { value: 4.5, version: '2.13.0' } }],
    ['ratio', { tensorflow: 2 }],
    ['ratio', { pytorch: Number.POSITIVE_INFINITY }],
  ])('names %s %j', (field, value) => {
    const faults = faultsOf({ ...row, [field]: value });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults[0]).toMatch(field);
  });
});

describe('writeRows', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'bench-rows-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('replaces the file and leaves nothing else behind', () => {
    const file = path.join(folder, 'rows.json');
    writeRows(file, [row]);
    writeRows(file, [row, { ...row, threads: 1 }]);
    const written = JSON.parse(readFileSync(file, 'utf8'));
    expect(written).toHaveLength(2);
    expect(written[0]).toEqual({ ...row, value: 1.23457 });
    expect(readdirSync(folder)).toEqual(['rows.json']);
  });

  it('refuses a row that breaks the contract', () => {
    const file = path.join(folder, 'rows.json');
    expect(() => writeRows(file, [{ ...row, value: Number.NaN }])).toThrow('step lenet5/b64: value is null');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('renderReport', () => {
  it('shows the newest row of a case, with where it comes from', () => {
    const older = { ...row, value: 99, date: '2025-12-31T00:00:00.000Z', commit: 'old' };
    const page = renderReport([row, older]);
    expect(page).toContain('## A processor, 2 cores');
    expect(page).toContain('2026-01-02 · commit abc · Node 20.19.0 · pytorch 2.13.0');
    expect(page).toMatch(
      /\| lenet5\/b64 \| 2 \| avx512 \| 1\.23 ms \| 41\.5 % \| 4\.50 ms \| 3\.65 \[3\.50, 3\.80\] \|/,
    );
    expect(page).not.toContain('99');
    expect(page).not.toContain('error |');
  });

  it('puts many peers into tables of a few, each with the rows that it has', () => {
    const peer = { value: 4.5, version: '1', variant: 'one' };
    const many = {
      ...row,
      peers: { a: peer, b: peer, c: peer, d: { ...peer, value: 9, calls: 1 } },
      ratio: { a: 3, b: 3, c: 3, d: 7.29 },
      ratioInterval: {},
    };
    const other = { ...row, case: 'lenet5/b1', peers: { a: peer }, ratio: { a: 3 } };
    const [first, second, ...more] = renderReport([many, other])
      .trimEnd()
      .split('\n\n')
      .filter((part) => part.startsWith('|'));
    expect(more).toEqual([]);
    expect(first).toMatch(/^\| case .*\| a \|.*\| b \|.*\| c \|/);
    expect(first.split('\n')).toHaveLength(4);
    expect(first).not.toContain('| d |');
    expect(second.split('\n')).toHaveLength(3);
    expect(second).toContain('| 9.00 ms | 7.29 (one call) | one |');
  });

  it('is what stands in BENCHMARKS.md', () => {
    expect(readFileSync(reportFile, 'utf8')).toBe(renderReport(readResults(resultsFolder)));
  });

  it('says so when there is nothing to show', () => {
    expect(renderReport([])).toContain('No results are kept yet.');
  });
});
