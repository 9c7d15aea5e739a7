// SPDX-License-Identifier: Apache-2.0
// The layers that a search space is made of: their settings, the module that each becomes, and its line in a table.
import { ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from '../nn/activations.js';
import { BatchNorm2d } from '../nn/batch-norm.js';
import { Conv2d } from '../nn/conv2d.js';
import { Dropout } from '../nn/dropout.js';
import { Flatten } from '../nn/flatten.js';
import { GlobalAvgPool2d } from '../nn/global-avg-pool2d.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { AvgPool2d, MaxPool2d } from '../nn/pool2d.js';
import type { Shape } from '../tensor/shape.js';
import { named, type Rule, real, truth, type Value, whole } from './choice.js';

/** Settings of one layer by name, all of them settled. */
export type Settings = Readonly<Record<string, Value>>;

/** A layer of a trial: its kind and its settings, as in a space with one value for each choice. */
export interface TrialLayer {
  readonly kind: LayerKindName;
  readonly settings: Settings;
}

const ACTIVATIONS: Readonly<Record<string, (() => Module) | undefined>> = {
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(),
  elu: () => new ELU(),
  gelu: () => new GELU(),
  silu: () => new SiLU(),
  tanh: () => new Tanh(),
  sigmoid: () => new Sigmoid(),
  none: undefined,
};

/** What may follow a convolution or a linear layer. */
export const activation: Rule = named(Object.keys(ACTIVATIONS));

const activate = (name: Value): Module[] => {
  const make = ACTIVATIONS[name as string];
  return make === undefined ? [] : [make()];
};

const wholePadding = whole(0);

/** A convolution's padding: pixels on each side, or 'same'. */
const padding: Rule = {
  expected: "a whole number of at least 0, or 'same'",
  holds: (value) => value === 'same' || wholePadding.holds(value),
};

interface LayerKind {
  readonly rules: Readonly<Record<string, Rule>>;
  /** What must be given; all else has a default. */
  readonly required: readonly string[];
  /** The modules, for an input of this shape: [1, h, w, c], or [1, features] behind a linear layer. */
  readonly build: (settings: Settings, shape: Shape) => Module[];
  readonly text: (settings: Settings) => string;
}

const number = (value: Value) => value as number;
const isImage = (shape: Shape) => shape.length === 4;

/** As given, or what keeps the size: at a stride, half of the window on each side. */
function paddingOf({ padding: asked = 0, size, stride = 1 }: Settings): number | 'same' {
  if (asked !== 'same') return number(asked);
  return stride === 1 ? 'same' : Math.floor(number(size) / 2);
}

function window({ size, stride }: Settings, usual: Value): string {
  return `${size}x${size}${stride === undefined || stride === usual ? '' : `/${stride}`}`;
}

export const LAYER_KINDS = {
  conv: {
    rules: {
      features: whole(1),
      size: whole(1),
      stride: whole(1),
      padding,
      batchNorm: truth,
      activation,
    },
    required: ['features', 'size'],
    build: (settings, shape) => {
      const { features, size, stride = 1, batchNorm = false } = settings;
      return [
        new Conv2d(shape[shape.length - 1], number(features), {
          kernelSize: number(size),
          stride: number(stride),
          padding: paddingOf(settings),
        }),
        ...(batchNorm === true ? [new BatchNorm2d(number(features))] : []),
        ...activate(settings.activation),
      ];
    },
    text: (settings) => {
      const extras = [
        ...(settings.padding === undefined || settings.padding === 0 ? [] : [`pad ${settings.padding}`]),
        ...(settings.batchNorm === true ? ['norm'] : []),
        settings.activation,
      ];
      return `conv ${settings.features} ${window(settings, 1)} ${extras.join(' ')}`;
    },
  },
  pool: {
    rules: { kind: named(['max', 'avg']), size: whole(1), stride: whole(1), padding: wholePadding },
    required: [],
    build: ({ kind = 'max', size = 2, stride = size, padding: pad = 0 }) => {
      const options = { kernelSize: number(size), stride: number(stride), padding: number(pad) };
      return [kind === 'avg' ? new AvgPool2d(options) : new MaxPool2d(options)];
    },
    text: ({ kind = 'max', size = 2, stride, padding: pad = 0 }) =>
      `${kind} ${window({ size, ...(stride !== undefined && { stride }) }, size)}${pad === 0 ? '' : ` pad ${pad}`}`,
  },
  globalPool: { rules: {}, required: [], build: () => [new GlobalAvgPool2d()], text: () => 'global avg' },
  dropout: {
    rules: { p: real({ below: 1 }) },
    required: ['p'],
    build: ({ p }) => [new Dropout(number(p))],
    text: ({ p }) => `dropout ${p}`,
  },
  linear: {
    rules: { features: whole(1), activation },
    required: ['features'],
    build: ({ features, activation: name }, shape) => [...linear(shape, number(features)), ...activate(name)],
    text: ({ features, activation: name }) => `linear ${features} ${name}`,
  },
} satisfies Readonly<Record<string, LayerKind>>;

export type LayerKindName = keyof typeof LAYER_KINDS;

/** The kinds whose activation is that of the space, where they have none of their own. */
export const ACTIVATED: readonly string[] = ['conv', 'linear'];

/** A linear layer, and the flattening before it where feature maps come in. */
export function linear(shape: Shape, features: number): Module[] {
  if (!isImage(shape)) return [new Linear(shape[1], features)];
  const [h, w, c] = shape.slice(1);
  return [new Flatten(), new Linear(h * w * c, features, { flattenedFrom: [h, w, c] })];
}

export const kindOf = (name: LayerKindName): LayerKind => LAYER_KINDS[name];
