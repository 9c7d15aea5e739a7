// SPDX-License-Identifier: Apache-2.0
// What a figure depends on besides the code: processor, Node, commit, and how much of the processor others took.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

function git(...args) {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** The short commit, with a plus sign if lib/ or native/ differ from it; 'unknown' outside a repository. */
export function commit() {
  try {
    const changed = git('status', '--porcelain', '--', 'lib', 'native') !== '';
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
}

/**
 * Model names tell little on virtual machines ("Intel(R) Xeon(R) Processor"), so family and model stand beside them
 * where the system gives them.
 */
function processor() {
  const name = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (key) => text.match(new RegExp(`^${key}\\s*:\\s*(.+)$`, 'm'))?.[1];
    const family = field('cpu family');
    return family === undefined ? name : `${name} (family ${family}, model ${field('model')})`;
  } catch {
    return name;
  }
}

/** Goes into every row. */
export function describeMachine() {
  return {
    date: new Date().toISOString(),
    cpu: processor(),
    cores: os.availableParallelism(),
    node: process.versions.node,
    commit: commit(),
  };
}

const NO_TICKS = { steal: 0, busy: 0, total: 0 };

/** Processor time of all cores since boot, in ticks: what the host took away, what was worked, all. Zeros off Linux. */
export function processorTicks(text) {
  try {
    const line = (text ?? readFileSync('/proc/stat', 'utf8')).split('\n', 1)[0];
    // The guest columns after these are part of user and nice
    const [user, nice, system, idle, wait, interrupt, soft, steal] = line
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const busy = user + nice + system + interrupt + soft;
    return { steal, busy, total: busy + idle + wait + steal };
  } catch {
    return NO_TICKS;
  }
}

/** Processor time that processes have used, in the same ticks. */
export function processTicks(pids) {
  return pids.reduce((total, pid) => {
    try {
      // The name in brackets may hold spaces; user and system time are the 12th and 13th field after it
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return total + Number(fields[11]) + Number(fields[12]);
    } catch {
      return total;
    }
  }, 0);
}

/**
 * Counts from now on; the function returned gives percentages of all processor time since then: `steal`, what the host
 * took, and `others`, what went to processes that are not in the list and not this one.
 */
export function watchProcessor(pids = []) {
  const own = [process.pid, ...pids];
  const before = { ...processorTicks(), own: processTicks(own) };
  return () => shares(before, { ...processorTicks(), own: processTicks(own) });
}

/** The percentages between two readings. */
export function shares(before, after) {
  const total = after.total - before.total;
  if (total <= 0) return { steal: 0, others: 0 };
  const others = after.busy - before.busy - (after.own - before.own);
  return { steal: (100 * (after.steal - before.steal)) / total, others: Math.max(0, (100 * others) / total) };
}

/** Resolves after a while: between blocks, so that the threads of the last one stop spinning. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
