// SPDX-License-Identifier: Apache-2.0
// `receptive search`: what it says and leaves, that a kill costs nothing that was finished, and what it refuses.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastJson, receptive, start, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const SPACE = {
  layers: [
    { conv: { features: [2, 4, 6], size: [3, 5], stride: [1, 2] } },
    { pool: { kind: ['max', 'avg'], size: 2 } },
    { linear: { features: [8, 16] }, optional: true },
  ],
  training: { lr: { min: 0.001, max: 0.05, log: true } },
  baseline: { lr: 0.001 },
};
writeFileSync(join(cwd, 'space.json'), JSON.stringify(SPACE));
const DATA = ['--data', 'xo', '--train-size', '256', '--test-size', '64'];
const ARGS = ['search', 'space.json', ...DATA, '--trials', '16', '--epochs', '40'];
/** What does not depend on when it was searched, and where. */
const LASTING = ['best.json', 'best.safetensors', 'search.svg', 'trials.txt'];

describe('receptive search', () => {
  it('ends with the same table, picture and weights after kills', { timeout: 60_000 }, async () => {
    const whole = await receptive([...ARGS, '--out', 'whole'], cwd);
    expect({ status: whole.status, stderr: whole.stderr }).toEqual({ status: 0, stderr: '' });
    expect(whole.stdout).toMatch(
      /^searching space\.json on xo: 231 training, 25 validation and 64 test images$/m,
    );
    expect(whole.stdout).toMatch(/^16\/16 {2}trial \d+, 40 epochs +\d+\.\d\d % {2}loss \d/m);
    expect(whole.stdout).toMatch(/^choice +share +mean score by value$/m);
    expect(whole.stdout).toMatch(/^best: trial \d+, validation .* %, baseline .* % after 40 epochs$/m);
    expect(whole.stdout).toMatch(/^test accuracy \d/m);
    expect(readdirSync(join(cwd, 'whole')).sort()).toEqual(
      [...LASTING, 'search.json', 'trials.jsonl'].sort(),
    );

    for (const at of [2, 7]) {
      const running = start([...ARGS, '--resume', '--out', 'killed'], cwd);
      await running.says(new RegExp(`^ *${at}/16 `, 'm'));
      running.child.kill('SIGKILL');
      await running.finished;
      const lines = readFileSync(join(cwd, 'killed/trials.jsonl'), 'utf8').split('\n').length - 1;
      expect(lines).toBeGreaterThanOrEqual(1 + at);
      expect(lines).toBeLessThan(17);
    }
    const { status, stdout } = await receptive([...ARGS, '--resume', '--out', 'killed', '--json'], cwd);
    expect(status).toBe(0);
    for (const name of LASTING) {
      const [a, b] = ['whole', 'killed'].map((folder) => readFileSync(join(cwd, folder, name)));
      expect(b.equals(a), name).toBe(true);
    }
    expect(readdirSync(join(cwd, 'killed')).sort()).toEqual(readdirSync(join(cwd, 'whole')).sort());
    const row = lastJson(stdout);
    expect(row).toMatchObject({
      trials: 16,
      failed: 0,
      skipped: 0,
      seed: 1,
      strategy: 'random',
      stopped: false,
    });
    expect(row.score).toBeGreaterThan(row.baselineScore as number);
    // Its file says what it takes to use it
    const evaluated = await receptive(['eval', 'whole/best.safetensors', '--test-size', '64', '--json'], cwd);
    expect(lastJson(evaluated.stdout)).toMatchObject({
      ...{ weightsSha256: row.weightsSha256, testAccuracy: row.testAccuracy, testLoss: row.testLoss },
    });
    const summary = await receptive(['summary', 'whole/best.safetensors', '--json'], cwd);
    expect(lastJson(summary.stdout)).toMatchObject({ model: 'searched', parameters: row.parameters });
    // The best is a space of its own, with the same end
    const again = await receptive(
      ['search', 'whole/best.json', ...DATA, '--epochs', '40', '--out', 'again', '--json'],
      cwd,
    );
    expect(lastJson(again.stdout)).toMatchObject({ weightsSha256: row.weightsSha256, trials: 1 });
  });

  it('stops at Ctrl-C with what is finished in its log', async () => {
    const running = start([...ARGS, '--out', 'stopped'], cwd);
    await running.says(/^ *3\/16 /m);
    running.child.kill('SIGINT');
    const { status, stdout } = await running.finished;
    expect(status).toBe(130);
    expect(stdout).toMatch(/^stopped after \d+ trials; --resume goes on with them$/m);
    expect(readdirSync(join(cwd, 'stopped'))).toEqual(['trials.jsonl']);
    const refused = await receptive([...ARGS, '--out', 'stopped'], cwd);
    expect({ status: refused.status, stdout: refused.stdout.split('\n').at(-1) }).toEqual({
      status: 1,
      stdout: '',
    });
    expect(refused.stderr).toMatch(/^receptive: .*trials\.jsonl, which is there \(hint: resume it/);
  });
});

describe('receptive search refuses', () => {
  const file = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  file('cut.json', JSON.stringify(SPACE).slice(0, 50));
  file('typo.json', JSON.stringify(SPACE).replace('features', 'feature'));
  file('none.json', '{ "layers": [{ "conv": { "features": 4, "size": 99 } }] }');
  mkdirSync(join(cwd, 'folder.json'));

  it.each([
    [['nowhere.json'], 1, /nowhere\.json: ENOENT.*does the folder exist/],
    [['folder.json'], 1, /folder\.json: EISDIR/],
    [['cut.json'], 1, /^receptive: cut\.json: expected a search space as JSON, received .*position 50/],
    [['typo.json'], 2, /^receptive: typo\.json: expected layers\[0\]\.conv to be .*did you mean features\?/],
    [['none.json', ...DATA], 2, /^receptive: none\.json: expected a space with a network.*99x99/],
    [['space.json', '--strategy', 'halvin'], 2, /did you mean halving\?/],
    [['space.json', '--trials', '0'], 2, /--trials.*whole number/],
    [['space.json', '--validation', '1'], 2, /--validation.*below 1/],
    [['space.json', ...DATA, '--strategy', 'halving', '--epochs', '2'], 2, /at least 3 trials and 3 epochs/],
    [['space.json', '--data-dir', 'x'], 2, /--data-dir/],
    [[], 2, /missing required argument 'space'/],
  ])('%j', async (args, status, message) => {
    const finished = await receptive(['search', ...args, '--out', 'refused', '--quiet'], cwd);
    expect(finished.stderr).toMatch(/^receptive: [^\n]+\n$/);
    expect(finished.stderr).toMatch(message);
    expect({ status: finished.status, stdout: finished.stdout }).toEqual({ status, stdout: '' });
    expect(existsSync(join(cwd, 'refused'))).toBe(false);
  });
});
