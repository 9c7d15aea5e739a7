// SPDX-License-Identifier: Apache-2.0
// Runs before `npm pack` and `npm publish`: everything fresh, then the binary built here is put where the
// published package looks for it, prebuilds/<platform>-<arch>[-musl]/receptive.node.
import fs from 'node:fs';
import { at, giveUp, root, run, say } from './support.mjs';

const setup = await run(process.execPath, [at('scripts', 'setup.mjs')], { show: true });
if (setup.status !== 0) process.exit(1);
for (const file of ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']) {
  if (!fs.existsSync(at(file))) giveUp(`cannot pack: ${file} is missing`);
}

// glibc's version stands in the report of the running process; musl has none.
const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
const folder = at('prebuilds', `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`);
fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
fs.copyFileSync(at('build', 'Release', 'receptive.node'), `${folder}/receptive.node`);
say(`prebuilt binary copied to ${folder.slice(root.length + 1)}`);
