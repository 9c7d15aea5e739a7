// SPDX-License-Identifier: Apache-2.0
// Resident memory of this process, in MiB.
import { readFileSync } from 'node:fs';

/**
 * What is resident now and the most there was. On Linux from /proc: the figure of getrusage also covers what the parent
 * process had resident when it started this one.
 */
export function residentMemory() {
  try {
    const text = readFileSync('/proc/self/status', 'utf8');
    const field = (name) => Number(text.match(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm'))[1]) / 1024;
    return { rss: field('VmRSS'), peakRss: field('VmHWM') };
  } catch {
    return { rss: process.memoryUsage.rss() / 2 ** 20, peakRss: process.resourceUsage().maxRSS / 1024 };
  }
}
