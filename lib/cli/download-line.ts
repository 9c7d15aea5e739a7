// SPDX-License-Identifier: Apache-2.0
// A download as one line for each file; on a terminal it counts.
import type { DownloadProgress } from '../data/download.js';
import { percent } from './format.js';
import type { Output } from './output.js';

const REDRAW_INTERVAL = 100; // ms

/** What `loadDataset` is given as onProgress. */
export function downloadLine(output: Output): (progress: DownloadProgress) => void {
  let current = '';
  let drawn = 0;
  return ({ file, url, receivedBytes, totalBytes }) => {
    if (output.isQuiet) return;
    if (url !== current) {
      current = url;
      output.progress(`downloading ${url}`);
    }
    const now = performance.now();
    const isDone = receivedBytes === totalBytes;
    if (!output.isTerminal || (now - drawn < REDRAW_INTERVAL && !isDone)) return;
    drawn = now;
    const share = totalBytes === undefined ? '' : ` (${percent(receivedBytes / totalBytes, 0)})`;
    output.stream.write(
      `\r${file}: ${(receivedBytes / 2 ** 20).toFixed(1)} MiB${share}${isDone ? '\n' : ''}`,
    );
  };
}
