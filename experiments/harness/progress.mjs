// SPDX-License-Identifier: Apache-2.0
// Progress on standard error: on a terminal one line that is written over, elsewhere a line for each thing that is finished.

const isTerminal = process.stderr.isTTY === true;

/** What is under way; shown on a terminal only. */
export function progress(text) {
  if (isTerminal) process.stderr.write(`\r\x1b[K${text}`);
}

/** Something that is finished. */
export function note(text) {
  clearProgress();
  process.stderr.write(`${text}\n`);
}

export function clearProgress() {
  if (isTerminal) process.stderr.write('\r\x1b[K');
}
