// SPDX-License-Identifier: Apache-2.0
// The layers of `nn`, a row each: what they take, what they refuse, and options that are none.
import * as nn from '../../lib/nn/index.js';
import { multiply } from '../../lib/ops/arithmetic.js';

/** A layer, and what it does not do. */
export interface LayerRow {
  readonly make: () => nn.Module;
  /** What it takes, and what it does not. */
  readonly fits: readonly number[];
  readonly wrong?: readonly number[];
  /** Options that are none, by what the error says was expected. */
  readonly bad?: readonly (readonly [expected: RegExp, make: () => nn.Module])[];
}

const bad = (value: unknown) => value as never;
const activation = (make: () => nn.Module): LayerRow => ({ make, fits: [2, 3] });
const image = [2, 6, 5, 4];
const convolution = { inC: 4, outC: 6, kernelSize: 3 };

/** Of a convolution: each option out of range. */
function badConvolutions(
  make: (inC: number, outC: number, options: nn.Conv2dOptions) => nn.Module,
): NonNullable<LayerRow['bad']> {
  const { inC, outC, kernelSize } = convolution;
  const of = (options: object) => () => make(inC, outC, { kernelSize, ...options });
  return [
    [/inChannels/, () => make(0, outC, { kernelSize })],
    [/outChannels/, () => make(inC, 1.5, { kernelSize })],
    [/kernelSize/, of({ kernelSize: 0 })],
    [/stride/, of({ stride: -1 })],
    [/padding/, of({ padding: -1 })],
    [/padding/, of({ padding: 'full' })],
    [/dilation/, of({ dilation: 0 })],
    [/groups/, of({ groups: 3 })], // 4 channels
    [/groups/, of({ groups: 4 })], // 6 results
    [/groups/, of({ groups: 0 })],
    [/bias/, of({ bias: 'no' })],
    [/options/, of({ dilations: 2 })],
  ];
}

/** Of a pooling: each option out of range. */
function badPools(make: (options: { kernelSize: number }) => nn.Module): NonNullable<LayerRow['bad']> {
  const of = (options: object) => () => make({ kernelSize: 2, ...options });
  return [
    [/kernelSize/, of({ kernelSize: 0 })],
    [/stride/, of({ stride: 0 })],
    [/padding/, of({ padding: -1 })],
    [/half the kernel/, of({ padding: 2 })],
    [/ceilMode/, of({ ceilMode: 1 })],
    [/options/, of({ dilation: 2 })],
  ];
}

const numbers = (name: string, make: (value: number) => nn.Module, values: number[]) =>
  values.map((value) => [new RegExp(name), () => make(value)] as const);

export const layerRows: Readonly<Record<string, LayerRow>> = {
  AdaptiveAvgPool1d: {
    make: () => new nn.AdaptiveAvgPool1d(2),
    fits: [2, 5, 3],
    wrong: [2, 3],
    bad: numbers('outputSize', (size) => new nn.AdaptiveAvgPool1d(size), [0, -1, 1.5, NaN]),
  },
  AdaptiveAvgPool2d: {
    make: () => new nn.AdaptiveAvgPool2d(2),
    fits: image,
    wrong: [2, 3],
    bad: numbers('outputSize', (size) => new nn.AdaptiveAvgPool2d(size), [0, -1, 1.5, NaN]),
  },
  AdaptiveMaxPool1d: {
    make: () => new nn.AdaptiveMaxPool1d(2),
    fits: [2, 5, 3],
    wrong: [2, 3],
    bad: numbers('outputSize', (size) => new nn.AdaptiveMaxPool1d(size), [0, -1, 1.5, NaN]),
  },
  AdaptiveMaxPool2d: {
    make: () => new nn.AdaptiveMaxPool2d(2),
    fits: image,
    wrong: [2, 3],
    bad: numbers('outputSize', (size) => new nn.AdaptiveMaxPool2d(size), [0, -1, 1.5, NaN]),
  },
  AvgPool1d: {
    make: () => new nn.AvgPool1d(2),
    fits: [2, 5, 3],
    wrong: [2, 1, 3],
    bad: [
      ...badPools((options) => new nn.AvgPool1d(options)),
      [/countIncludePad/, () => new nn.AvgPool1d({ kernelSize: 2, countIncludePad: bad(1) })],
    ],
  },
  AvgPool2d: {
    make: () => new nn.AvgPool2d(2),
    fits: image,
    wrong: [2, 1, 5, 3],
    bad: [
      ...badPools((options) => new nn.AvgPool2d(options)),
      [/countIncludePad/, () => new nn.AvgPool2d({ kernelSize: 2, countIncludePad: bad(1) })],
    ],
  },
  BCEWithLogitsLoss: {
    make: () => new nn.BCEWithLogitsLoss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [[/reduction/, () => new nn.BCEWithLogitsLoss({ reduction: bad('avg') })]],
  },
  BatchNorm1d: {
    make: () => new nn.BatchNorm1d(3),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [
      [/features/, () => new nn.BatchNorm1d(0)],
      [/eps/, () => new nn.BatchNorm1d(3, { eps: -1 })],
      [/momentum/, () => new nn.BatchNorm1d(3, { momentum: 1.5 })],
    ],
  },
  BatchNorm2d: {
    make: () => new nn.BatchNorm2d(4),
    fits: image,
    wrong: [2, 6, 5, 3],
    bad: [
      [/features/, () => new nn.BatchNorm2d(-1)],
      [/eps/, () => new nn.BatchNorm2d(4, { eps: NaN })],
      [/momentum/, () => new nn.BatchNorm2d(4, { momentum: -0.1 })],
      [/affine/, () => new nn.BatchNorm2d(4, { affine: bad('yes') })],
    ],
  },
  Conv1d: {
    make: () => new nn.Conv1d(4, 6, { kernelSize: 3, dilation: 2 }),
    fits: [2, 5, 4],
    wrong: [2, 4, 4], // dilated, the kernel is 5 wide
    bad: badConvolutions((inC, outC, options) => new nn.Conv1d(inC, outC, options as nn.Conv1dOptions)),
  },
  Conv2d: {
    make: () => new nn.Conv2d(4, 6, { kernelSize: 3, dilation: [1, 2] }),
    fits: image,
    wrong: [2, 6, 4, 4],
    bad: [
      ...badConvolutions((inC, outC, options) => new nn.Conv2d(inC, outC, options)),
      [/stride/, () => new nn.Conv2d(4, 6, { kernelSize: 3, stride: 2, padding: 'same' })],
    ],
  },
  ConvTranspose2d: {
    make: () => new nn.ConvTranspose2d(4, 6, { kernelSize: 3 }),
    fits: image,
    wrong: [2, 6, 5, 3],
    bad: badConvolutions((inC, outC, options) => new nn.ConvTranspose2d(inC, outC, bad(options))),
  },
  CrossEntropyLoss: {
    make: () => new nn.CrossEntropyLoss({ weight: [1, 2, 3] }),
    fits: [2, 3],
    wrong: [2, 4], // weights of three classes, whatever the target
    bad: [
      ...numbers('labelSmoothing', (s) => new nn.CrossEntropyLoss({ labelSmoothing: s }), [1, -0.1, NaN, 2]),
      [/reduction/, () => new nn.CrossEntropyLoss({ reduction: bad('batchmean') })],
      [/ignoreIndex/, () => new nn.CrossEntropyLoss({ ignoreIndex: 0.5 })],
    ],
  },
  Dropout: {
    make: () => new nn.Dropout(),
    fits: [2, 3],
    bad: numbers('p', (p) => new nn.Dropout(p), [1, -0.1, NaN]),
  },
  Dropout2d: {
    make: () => new nn.Dropout2d(),
    fits: image,
    wrong: [2, 3],
    bad: numbers('p', (p) => new nn.Dropout2d(p), [1, -0.1, NaN]),
  },
  ELU: {
    ...activation(() => new nn.ELU()),
    bad: numbers('alpha', (alpha) => new nn.ELU(alpha), [NaN, Infinity]),
  },
  Flatten: { make: () => new nn.Flatten(), fits: image, wrong: [] },
  GELU: {
    ...activation(() => new nn.GELU()),
    bad: [[/approximate/, () => new nn.GELU({ approximate: bad('erf') })]],
  },
  GlobalAvgPool2d: { make: () => new nn.GlobalAvgPool2d(), fits: image, wrong: [2, 3] },
  GlobalMaxPool2d: { make: () => new nn.GlobalMaxPool2d(), fits: image, wrong: [2, 3] },
  GroupNorm: {
    make: () => new nn.GroupNorm(2, 4),
    fits: image,
    wrong: [2, 6, 5, 6],
    bad: [
      [/divides 4 channels/, () => new nn.GroupNorm(3, 4)],
      [/numChannels/, () => new nn.GroupNorm(1, 0)],
      [/eps/, () => new nn.GroupNorm(2, 4, { eps: -1 })],
    ],
  },
  Hardswish: activation(() => new nn.Hardswish()),
  HuberLoss: {
    make: () => new nn.HuberLoss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: numbers('delta', (delta) => new nn.HuberLoss({ delta }), [0, -1, NaN]),
  },
  Identity: { make: () => new nn.Identity(), fits: image },
  KLDivLoss: {
    make: () => new nn.KLDivLoss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [
      [/reduction/, () => new nn.KLDivLoss({ reduction: bad('average') })],
      [/logTarget/, () => new nn.KLDivLoss({ logTarget: bad(1) })],
    ],
  },
  L1Loss: {
    make: () => new nn.L1Loss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [[/reduction/, () => new nn.L1Loss({ reduction: bad('max') })]],
  },
  LPPool1d: {
    make: () => new nn.LPPool1d(2, 2),
    fits: [2, 5, 3],
    wrong: [2, 1, 3],
    bad: [
      ...badPools((options) => new nn.LPPool1d(2, options)),
      ...numbers('normType', (norm) => new nn.LPPool1d(norm, 2), [0, 1.5, 65, NaN]),
    ],
  },
  LPPool2d: {
    make: () => new nn.LPPool2d(2, 2),
    fits: image,
    wrong: [2, 1, 5, 3],
    bad: [
      ...badPools((options) => new nn.LPPool2d(2, options)),
      ...numbers('normType', (norm) => new nn.LPPool2d(norm, 2), [0, 1.5, 65, NaN]),
    ],
  },
  LayerNorm: {
    make: () => new nn.LayerNorm(4),
    fits: image,
    wrong: [2, 6, 5, 3],
    bad: [
      [/eps/, () => new nn.LayerNorm(4, { eps: -1 })],
      [/bias/, () => new nn.LayerNorm(4, { bias: bad(0) })],
    ],
  },
  LeakyReLU: {
    ...activation(() => new nn.LeakyReLU()),
    bad: numbers('negativeSlope', (slope) => new nn.LeakyReLU(slope), [NaN, Infinity]),
  },
  Linear: {
    make: () => new nn.Linear(3, 2),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [
      [/inFeatures/, () => new nn.Linear(0, 2)],
      [/outFeatures/, () => new nn.Linear(3, 2.5)],
      [/bias/, () => new nn.Linear(3, 2, { bias: bad('no') })],
      [/flattenedFrom/, () => new nn.Linear(3, 2, { flattenedFrom: [1, 1, 4] })],
    ],
  },
  LocalResponseNorm: {
    make: () => new nn.LocalResponseNorm(3, { region: 'withinChannel' }),
    fits: image,
    wrong: [2, 3],
    bad: [
      ...numbers('size', (size) => new nn.LocalResponseNorm(size), [0, -1, 1.5, NaN]),
      [/alpha/, () => new nn.LocalResponseNorm(3, { alpha: -1 })],
      [/beta/, () => new nn.LocalResponseNorm(3, { beta: NaN })],
      [/k/, () => new nn.LocalResponseNorm(3, { k: -1 })],
      [/region/, () => new nn.LocalResponseNorm(3, { region: bad('channel') })],
    ],
  },
  LogSoftmax: { ...activation(() => new nn.LogSoftmax()), wrong: [] },
  MSELoss: {
    make: () => new nn.MSELoss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [[/reduction/, () => new nn.MSELoss({ reduction: bad('max') })]],
  },
  MaxPool1d: {
    make: () => new nn.MaxPool1d(2),
    fits: [2, 5, 3],
    wrong: [2, 1, 3],
    bad: badPools((options) => new nn.MaxPool1d(options)),
  },
  MaxPool2d: {
    make: () => new nn.MaxPool2d(2),
    fits: image,
    wrong: [2, 1, 5, 3],
    bad: badPools((options) => new nn.MaxPool2d(options)),
  },
  PReLU: {
    make: () => new nn.PReLU(3),
    fits: [2, 3],
    wrong: [2, 4],
    bad: [
      [/numParameters/, () => new nn.PReLU(0)],
      [/init/, () => new nn.PReLU(1, { init: NaN })],
    ],
  },
  ReLU: activation(() => new nn.ReLU()),
  ReLU6: activation(() => new nn.ReLU6()),
  Sequential: {
    make: () => new nn.Sequential(new nn.ReLU()),
    fits: [2, 3],
    bad: [[/modules/, () => new nn.Sequential(bad(multiply))]],
  },
  SiLU: activation(() => new nn.SiLU()),
  Sigmoid: activation(() => new nn.Sigmoid()),
  SmoothL1Loss: {
    make: () => new nn.SmoothL1Loss(),
    fits: [2, 3],
    wrong: [2, 4],
    bad: numbers('beta', (beta) => new nn.SmoothL1Loss({ beta }), [-1, NaN]),
  },
  Softmax: { ...activation(() => new nn.Softmax()), wrong: [] },
  Softplus: {
    ...activation(() => new nn.Softplus()),
    bad: [
      [/beta/, () => new nn.Softplus({ beta: 0 })],
      [/threshold/, () => new nn.Softplus({ threshold: NaN })],
    ],
  },
  SpatialPyramidPool2d: {
    make: () => new nn.SpatialPyramidPool2d([1, 2]),
    fits: image,
    wrong: [2, 3],
    bad: [
      [/levels/, () => new nn.SpatialPyramidPool2d([])],
      [/level/, () => new nn.SpatialPyramidPool2d([0])],
      [/mode/, () => new nn.SpatialPyramidPool2d([1], { mode: bad('min') })],
    ],
  },
  StochasticDepth: {
    make: () => new nn.StochasticDepth(0.5),
    fits: image,
    bad: [
      ...numbers('p', (p) => new nn.StochasticDepth(p), [1, -0.1, NaN]),
      [/mode/, () => new nn.StochasticDepth(0.5, bad('column'))],
    ],
  },
  Tanh: activation(() => new nn.Tanh()),
  Upsample: {
    make: () => new nn.Upsample({ scaleFactor: 2 }),
    fits: image,
    wrong: [2, 3],
    bad: [
      [/one of size and scaleFactor/, () => new nn.Upsample({})],
      [/scaleFactor/, () => new nn.Upsample({ scaleFactor: 0 })],
      [/size/, () => new nn.Upsample({ size: 0 })],
      [/mode/, () => new nn.Upsample({ size: 2, mode: bad('cubic') })],
      [/alignCorners/, () => new nn.Upsample({ size: 2, alignCorners: true })],
    ],
  },
};
