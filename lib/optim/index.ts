// SPDX-License-Identifier: Apache-2.0
// The `optim` namespace: optimizers and learning-rate schedules.
export { Adam, type AdamGroupOptions, type AdamOptions, AdamW } from './adam.js';
export { Optimizer, type ParameterGroup } from './optimizer.js';
export { type CosineOptions, constant, cosine, type Schedule } from './schedule.js';
export { SGD, type SGDGroupOptions, type SGDOptions } from './sgd.js';
export type { OptimizerState } from './state.js';
