// SPDX-License-Identifier: Apache-2.0
// Builds the native addon when its sources changed since the last build.
//
//   node scripts/build-native.mjs            with node-gyp, to build/Release/receptive.node
//   node scripts/build-native.mjs --cmake    with cmake-js, to build-cmake/Release/receptive.node
//   … --force                                even when nothing changed
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {
  at,
  contentHash,
  filesBelow,
  giveUp,
  installedVersion,
  readText,
  root,
  run,
  say,
  seconds,
  withLock,
} from './support.mjs';
import { missingTools, nodeHeaders } from './toolchain.mjs';

const require = createRequire(import.meta.url);
const usesCmake = process.argv.includes('--cmake');
const isForced = process.argv.includes('--force');

const folder = usesCmake ? 'build-cmake' : 'build';
const binary = at(folder, 'Release', 'receptive.node');
const stamp = at(folder, 'receptive.stamp');
const jobs = os.availableParallelism();

/** Changes whenever the binary could: sources, flags, build files, the compiler asked for, the platform. */
function sourceHash() {
  const testFolder = at('native', 'test') + path.sep;
  const sources = filesBelow(at('native')).filter((file) => !file.startsWith(testFolder));
  const buildFiles = [at('scripts', 'sources.cjs'), at(usesCmake ? 'CMakeLists.txt' : 'binding.gyp')];
  const compiler = ['CXX', 'CXXFLAGS', 'LDFLAGS'].map((name) => process.env[name] ?? '');
  const packages = ['node-addon-api', usesCmake ? 'cmake-js' : 'node-gyp'].map(installedVersion);
  return contentHash([...sources, ...buildFiles], process.platform, process.arch, compiler, packages);
}

function builder() {
  if (usesCmake)
    return [require.resolve('cmake-js/bin/cmake-js'), 'build', '-O', folder, '--parallel', String(jobs)];
  const { nodedir, args } = nodeHeaders();
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  return [
    nodeGyp,
    'configure',
    'build',
    `--nodedir=${nodedir}`,
    '-j',
    String(jobs),
    '--loglevel=error',
    ...args,
  ];
}

/** Everything that can be known to fail is said before the compiler starts. */
function refuseEarly() {
  const needed = ['node-addon-api', usesCmake ? 'cmake-js' : 'node-gyp'];
  const absent = needed.filter((name) => installedVersion(name) === null);
  if (absent.length > 0) giveUp(`${absent.join(' and ')} not installed in node_modules. Run: npm run setup`);
  const problem = missingTools(usesCmake ? ['compiler', 'cmake', 'make'] : ['compiler', 'make', 'python']);
  if (problem !== null) giveUp(problem);
  const { groups } = require('./sources.cjs');
  const listed = Object.values(groups).flatMap((group) => group.files);
  const lost = listed.filter((file) => !fs.existsSync(path.join(root, file)));
  if (lost.length > 0) giveUp(`native/sources.json lists files that do not exist: ${lost.join(', ')}`);
  return listed.length;
}

/** The compiler's own lines, without make's progress and node-gyp's description of the machine. */
function withoutChatter(output) {
  const chatter =
    /^(gyp (info|ERR! (System|command|cwd|node|not ok|\$npm|stack at))|rm -f |ar crs | {2}(COPY|CXX|SOLINK)|make: (Enter|Leav))/;
  return output
    .split('\n')
    .filter((line) => !chatter.test(line))
    .join('\n')
    .trim();
}

const isFresh = () => !isForced && fs.existsSync(binary) && readText(stamp) === sourceHash();

async function build() {
  if (isFresh()) return;
  const hash = sourceHash();
  const count = refuseEarly();
  const started = performance.now();
  const name = path.relative(root, binary);
  say(`compiling the native addon (${count} files, ${jobs} jobs, ${usesCmake ? 'cmake-js' : 'node-gyp'})`);
  fs.rmSync(stamp, { force: true });
  const { status, output } = await run(process.execPath, builder());
  if (status !== 0 || !fs.existsSync(binary)) {
    process.stderr.write(`${withoutChatter(output)}\n`);
    giveUp(`compiling the native addon failed after ${seconds(started)}; the compiler's output stands above`);
  }
  if (/\bwarning: /.test(output)) process.stderr.write(`${withoutChatter(output)}\n`);
  fs.writeFileSync(stamp, hash);
  say(`built ${name} in ${seconds(started)}`);
}

if (!isFresh()) await withLock(at(folder, '.lock'), build);
