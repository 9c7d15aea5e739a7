// SPDX-License-Identifier: Apache-2.0
// The `optim` namespace: optimizers, learning-rate schedules, clipping, averages of weights.
export { Adagrad, type AdagradGroupOptions, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamGroupOptions, type AdamOptions, AdamW } from './adam.js';
export {
  type CosineAnnealingLROptions,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  type OneCycleLROptions,
  oneCycleLR,
  type WarmRestartsOptions,
} from './annealing.js';
export { clipGradNorm, clipGradValue } from './clip.js';
export {
  type ExponentialLROptions,
  exponentialLR,
  type LinearLROptions,
  linearLR,
  type MultiStepLROptions,
  multiStepLR,
  type PolynomialLROptions,
  polynomialLR,
  type StepLROptions,
  stepLR,
} from './decays.js';
export { EMA, type EMAOptions } from './ema.js';
export { Lion, type LionGroupOptions, type LionOptions } from './lion.js';
export { Lookahead, type LookaheadOptions } from './lookahead.js';
export { LRScheduler } from './lr-scheduler.js';
export { Optimizer } from './optimizer.js';
export type { ParameterGroup } from './options.js';
export { type Plateau, type PlateauOptions, plateau, ReduceLROnPlateau } from './plateau.js';
export { RMSprop, type RMSpropGroupOptions, type RMSpropOptions } from './rmsprop.js';
export { type CosineOptions, constant, cosine, type RelativeSchedule, type Schedule } from './schedule.js';
export { sequentialLR, warmup } from './schedule-sequence.js';
export { SGD, type SGDGroupOptions, type SGDOptions } from './sgd.js';
export type { OptimizerState } from './state.js';
export { type TriangularOptions, triangular } from './triangular.js';
