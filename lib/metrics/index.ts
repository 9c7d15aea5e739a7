// SPDX-License-Identifier: Apache-2.0
// The `metrics` namespace: what answers say about a model.
export type { CalibrationBin } from './calibration.js';
export { type ConfusionMatrix, confusionMatrix } from './confusion.js';
export { MetricCounts, type MetricCountsOptions } from './counts.js';
export type { MetricName, MetricValues } from './names.js';
export { type Average, f1, precision, recall, type ScoreOptions } from './scores.js';
