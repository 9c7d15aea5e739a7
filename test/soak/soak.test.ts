// SPDX-License-Identifier: Apache-2.0
// The programs of this folder, in short; `npm run soak` runs them in full.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const STEPS = 2000;
const TERMINATIONS = 24;
const KILLS = 50;
const MIB = 64;
const seed = Number(process.env.RECEPTIVE_TEST_SEED ?? 1);

function soak(program: string, ...args: number[]) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [path, ...args.map(String)], {
    encoding: 'utf8',
    env: { ...process.env, RECEPTIVE_THREADS: '2', RECEPTIVE_ISA: undefined },
    timeout: 90_000,
  });
  expect({ status, signal, stderr }, stdout).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

test(`memory is flat over ${STEPS} steps of LeNet-5`, { timeout: 100_000 }, () => {
  const result = soak('memory.mjs', STEPS);
  for (const way of ['fit', 'plan', 'iterable']) {
    expect(result[way]).toMatchObject({ ok: true, steps: STEPS, changes: [] });
    expect(result[way].grownMiB).toBeLessThan(10);
  }
});

test(`${TERMINATIONS} workers terminated at random moments of seed ${seed} leave nothing`, {
  timeout: 100_000,
}, () => {
  const { terminations, sameBits, before, after } = soak('workers.mjs', TERMINATIONS, seed);
  expect({ terminations, sameBits }).toEqual({ terminations: TERMINATIONS, sameBits: true });
  expect(after).toEqual(before);
  expect(after).toMatchObject({ tensors: 0, bytes: 0 });
});

test(`a training killed at ${KILLS} random moments of seed ${seed} ends with the same bits`, {
  timeout: 100_000,
}, () => {
  const { kills, sameBits, resumed } = soak('resume.mjs', KILLS, seed);
  expect({ kills, sameBits }).toEqual({ kills: KILLS, sameBits: true });
  expect(resumed).toBeGreaterThan(0);
});

test(`a model of ${MIB} MiB is saved, loaded and gone on with in little memory`, { timeout: 100_000 }, () => {
  const { sameBits, copies } = soak('files.mjs', MIB);
  expect(sameBits).toBe(true);
  expect(copies.save).toBeLessThan(1.5);
  expect(copies.train).toBeLessThan(2.5); // the checkpoint before it may not have been collected yet
});
