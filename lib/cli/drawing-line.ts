// SPDX-License-Identifier: Apache-2.0
// Pictures that are being drawn as one line; on a terminal it counts.
import type { DrawProgress } from '../data/generated.js';
import { count, percent } from './format.js';
import type { Output } from './output.js';

const REDRAW_INTERVAL = 100; // ms
/** Fewer pictures are there before anybody could read of them: some 0.1 s. */
const WORTH_A_LINE = 1000;

/** What `loadDataset` is given as onDraw. */
export function drawingLine(output: Output): (progress: DrawProgress) => void {
  let shown = Number.NEGATIVE_INFINITY;
  return ({ name, drawn, total }) => {
    if (output.isQuiet || total < WORTH_A_LINE) return;
    const now = performance.now();
    const text = `drawing ${count(total)} pictures: ${name}`;
    if (!output.isTerminal) {
      if (shown === Number.NEGATIVE_INFINITY) output.progress(text);
      shown = now;
      return;
    }
    const isDone = drawn === total;
    if (now - shown < REDRAW_INTERVAL && !isDone) return;
    shown = now;
    output.stream.write(`\r${text} (${percent(drawn / total, 0)})${isDone ? '\n' : ''}`);
  };
}
