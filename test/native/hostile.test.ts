// SPDX-License-Identifier: Apache-2.0
// Calls to the addon as no TypeScript of ours makes them: nothing may end the process, hang, or fail without a code.
// RECEPTIVE_TEST_SEED moves the seeds; a failure names its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const binary = process.env.RECEPTIVE_BINARY || at('../../build/Release/receptive.node');
const folder = mkdtempSync(join(tmpdir(), 'receptive-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CALLS = 5000;
const PLANS = 400;
const first = Number(process.env.RECEPTIVE_TEST_SEED ?? 1);
const seeds = [0, 1, 2, 3].map((i) => first + i);

/** Runs a script in a process of its own; what it printed. */
function hostile(script: string, seed: number, count: number): Record<string, number> {
  const trace = join(folder, `${script}-${seed}`);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [at(script), binary, String(seed), String(count), trace],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (status === 0) return JSON.parse(stdout) as Record<string, number>;
  const call = readFileSync(trace, 'utf8').trim();
  throw new Error(`seed ${seed}: ended with ${signal ?? status} in call ${call}: ${stderr.slice(-1500)}`);
}

test.each(seeds)(`${CALLS} random calls, seed %i`, (seed) => {
  const { worked, refused, tensors } = hostile('hostile-calls.mjs', seed, CALLS);
  expect(tensors).toBe(0);
  expect(worked).toBeGreaterThan(CALLS / 20); // the calls reach the kernels, too
  expect(refused).toBeGreaterThan(CALLS / 5);
});

test.each(seeds)(`${PLANS} random plans, seed %i`, (seed) => {
  const { worked, refused, steps, busy, tensors } = hostile('hostile-plan-calls.mjs', seed, PLANS);
  expect({ busy, tensors }).toEqual({ busy: 0, tensors: 0 });
  expect(steps).toBeGreaterThan(PLANS / 10);
  expect(worked).toBeGreaterThan(PLANS);
  expect(refused).toBeGreaterThan(PLANS);
});
