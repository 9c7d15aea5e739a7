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
const first = Number(process.env.RECEPTIVE_TEST_SEED ?? 1);

test.each([0, 1, 2, 3].map((i) => first + i))(`${CALLS} random calls, seed %i`, (seed) => {
  const trace = join(folder, `seed-${seed}`);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [at('hostile-calls.mjs'), binary, String(seed), String(CALLS), trace],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (status !== 0) {
    const call = readFileSync(trace, 'utf8').trim();
    throw new Error(`seed ${seed}: ended with ${signal ?? status} in call ${call}: ${stderr.slice(-1500)}`);
  }
  const result = JSON.parse(stdout) as { worked: number; refused: number; tensors: number };
  expect(result.tensors).toBe(0);
  expect(result.worked).toBeGreaterThan(CALLS / 20); // the calls reach the kernels, too
  expect(result.refused).toBeGreaterThan(CALLS / 5);
});
