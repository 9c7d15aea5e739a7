// SPDX-License-Identifier: Apache-2.0
// Runs a small module in a Node process of its own: for what may crash, what reads the environment once, and what needs
// flags. It imports the compiled library, which the test script builds beforehand.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * For processes that end workers while they compute. Node 20 aborts when V8's background compiler asks the platform of a
 * worker that has just gone to schedule a task (node_platform.cc, `(data.first) != nullptr`), whatever the worker ran.
 */
export const ENDS_WORKERS = ['--no-concurrent-recompilation'];

export interface ChildResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const dist = new URL('../../dist/', import.meta.url).href;

/**
 * @param source the module's text; `import … from '#dist/path.js'` reaches the compiled library
 * @param options variables to set (undefined unsets one), flags of node, milliseconds until it is killed, and shell
 *   commands that limit the process
 */
export function runChild(
  source: string,
  options: {
    env?: Record<string, string | undefined>;
    flags?: readonly string[];
    timeout?: number;
    limits?: string;
  } = {},
): ChildResult {
  const { env = {}, flags = [], timeout = 20_000, limits } = options;
  const text = source.replaceAll('#dist/', dist);
  const node = [process.execPath, ...flags, '--input-type=module', '--eval', text];
  const command = limits === undefined ? node : ['/bin/bash', '-c', `${limits}; exec "$@"`, 'bash', ...node];
  const { status, signal, stdout, stderr } = spawnSync(command[0], command.slice(1), {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, RECEPTIVE_ISA: undefined, RECEPTIVE_THREADS: undefined, ...env },
    encoding: 'utf8',
    timeout,
  });
  return { status, signal, stdout, stderr };
}

/** What the child printed as its last line, from JSON; throws with its error output unless it ended well. */
export function childJson(...args: Parameters<typeof runChild>): unknown {
  const { status, signal, stdout, stderr } = runChild(...args);
  if (status !== 0) throw new Error(`child ended with ${signal ?? status}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
