// SPDX-License-Identifier: Apache-2.0
// Every experiment in its short form, on generated pictures: the direction of its claim, and the files that it leaves.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { reportText } from '../../experiments/harness/report.mjs';

const script = fileURLToPath(new URL('../../experiments/run.mjs', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'receptive-experiments-'));
afterAll(() => rmSync(out, { recursive: true }));

/** The most an experiment may take in its short form: several times what it takes alone. */
const LIMIT = 120_000;

interface Report {
  readonly data: string;
  readonly holds: boolean;
  readonly figures: Readonly<Record<string, number>>;
  readonly rows: readonly Readonly<Record<string, number | string | null>>[];
}

/** Runs an experiment. Its report must say that the claim holds, and be what the files say. */
function runQuick(name: string): Report {
  const args = [script, name, '--quick', '--json', '--out', out];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  const fileOf = (ending: string) => readFileSync(join(out, `${name}.${ending}`), 'utf8');
  expect(JSON.parse(fileOf('json'))).toEqual(report);
  expect(fileOf('md')).toBe(reportText(report));
  expect(fileOf('svg')).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  expect(fileOf('svg')).not.toMatch(/NaN|undefined|Infinity/);
  expect(report).toMatchObject({ experiment: name, quick: true, seed: 1 });
  expect(report.data).toMatch(name === 'xo-features' ? /^xo / : /^glyphs /);
  return report;
}

describe('the short form', () => {
  test(
    'relu-vs-tanh: tanh takes more epochs than ReLU to the same training error, where it is hard to reach',
    () => {
      const { holds, figures, rows } = runQuick('relu-vs-tanh');
      expect(figures.cluttered).toBeGreaterThan(1);
      expect(rows.every(({ reached }) => typeof reached === 'number')).toBe(true);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'conv-vs-dense: a fully connected layer has over 40 times the parameters, a network 10 times at equal accuracy',
    () => {
      const { holds, figures } = runQuick('conv-vs-dense');
      expect(figures.layerRatio).toBeCloseTo(23_550 / 520, 10);
      expect(figures.ratio).toBeGreaterThan(10);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'pooling: fewer parameters and less arithmetic than without, and maxima err less than averages',
    () => {
      const { holds, figures } = runQuick('pooling');
      expect(figures.parameters).toBeGreaterThan(10);
      expect(figures.work).toBeGreaterThan(4);
      expect(figures.max).toBeLessThan(figures.average);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'translation: convolutions stand a move by 4 pixels better than a fully connected network, global pooling best',
    () => {
      const { holds, figures } = runQuick('translation');
      expect(figures.convolutional).toBeGreaterThan(figures.dense + 0.1);
      expect(figures.global).toBeGreaterThan(figures.convolutional + 0.1);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    "shared-gradients: a shared weight's gradient is the sum over its connections, to rounding",
    () => {
      const { holds, figures, rows } = runQuick('shared-gradients');
      expect(figures.double).toBeLessThan(1e-13);
      expect(figures.single).toBeLessThan(1e-5);
      expect(rows).toHaveLength(25);
      for (const { smallest, largest } of rows) expect(smallest).toBeLessThan(Number(largest));
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'regularization: dropout and batch normalisation lower the test error of a small training set',
    () => {
      const { holds, figures } = runQuick('regularization');
      expect(figures.dropout).toBeLessThan(figures.none);
      expect(figures.batchNorm).toBeLessThan(figures.none);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'depth: convolutions with ReLU beat one hidden layer, more data and dropout beat them',
    () => {
      const { holds, figures } = runQuick('depth');
      expect(figures.relu).toBeGreaterThan(figures.first + 0.02);
      expect(figures.last).toBeGreaterThan(figures.relu);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'lenet-1998: LeNet-5 errs less than fully connected networks, they less than a linear classifier',
    () => {
      const { holds, figures, rows } = runQuick('lenet-1998');
      expect(figures.lenet5).toBeLessThan(figures.dense);
      expect(figures.dense).toBeLessThan(figures.linear);
      expect(rows.find(({ name }) => name === 'LeNet-5 as in 1998')?.parameters).toBe(60_000);
      expect(holds).toBe(true);
    },
    LIMIT,
  );

  test(
    'xo-features: kernels become more like lines and edges',
    () => {
      const { holds, figures } = runQuick('xo-features');
      expect(figures.after).toBeGreaterThan(figures.before + 0.1);
      expect(figures.accuracy).toBeGreaterThan(0.98);
      expect(holds).toBe(true);
    },
    LIMIT,
  );
});
