// SPDX-License-Identifier: Apache-2.0
// Initialisers: they fill a tensor in place and return it, as the trailing underscore says. Fans follow the layout:
// linear weights are [out, in], convolution weights [outC, kH, kW, inC].
import { checkOptions, describe, didYouMean, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { checkTensor } from '../ops/check.js';
import { type Generator, type RandomOptions, rand, randn } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';

export {
  type DiracOptions,
  dirac_,
  type OrthogonalOptions,
  orthogonal_,
  type TruncNormalOptions,
  truncNormal_,
} from './init-special.js';
export { type WhiteningOptions, whitening_ } from './init-whitening.js';

/** What follows a layer. */
const NONLINEARITIES = ['linear', 'conv', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu'] as const;
export type Nonlinearity = (typeof NONLINEARITIES)[number];

/** Which fan keeps its variance, and what follows the layer. */
export interface KaimingOptions {
  /** Slope of a leaky ReLU behind the layer. Default 0: a plain ReLU. */
  readonly a?: number;
  /** What follows the layer, for its gain. Default 'leakyRelu', with slope `a`. */
  readonly nonlinearity?: Nonlinearity;
  /** 'fanIn' (default) keeps the variance of activations, 'fanOut' that of gradients. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** Default: the generator that `manualSeed` sets. */
  readonly generator?: Generator;
}

/** How to scale. */
export interface XavierOptions {
  /** Factor of the standard deviation, such as `calculateGain('tanh')`. Default 1. */
  readonly gain?: number;
  /** Default: the generator that `manualSeed` sets. */
  readonly generator?: Generator;
}

/** How many inputs one output has (fanIn), and how many outputs one input reaches (fanOut). */
export function fansOf(weight: Tensor): { fanIn: number; fanOut: number } {
  checkTensor('init', 'weight', weight);
  const { shape } = weight;
  if (shape.length < 2) {
    throw fail('ERR_SHAPE', {
      op: 'init',
      expected: 'a weight of rank 2 or more, [out, …, in]',
      received: `[${shape.join(', ')}]`,
    });
  }
  const window = shape.slice(1, -1).reduce((product, length) => product * length, 1);
  return { fanIn: window * shape[shape.length - 1], fanOut: window * shape[0] };
}

/**
 * The factor by which weights are larger so that signals keep their size behind a nonlinearity, as PyTorch has it: 1 for
 * 'linear', 'conv' and 'sigmoid', 5/3 for 'tanh', sqrt(2) for 'relu', sqrt(2 / (1 + slope²)) for 'leakyRelu', 3/4 for 'selu'.
 *
 * @param slope of 'leakyRelu' alone; default 0.01
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'conv':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + checkFinite('calculateGain', 'slope', slope) ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw fail('ERR_ARGUMENT', {
        op: 'calculateGain',
        expected: `nonlinearity to be one of ${NONLINEARITIES.join(', ')}`,
        received: describe(nonlinearity),
        hint: didYouMean(nonlinearity, NONLINEARITIES),
      });
  }
}

function kaimingStd(op: string, weight: Tensor, options: KaimingOptions): number {
  checkOptions(op, options, ['a', 'mode', 'nonlinearity', 'generator']);
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  if (mode !== 'fanIn' && mode !== 'fanOut') {
    throw fail('ERR_ARGUMENT', { op, expected: "mode 'fanIn' or 'fanOut'", received: describe(mode) });
  }
  return calculateGain(nonlinearity, checkFinite(op, 'a', a)) / Math.sqrt(fansOf(weight)[mode]);
}

function xavierStd(op: string, weight: Tensor, options: XavierOptions): number {
  checkOptions(op, options, ['gain', 'generator']);
  const { gain = 1 } = options;
  const { fanIn, fanOut } = fansOf(weight);
  return checkFinite(op, 'gain', gain) * Math.sqrt(2 / (fanIn + fanOut));
}

function checkFinite(op: string, name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} to be a finite number`, received: describe(value) });
}

/** The options of a draw in the type of `like`. */
function drawn(like: Tensor, generator: Generator | undefined): RandomOptions {
  checkTensor('init', 'tensor', like);
  return { dtype: like.dtype, ...(generator && { generator }) };
}

function copyFrom(to: Tensor, from: Tensor): Tensor {
  emit('copy', [to.handle, from.handle]);
  from.dispose();
  return to;
}

/** Uniform in [low, high). */
export function uniform_(tensor: Tensor, low = 0, high = 1, generator?: Generator): Tensor {
  checkFinite('uniform_', 'low', low);
  checkFinite('uniform_', 'high', high);
  const options = { ...drawn(tensor, generator), low, high };
  return copyFrom(tensor, rand(tensor.shape, options));
}

/** Normal with this mean and standard deviation. */
export function normal_(tensor: Tensor, mean = 0, std = 1, generator?: Generator): Tensor {
  checkFinite('normal_', 'mean', mean);
  checkFinite('normal_', 'std', std);
  const options = { ...drawn(tensor, generator), mean, std };
  return copyFrom(tensor, randn(tensor.shape, options));
}

/** One value everywhere. */
export function constant_(tensor: Tensor, value: number): Tensor {
  checkTensor('constant_', 'tensor', tensor);
  emit('fill', [tensor.handle], [checkFinite('constant_', 'value', value)]);
  return tensor;
}

/** 0 everywhere. */
export function zeros_(tensor: Tensor): Tensor {
  return constant_(tensor, 0);
}

/** 1 everywhere. */
export function ones_(tensor: Tensor): Tensor {
  return constant_(tensor, 1);
}

/** Uniform in ±sqrt(6 / ((1 + a²) fan)) (He et al. 2015), for layers before a ReLU. */
export function kaimingUniform_(weight: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', weight, options);
  return uniform_(weight, -bound, bound, options.generator);
}

/** Normal with standard deviation sqrt(2 / ((1 + a²) fan)) (He et al. 2015), for layers before a ReLU. */
export function kaimingNormal_(weight: Tensor, options: KaimingOptions = {}): Tensor {
  return normal_(weight, 0, kaimingStd('kaimingNormal_', weight, options), options.generator);
}

/** Uniform in ±gain sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010), for layers before tanh or a sigmoid. */
export function xavierUniform_(weight: Tensor, options: XavierOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierStd('xavierUniform_', weight, options);
  return uniform_(weight, -bound, bound, options.generator);
}

/** Normal with standard deviation gain sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierNormal_(weight: Tensor, options: XavierOptions = {}): Tensor {
  return normal_(weight, 0, xavierStd('xavierNormal_', weight, options), options.generator);
}

/**
 * What PyTorch gives convolutions and linear layers: weight and bias uniform in ±1 / sqrt(fanIn), which for the weight
 * is `kaimingUniform_` with a = sqrt(5).
 */
export function defaultInit_(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  const bound = 1 / Math.sqrt(fansOf(weight).fanIn);
  if (bias !== null) uniform_(bias, -bound, bound);
}
