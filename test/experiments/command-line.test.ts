// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../experiments/harness/arguments.mjs';
import { EXPERIMENT_NAMES } from '../../experiments/index.mjs';

function experiment(...args: string[]) {
  const script = fileURLToPath(new URL('../../experiments/run.mjs', import.meta.url));
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

describe('the command line', () => {
  it.each([
    [
      ['alexnet'],
      "there is no experiment 'alexnet'; there are relu-vs-tanh, conv-vs-dense, pooling, translation, shared-gradients, regularization, depth, lenet-1998, xo-features",
    ],
    [[], 'name an experiment: relu-vs-tanh, '],
    [['depth', 'pooling'], "'pooling' is too much"],
    [['depth', '--fast'], "'--fast'"],
    [['depth', '--seed', '1.5'], '--seed takes a whole number of at least 0, not 1.5'],
    [['depth', '--threads', '0'], '--threads takes a whole number of at least 1, not 0'],
    [['depth', '--quick=yes'], "'--quick' does not take an argument"],
  ])('%j ends with status 2 and one line', (args, message) => {
    const { status, stdout, stderr } = experiment(...args);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('ends with status 1 and one line for a folder without the files of MNIST', () => {
    const folder = mkdtempSync(join(tmpdir(), 'receptive-no-mnist-'));
    try {
      const { status, stdout, stderr } = experiment(
        'depth',
        '--quick',
        '--data-dir',
        folder,
        '--out',
        folder,
      );
      expect(stderr).toContain('experiment: mnist: expected one of train-images-idx3-ubyte');
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect([status, stdout]).toEqual([1, '']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads options', () => {
    const args = [
      'pooling',
      '--quick',
      '--json',
      '--seed',
      '7',
      '--threads',
      '2',
      '--data-dir',
      'm',
      '--out',
      'o',
    ];
    expect(parseCommandLine(args, EXPERIMENT_NAMES)).toEqual({
      ...{ name: 'pooling', quick: true, json: true },
      ...{ seed: 7, threads: 2, dataDir: 'm', out: 'o' },
    });
  });

  it('prints usage with every experiment', () => {
    const { status, stdout } = experiment('--help');
    expect(status).toBe(0);
    for (const name of EXPERIMENT_NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });
});
