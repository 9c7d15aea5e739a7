// SPDX-License-Identifier: Apache-2.0
// Answers from native/sources.json, the one list of native sources and compiler flags.
// Used by binding.gyp (as a command) and by the build scripts and tests (as a module).
//
//   node scripts/sources.cjs <group> [files|flags]     group: binding, core, isa/scalar, isa/avx2, …
//   node scripts/sources.cjs link [linux|darwin]       linker flags
//   node scripts/sources.cjs include                   folder that holds napi.h, relative to the root
//   node scripts/sources.cjs                           everything, as JSON
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const list = JSON.parse(fs.readFileSync(path.join(root, 'native', 'sources.json'), 'utf8'));

/** Every group of the list: the files (relative to the root) and their whole flag line. */
const groups = {
  binding: { arch: null, files: list.binding, flags: list.bindingFlags },
  core: { arch: null, files: list.core, flags: list.coreFlags },
};
for (const [name, isa] of Object.entries(list.isa)) {
  groups[`isa/${name}`] = { arch: isa.arch ?? null, files: isa.files, flags: isa.flags };
}
for (const group of Object.values(groups)) {
  group.files = group.files.map((file) => `native/${file}`);
  group.flags = [...list.flags, ...group.flags];
}

const linkFlags = (platform = process.platform) => list.linkFlags[platform] ?? [];

function napiInclude() {
  const folder = path.dirname(require.resolve('node-addon-api/package.json', { paths: [root] }));
  return path.relative(root, folder).split(path.sep).join('/');
}

function answer([name, what = 'files']) {
  if (name === undefined) return JSON.stringify({ groups, link: linkFlags() }, null, 2);
  if (name === 'link') return linkFlags(what === 'files' ? undefined : what).join(' ');
  if (name === 'include') return napiInclude();
  if (!(name in groups) || !['files', 'flags'].includes(what)) {
    throw new Error(`sources.cjs: expected one of ${Object.keys(groups).join(', ')}, link or include`);
  }
  return groups[name][what].join(' ');
}

module.exports = { root, groups, linkFlags, napiInclude };

if (require.main === module) console.log(answer(process.argv.slice(2)));
