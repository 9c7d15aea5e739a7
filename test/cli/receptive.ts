// SPDX-License-Identifier: Apache-2.0
// Runs the compiled command in a process of its own, as a user does.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard output and standard error together match. */
  readonly says: (pattern: RegExp) => Promise<void>;
}

/** An empty folder that is gone after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'receptive-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts `receptive` with these arguments; `env` is added to the environment. */
export function start(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Running {
  const { NO_COLOR: _, FORCE_COLOR: __, RECEPTIVE_DEBUG: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...inherited, ...env } });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    for (const check of waiting) check();
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    for (const check of waiting) check();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => pattern.test(stdout + stderr) && resolve();
      waiting.add(check);
      check();
      finished.then(() => reject(new Error(`ended without saying ${pattern}: ${stdout}${stderr}`)));
    });
  return { child, finished, says };
}

/** Runs `receptive` to its end. */
export function receptive(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return start(args, cwd, env).finished;
}

/** What `--json` promises: the last line of standard output. */
export function lastJson(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** The options of a training that takes a fraction of a second. */
export const TINY = ['--data', 'xo', '--train-size', '256', '--test-size', '64', '--epochs', '2'] as const;
