// SPDX-License-Identifier: Apache-2.0
// What a command says while its data set is downloaded, drawn or read.
import type { LoadOptions } from '../data/registry.js';
import { downloadLine } from './download-line.js';
import { drawingLine } from './drawing-line.js';
import { imagesLine, sayReport } from './images.js';
import type { Output } from './output.js';

/** The listeners that `loadDataset` is given. */
export function loadingLines(
  output: Output,
): Required<Pick<LoadOptions, 'onProgress' | 'onDraw' | 'onImages' | 'onReport'>> {
  return {
    onProgress: downloadLine(output),
    onDraw: drawingLine(output),
    onImages: imagesLine(output),
    onReport: (report) => sayReport(output, report),
  };
}
