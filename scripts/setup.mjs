// SPDX-License-Identifier: Apache-2.0
// Brings a checkout to the point where everything runs: packages, native addon, compiled TypeScript. Each
// part only where it is missing or stale, so `npm start` and `npm test` call it every time.
//
//   node scripts/setup.mjs             all three
//   node scripts/setup.mjs --packages  the packages only
import fs from 'node:fs';
import path from 'node:path';
import { at, giveUp, readText, run, say, seconds } from './support.mjs';

/** Packages of the lock file that are absent from node_modules or there in another version. */
function stalePackages() {
  const locked = JSON.parse(readText(at('package-lock.json'))).packages;
  const installed = JSON.parse(
    readText(at('node_modules', '.package-lock.json')) ?? '{"packages":{}}',
  ).packages;
  return Object.entries(locked).filter(([name, { version, optional, peer, link }]) => {
    if (name === '' || link) return false;
    const found = installed[name];
    // Packages for other platforms are optional and rightly absent.
    return found === undefined ? !(optional || peer) : found.version !== version;
  });
}

/** The npm that runs this script, else the one on the PATH. */
function npm() {
  const running = process.env.npm_execpath;
  if (running?.endsWith('.js') && /npm-cli\.js$/.test(running)) return [process.execPath, running];
  const beside = path.join(
    path.dirname(process.execPath),
    '..',
    'lib',
    'node_modules',
    'npm',
    'bin',
    'npm-cli.js',
  );
  return fs.existsSync(beside) ? [process.execPath, beside] : ['npm'];
}

async function installPackages() {
  const stale = stalePackages();
  if (stale.length === 0) return;
  const isNew = !fs.existsSync(at('node_modules'));
  const started = performance.now();
  say(isNew ? 'installing packages (npm ci)' : `updating ${stale.length} packages to package-lock.json`);
  // No package needs its install script; an existing node_modules is updated in place, because something may be using it.
  const shared = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, ...prefix] = npm();
  const args = isNew ? ['ci', ...shared] : ['install', '--no-save', ...shared];
  const { status } = await run(command, [...prefix, ...args], { show: true });
  if (status !== 0) giveUp('npm could not install the packages; its message stands above');
  say(`packages installed in ${seconds(started)}`);
}

async function part(script) {
  const { status } = await run(process.execPath, [at('scripts', script)], { show: true });
  if (status !== 0) process.exit(1);
}

function refuseOldNode() {
  const wanted = JSON.parse(readText(at('package.json')))
    .engines.node.match(/\d+/g)
    .map(Number);
  const running = process.versions.node.split('.').map(Number);
  const isOld = running[0] < wanted[0] || (running[0] === wanted[0] && running[1] < wanted[1]);
  if (isOld) giveUp(`Node ${wanted.join('.')} or newer is needed, this is ${process.versions.node}`);
}

refuseOldNode();
await installPackages();
if (!process.argv.includes('--packages')) {
  await part('build-native.mjs');
  await part('build-js.mjs');
}
