// SPDX-License-Identifier: Apache-2.0
// What `import … from 'receptive/report'` offers: reports and pictures, which need packages that the core does without.

export { confusionSvg } from '../viz/confusion.js';
export { type CurvesInput, curvesSvg } from '../viz/curves.js';
export type { ReportedResult } from './page.js';
export { type ReportOptions, writeReport } from './write-report.js';
