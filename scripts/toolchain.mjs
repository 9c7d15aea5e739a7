// SPDX-License-Identifier: Apache-2.0
// Finds what a native build needs (compiler, make, Python, Node's headers) and, where something is missing,
// names the system package that brings it. Nothing here uses the network.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { at, readText } from './support.mjs';

const require = createRequire(import.meta.url);

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Each need of a build: the candidates, in the order they are tried, and how one proves that it works. */
const needs = {
  compiler: {
    what: 'a C++17 compiler',
    candidates: () => (process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++']),
    proof: ['--version'],
  },
  make: { what: 'make', candidates: () => [process.env.MAKE ?? 'make', 'gmake'], proof: ['--version'] },
  python: {
    what: 'Python 3.8 or newer',
    candidates: () =>
      [process.env.npm_config_python, process.env.PYTHON, 'python3', 'python'].filter(Boolean),
    proof: ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))'],
  },
  cmake: { what: 'CMake 3.19 or newer', candidates: () => ['cmake'], proof: ['--version'] },
};

/** The command that installs the tools, for a distribution as /etc/os-release describes it. */
export function installHint(osRelease, platform = process.platform) {
  if (platform === 'darwin') return { system: 'macOS', command: 'xcode-select --install' };
  const field = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(osRelease ?? '')?.[1] ?? '';
  const system = field('PRETTY_NAME') || 'this system';
  const ids = `${field('ID')} ${field('ID_LIKE')}`.split(' ');
  const commands = [
    [['debian', 'ubuntu'], 'apt-get install g++ make python3'],
    [['fedora', 'rhel', 'centos'], 'dnf install gcc-c++ make python3'],
    [['alpine'], 'apk add g++ make python3'],
    [['arch'], 'pacman -S gcc make python'],
    [['suse', 'opensuse'], 'zypper install gcc-c++ make python3'],
  ];
  const match = commands.find(([names]) => names.some((name) => ids.includes(name)));
  return { system, command: match?.[1] ?? null };
}

/** Null when every named tool works, else the message that says what is missing and what to install. */
export function missingTools(names) {
  const missing = names.filter((name) => !needs[name].candidates().some((c) => works(c, needs[name].proof)));
  if (missing.length === 0) return null;
  const list = missing.map(
    (name) => `${needs[name].what} (looked for ${needs[name].candidates().join(', ')})`,
  );
  const { system, command } = installHint(readText('/etc/os-release'));
  const extra = names.includes('cmake') && command !== null ? ' cmake' : '';
  const remedy =
    command === null
      ? 'Install g++ (or clang++), make and python3 with the package manager of this system.'
      : `On ${system} run: ${command}${extra}`;
  return `cannot compile the native addon: not found: ${list.join('; ')}.\n  ${remedy}\n  Then run the same command again.`;
}

const has = (folder, ...files) => files.every((file) => fs.existsSync(path.join(folder, file)));

/**
 * The folder to give to node-gyp as --nodedir. In this order: RECEPTIVE_NODE_HEADERS (a folder, or `npm`),
 * npm's own `nodedir` setting, the headers beside the running node, a distribution's, and, last, a folder
 * made from the npm package node-api-headers.
 */
export function nodeHeaders() {
  const wanted = process.env.RECEPTIVE_NODE_HEADERS;
  if (wanted === 'npm') return headersFromNpm();
  const beside = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  const candidates = [wanted, process.env.npm_config_nodedir, beside, '/usr', '/usr/include/nodejs'];
  const complete = (folder) =>
    has(folder, 'include/node/node_api.h', 'include/node/common.gypi') ||
    has(folder, 'src/node_api.h', 'common.gypi');
  const nodedir = candidates.find((folder) => folder && complete(folder));
  return nodedir ? { nodedir, args: [] } : headersFromNpm();
}

/** The addon uses Node-API only, so these headers are enough; flags come from native/sources.json. */
function headersFromNpm() {
  const nodedir = at('node_modules', '.cache', 'receptive-headers');
  const include = path.join(nodedir, 'include', 'node');
  fs.mkdirSync(include, { recursive: true });
  fs.cpSync(require('node-api-headers').include_dir, include, { recursive: true });
  const shared = { cflags: ['-pthread'], cflags_cc: ['-pthread'], ldflags: ['-pthread'] };
  const defaults = {
    default_configuration: 'Release',
    configurations: { Release: {}, Debug: { cflags: ['-g'] } },
    conditions: [['OS!="mac"', shared]],
  };
  fs.writeFileSync(path.join(include, 'common.gypi'), JSON.stringify({ target_defaults: defaults }, null, 2));
  return { nodedir, args: ['--force-process-config'] };
}
