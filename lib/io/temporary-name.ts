// SPDX-License-Identifier: Apache-2.0
// Names of files under way: `.name.tmp-<process>-<place><random>` beside the file that they become. They say who writes them, so that
// what a killed process has left can be told from what a living one is writing.
import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

const TEMPORARY = /^\..+\.tmp-(\d+)-([0-9a-f]{4})[0-9a-f]{8}$/;

/** A name beside `path` that nobody else has. */
export function temporaryName(path: string): string {
  const random = randomBytes(4).toString('hex');
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${placeOfProcess()}${random}`);
}

/** Whether a file of this name is one under way, or was. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

let place: string | undefined;

/** Where the numbers of processes mean the same as here: on this machine and, in Linux, in this namespace. Four digits. */
function placeOfProcess(): string {
  if (place !== undefined) return place;
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // not Linux
  }
  place = createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 4);
  return place;
}

/** A file that nobody has written to for so long is nobody's, also where its process cannot be asked for: a week. */
const ABANDONED = 7 * 24 * 3600 * 1000; // ms

/** Takes away what killed processes have left beside `path` of writing it. What a living one is writing stays. */
export async function removeStale(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    if (name.startsWith(`.${basename(path)}.tmp-`) && (await isStale(file))) await rm(file, { force: true });
  }
}

/** Whether a file has the name of one under way, and nobody is writing to it any more. */
export async function isStale(file: string): Promise<boolean> {
  const match = TEMPORARY.exec(basename(file));
  if (match === null) return false;
  const written = await stat(file)
    .then(({ mtimeMs }) => mtimeMs)
    .catch(() => Number.POSITIVE_INFINITY);
  const isHere = match[2] === placeOfProcess();
  return Date.now() - written > ABANDONED || (isHere && isDead(Number(match[1]), written));
}

/** Whether the process that wrote a file last at that time is gone. */
function isDead(pid: number, written: number): boolean {
  // In a container, the next process often has the number of the last
  if (pid === process.pid) return written < Date.now() - 1000 * process.uptime();
  try {
    process.kill(pid, 0); // sends nothing
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: another user's
  }
}
