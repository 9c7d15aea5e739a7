// SPDX-License-Identifier: Apache-2.0
// The `nn` namespace: layers, containers, initialisers.
export {
  ELU,
  GELU,
  Hardswish,
  LeakyReLU,
  LogSoftmax,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activations.js';
export {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool2d,
  GlobalMaxPool2d,
  SpatialPyramidPool2d,
} from './adaptive-pool2d.js';
export { BatchNorm1d, type BatchNorm1dOptions, BatchNorm2d, type BatchNorm2dOptions } from './batch-norm.js';
export { Buffer, type BufferOptions } from './buffer.js';
export { Chain } from './chain.js';
export { ConvTranspose2d, type ConvTranspose2dOptions } from './conv-transpose2d.js';
export { Conv1d, type Conv1dOptions } from './conv1d.js';
export { Conv2d, type Conv2dOptions } from './conv2d.js';
export { Dropout, Dropout2d, StochasticDepth } from './dropout.js';
export { Flatten } from './flatten.js';
export { GlobalAvgPool2d } from './global-avg-pool2d.js';
export { GroupNorm, type GroupNormOptions } from './group-norm.js';
export { headOf, replaceHead } from './head.js';
export { Identity } from './identity.js';
export * as init from './init.js';
export { LayerNorm, type LayerNormOptions } from './layer-norm.js';
export { Linear, type LinearOptions } from './linear.js';
export { LocalResponseNorm } from './local-response-norm.js';
export {
  BCEWithLogitsLoss,
  type BCEWithLogitsLossOptions,
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  type LossWeight,
  MSELoss,
  SmoothL1Loss,
} from './losses.js';
export { type ForwardHook, Module } from './module.js';
export { Parameter } from './parameter.js';
export { AdaptiveAvgPool1d, AdaptiveMaxPool1d, AvgPool1d, LPPool1d, MaxPool1d } from './pool1d.js';
export { AvgPool2d, LPPool2d, MaxPool2d } from './pool2d.js';
export { PReLU, type PReLUOptions } from './prelu.js';
export type { ReceptiveField } from './receptive-field.js';
export { Sequential } from './sequential.js';
export type { StateDifference } from './state.js';
export { type LayerSummary, summarize } from './summary.js';
export { Upsample } from './upsample.js';
