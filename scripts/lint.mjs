// SPDX-License-Identifier: Apache-2.0
// The one check of style and types: Biome (format and lint), the TypeScript compiler, clang-format.
// Runs all of them, then fails when one did.
//
//   node scripts/lint.mjs          checks
//   node scripts/lint.mjs --fix    formats and repairs what can be repaired
import { at, filesBelow, root, run, say } from './support.mjs';

const isFix = process.argv.includes('--fix');
const tool = (...parts) => at('node_modules', ...parts);
let failures = 0;

async function check(name, command, args) {
  const { status, output } = await run(command, args);
  if (status === 0) return say(`${name}: ok`);
  failures += 1;
  process.stdout.write(`${output.trimEnd()}\n`);
  say(`${name}: failed`);
}

const biome = tool('@biomejs', 'biome', 'bin', 'biome');
await check('biome', process.execPath, [
  biome,
  'check',
  ...(isFix ? ['--write'] : []),
  '--error-on-warnings',
  root,
]);
await check('tsc', process.execPath, [tool('typescript', 'bin', 'tsc'), '-p', 'tsconfig.test.json']);

const cxx = filesBelow(at('native'), (name) => /\.(cc|h)$/.test(name));
const version = await run('clang-format', ['--version']);
if (version.status !== 0) say('clang-format: not installed, C++ formatting not checked');
else if (cxx.length > 0)
  await check('clang-format', 'clang-format', [...(isFix ? ['-i'] : ['--dry-run', '-Werror']), ...cxx]);

process.exitCode = failures > 0 ? 1 : 0;
