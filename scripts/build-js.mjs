// SPDX-License-Identifier: Apache-2.0
// Compiles lib/ to dist/ with the TypeScript compiler when a source changed since the last build.
//
//   node scripts/build-js.mjs [--force]
import fs from 'node:fs';
import {
  at,
  contentHash,
  filesBelow,
  giveUp,
  installedVersion,
  readText,
  run,
  say,
  seconds,
  withLock,
} from './support.mjs';

const dist = at('dist');
const stamp = at('node_modules', '.cache', 'receptive-dist.stamp');
const cli = at('dist', 'cli', 'main.js');
const isForced = process.argv.includes('--force');

const sources = filesBelow(at('lib'), (name) => name.endsWith('.ts'));
const hash = contentHash([...sources, at('tsconfig.json')], installedVersion('typescript'));
const isFresh = () => !isForced && fs.existsSync(dist) && readText(stamp) === hash;

async function build() {
  if (isFresh()) return;
  if (installedVersion('typescript') === null)
    giveUp('typescript not installed in node_modules. Run: npm run setup');
  const started = performance.now();
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  const fresh = at('dist.new');
  fs.rmSync(fresh, { recursive: true, force: true });
  const { status, output } = await run(process.execPath, [tsc, '-p', at('tsconfig.json'), '--outDir', fresh]);
  if (status !== 0) {
    fs.rmSync(fresh, { recursive: true, force: true });
    process.stderr.write(`${output.trimEnd()}\n`);
    giveUp(`compiling lib/ failed after ${seconds(started)}; the compiler's output stands above`);
  }
  fs.rmSync(dist, { recursive: true, force: true });
  fs.renameSync(fresh, dist);
  if (fs.existsSync(cli)) fs.chmodSync(cli, 0o755);
  fs.mkdirSync(at('node_modules', '.cache'), { recursive: true });
  fs.writeFileSync(stamp, hash);
  say(`compiled lib/ to dist/ (${sources.length} files) in ${seconds(started)}`);
}

if (!isFresh()) await withLock(at('node_modules', '.cache', 'receptive-dist.lock'), build);
