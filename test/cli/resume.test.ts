// SPDX-License-Identifier: Apache-2.0
// `receptive train --checkpoint-every N --resume`: killed and stopped, and gone on with to the same weights.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastJson, receptive, start, temporaryFolder } from './receptive.js';

const folder = temporaryFolder();
const JOB = [
  'train',
  '--data',
  'xo',
  '--train-size',
  '256',
  '--test-size',
  '64',
  '--epochs',
  '30',
  '--batch-size',
  '16',
];
const KEPT = [...JOB, '--ema', '0.9', '--checkpoint-every', '5', '--json'];

/** The lines of a log, but for times. */
const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { seconds: _, imagesPerSecond: __, ...row } = JSON.parse(line);
      return row;
    });

it('a killed training goes on to the weights of one in one go', { timeout: 60_000 }, async () => {
  const wanted = await receptive([...JOB, '--ema', '0.9', '--json', '--out', 'whole'], folder);
  const { child, finished, says } = start([...KEPT, '--resume', '--out', 'killed'], folder);
  await says(/epoch +2\/30/);
  child.kill('SIGKILL');
  await finished;
  const out = join(folder, 'killed');
  expect(readdirSync(out)).toContain('checkpoints');
  writeFileSync(join(out, '.config.json.tmp-1-0123456789ab'), 'half');
  const refused = await receptive([...KEPT, '--out', 'killed'], folder);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/unfinished training.*resume/);
  const { status, stdout, stderr } = await receptive([...KEPT, '--resume', '--out', 'killed'], folder);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/going on after step [\d,]+, from /)]);
  const result = lastJson(stdout);
  expect(result.weightsSha256).toBe(lastJson(wanted.stdout).weightsSha256);
  expect(result).toMatchObject({ steps: 480, epochs: 30, resumedAt: expect.any(Number) });
  const files = [...readdirSync(out), ...readdirSync(join(out, 'checkpoints'))];
  expect(files.filter((name) => name.startsWith('.'))).toEqual([]);
  for (const name of ['history', 'curve']) {
    const [whole, killed] = ['whole', 'killed'].map((run) => rowsOf(join(folder, run, `${name}.jsonl`)));
    expect(killed, name).toEqual(whole);
    expect(killed.length).toBe(name === 'history' ? 30 : 480);
  }
});
