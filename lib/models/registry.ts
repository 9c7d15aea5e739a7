// SPDX-License-Identifier: Apache-2.0
// Models by name, as the command line and saved files ask for them.
import { checkOptions, describe, didYouMean, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { Airbench } from './airbench.js';
import { AlexNet } from './alexnet.js';
import { AllCnnC } from './all-cnn-c.js';
import { CudaConvNet } from './cuda-convnet.js';
import { DeotteNet } from './deotte.js';
import type { ImageShape } from './image-shape.js';
import { LeNet5 } from './lenet5.js';
import { LeNet5Of1998 } from './lenet5-1998.js';
import { MobileNetV2 } from './mobilenet-v2.js';
import { NielsenNet } from './nielsen.js';
import { ResNet } from './resnet.js';
import { ResNetCifar } from './resnet-cifar.js';
import { Vgg } from './vgg.js';
import { VggCifar } from './vgg-cifar.js';
import { XONet } from './xo.js';

/** What a model is built for; its own defaults where nothing is said. */
export interface CreateModelOptions {
  readonly classes?: number | undefined;
  /** [h, w, c] */
  readonly inputShape?: ImageShape | undefined;
}

/** A model with fresh weights, and what it was built for. */
export interface CreatedModel {
  readonly name: string;
  readonly model: Module;
  readonly inputShape: ImageShape;
  readonly classes: number;
}

interface Builder {
  readonly inputShape: ImageShape;
  readonly classes: number;
  build(inputShape: ImageShape, classes: number): Module;
}

const IMAGENET = { inputShape: [224, 224, 3], classes: 1000 } as const;

/** What Nielsen's chapter ends with. */
const NIELSEN_DEEP = { convolutions: 2, hidden: [1000, 1000], activation: 'relu', dropout: 0.5 } as const;

const BUILDERS: Readonly<Record<string, Builder>> = {
  lenet5: {
    inputShape: [28, 28, 1],
    classes: 10,
    build: (inputShape, classes) => new LeNet5({ inputShape, classes }),
  },
  'lenet5-1998': {
    inputShape: [32, 32, 1],
    classes: 10,
    build: (inputShape, classes) => new LeNet5Of1998({ inputShape, classes }),
  },
  xo: {
    inputShape: [24, 24, 1],
    classes: 2,
    build: (inputShape, classes) => new XONet({ inputShape, classes }),
  },
  'nielsen-conv': {
    inputShape: [28, 28, 1],
    classes: 10,
    build: (inputShape, classes) => new NielsenNet({ inputShape, classes }),
  },
  'nielsen-dropout': {
    inputShape: [28, 28, 1],
    classes: 10,
    build: (inputShape, classes) => new NielsenNet({ inputShape, classes, ...NIELSEN_DEEP }),
  },
  deotte: {
    inputShape: [28, 28, 1],
    classes: 10,
    build: (inputShape, classes) => new DeotteNet({ inputShape, classes }),
  },
  'all-cnn-c': {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new AllCnnC({ inputShape, classes }),
  },
  'cuda-convnet': {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new CudaConvNet({ inputShape, classes }),
  },
  'vgg-cifar': {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new VggCifar({ inputShape, classes }),
  },
  'resnet18-cifar': {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new ResNetCifar(18, { inputShape, classes }),
  },
  'resnet20-cifar': {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new ResNetCifar(20, { inputShape, classes }),
  },
  airbench94: {
    inputShape: [32, 32, 3],
    classes: 10,
    build: (inputShape, classes) => new Airbench({ inputShape, classes }),
  },
  alexnet: { ...IMAGENET, build: (inputShape, classes) => new AlexNet({ inputShape, classes }) },
  vgg11: { ...IMAGENET, build: (inputShape, classes) => new Vgg(11, { inputShape, classes }) },
  vgg16: { ...IMAGENET, build: (inputShape, classes) => new Vgg(16, { inputShape, classes }) },
  resnet18: { ...IMAGENET, build: (inputShape, classes) => new ResNet(18, { inputShape, classes }) },
  resnet34: { ...IMAGENET, build: (inputShape, classes) => new ResNet(34, { inputShape, classes }) },
  resnet50: { ...IMAGENET, build: (inputShape, classes) => new ResNet(50, { inputShape, classes }) },
  'mobilenet-v2': { ...IMAGENET, build: (inputShape, classes) => new MobileNetV2({ inputShape, classes }) },
};

/** The names that `createModel` knows. */
export const modelNames: readonly string[] = Object.freeze(Object.keys(BUILDERS));

/**
 * Builds a model by name. Its weights follow from `manualSeed`.
 *
 * Throws ERR_ARGUMENT for an unknown name, and for sizes the model cannot have.
 */
export function createModel(name: string, options: CreateModelOptions = {}): CreatedModel {
  const builder = Object.hasOwn(BUILDERS, name) ? BUILDERS[name] : undefined;
  if (builder === undefined) {
    throw fail('ERR_ARGUMENT', {
      op: 'createModel',
      expected: `one of ${modelNames.join(', ')}`,
      received: describe(name),
      hint: didYouMean(name, modelNames),
    });
  }
  checkOptions('createModel', options, ['inputShape', 'classes']);
  const { inputShape = builder.inputShape, classes = builder.classes } = options;
  return { name, model: builder.build(inputShape, classes), inputShape, classes };
}
