// SPDX-License-Identifier: Apache-2.0
// Builds the addon with a sanitizer of gcc on Linux and runs tests on it: memory errors, or data races of threads.
//
//   node scripts/sanitize.mjs [address|thread] [test files …]
//
// Without files: what is hostile, what runs beside a plan, and workers that are ended. Leaks are not looked for, because
// thread pool, caches and V8 are meant to live to the end.
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { at, giveUp, say } from './support.mjs';

const [kind = 'address', ...given] = process.argv.slice(2);
const libraries = { address: 'libasan.so', thread: 'libtsan.so' };
if (!(kind in libraries)) giveUp(`no sanitizer ${kind}: address or thread`);
const tests =
  given.length > 0 ? given : ['hostile', 'weights-in-use', 'capture-refusals', 'serving', 'workers'];

/** Ends this script where the program fails. */
function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: at(),
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

const folder = `build-${kind}`;
const asked = spawnSync('gcc', [`-print-file-name=${libraries[kind]}`], { encoding: 'utf8' });
const library = asked.status === 0 ? asked.stdout.trim() : '';
if (!library.startsWith('/')) giveUp(`${libraries[kind]} not found: it comes with gcc`);
say(`building with -fsanitize=${kind}, to ${folder}/`);
const cmakeJs = at('node_modules', 'cmake-js', 'bin', 'cmake-js');
const jobs = String(os.availableParallelism());
run(process.execPath, [cmakeJs, 'build', '-O', folder, `--CDRECEPTIVE_SANITIZE=${kind}`, '--parallel', jobs]);
run(
  process.execPath,
  [at('node_modules', 'vitest', 'vitest.mjs'), 'run', ...tests, '--testTimeout', '120000'],
  {
    RECEPTIVE_BINARY: at(folder, 'Release', 'receptive.node'),
    LD_PRELOAD: library,
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
  },
);
