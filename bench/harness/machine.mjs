// SPDX-License-Identifier: Apache-2.0
// What a figure depends on besides the code: processor, Node, commit, and how much of the processor the host took away.
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

/** Processor time of all cores since boot, in ticks: what other guests of the host took, and all. Zeros off Linux. */
export function processorTicks(text) {
  try {
    const line = (text ?? readFileSync('/proc/stat', 'utf8')).split('\n', 1)[0];
    // user nice system idle iowait irq softirq steal; the guest columns after them are part of user and nice
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { steal: ticks[7] ?? 0, total: ticks.reduce((sum, value) => sum + value, 0) };
  } catch {
    return { steal: 0, total: 0 };
  }
}

/** Percentage of processor time stolen between two readings. */
export function stealPercent(before, after) {
  const total = after.total - before.total;
  return total > 0 ? (100 * (after.steal - before.steal)) / total : 0;
}

/** Resolves after a while: between blocks, so that the threads of the last one stop spinning. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
