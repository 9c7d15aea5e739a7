// SPDX-License-Identifier: Apache-2.0
// What the scripts of this folder share: where the root is, how they speak, content hashes that decide
// whether a build is stale, a lock so that two builds never write one folder, and running a program.
// Imports nothing from npm: these scripts run before node_modules exists.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** A path inside the repository. */
export const at = (...parts) => path.join(root, ...parts);

export const say = (message) => process.stderr.write(`receptive: ${message}\n`);

/** Ends the script with one clear message and no stack trace. */
export function giveUp(message) {
  say(message);
  process.exit(1);
}

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** All files below a folder whose name passes the test, as sorted absolute paths. */
export function filesBelow(folder, test = () => true) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && test(entry.name))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** One hash over the names and contents of files and over any further text. */
export function contentHash(files, ...texts) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = fs.readFileSync(file);
    hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.update(JSON.stringify(texts)).digest('hex');
}

export function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** The version of an installed package, or null. */
export function installedVersion(name) {
  const text = readText(at('node_modules', name, 'package.json'));
  return text === null ? null : JSON.parse(text).version;
}

/** Runs a program in the root. Resolves to `{ status, output }`; with `show` the output goes to the terminal instead. */
export function run(command, args, { env = process.env, show = false } = {}) {
  return new Promise((resolve) => {
    const stdio = show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd: root, env, stdio });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ status: 127, output: error.message }));
    child.on('close', (code, signal) =>
      resolve({ status: code ?? 1, output: signal ? `${output}\n${signal}` : output }),
    );
  });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while holding the lock file; waits for another living process that holds it. */
export async function withLock(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let waiting = false;
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(readText(file));
    if (holder > 0 && !isAlive(holder)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!waiting) say(`waiting for the build of process ${holder || '?'} (${path.relative(root, file)})`);
    waiting = true;
    await sleep(200);
  }
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
