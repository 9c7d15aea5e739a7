// SPDX-License-Identifier: Apache-2.0
// Elementwise activations: any shape goes in, the same comes out. Each is a row of the native list in
// native/kernels/activation_kernels.h; here it gets its name, its options and their defaults.
import { checkNumber, checkOptions, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { markPoolWindow, poolWindowOf } from './pool-window.js';
import { record } from './record.js';

/** How to smooth. */
export interface SoftplusOptions {
  /** Steepness, above 0. Default 1. */
  readonly beta?: number;
  /** Where beta * x exceeds it, the result is x itself. Default 20. */
  readonly threshold?: number;
}

/** How exact to be. */
export interface GeluOptions {
  /** 'none' (default): the normal distribution itself. 'tanh': the approximation of the paper. */
  readonly approximate?: 'none' | 'tanh';
}

/**
 * What the backward pass works from: the output, where the gradient follows from it, so that the input need not be kept
 * and may be overwritten; else the input.
 */
const KEPT = {
  elu: 'input',
  gelu: 'input',
  gelu_tanh: 'input',
  hardswish: 'input',
  leaky_relu: 'output',
  relu: 'output',
  relu6: 'output',
  sigmoid: 'output',
  silu: 'input',
  softplus: 'input',
  tanh: 'output',
} as const;

/** @param numbers the options of the native list, in its order */
function activation(
  op: string,
  instruction: keyof typeof KEPT,
  x: Tensor,
  numbers: readonly number[] = [],
  kept: 'input' | 'output' = KEPT[instruction],
): Tensor {
  checkFloat(op, 'input', x);
  const y = Tensor.empty(x.shape, x.dtype);
  compute(`${instruction}_forward`, [y], [x], numbers);
  return record(op, y, [x], [kept === 'input' ? x : y], (dy, [saved]) => {
    const dx = Tensor.empty(saved.shape, saved.dtype);
    emit(`${instruction}_backward`, [dx.handle, dy.handle, saved.handle], numbers);
    markPoolWindow(dx, poolWindowOf(dy)); // what was zero stays zero
    return [dx];
  });
}

/** @internal The instruction of a GELU; refuses options that are none. */
export function geluInstruction(op: string, options: GeluOptions): 'gelu' | 'gelu_tanh' {
  checkOptions(op, options, ['approximate']);
  const { approximate = 'none' } = options;
  if (approximate === 'none') return 'gelu';
  if (approximate === 'tanh') return 'gelu_tanh';
  throw fail('ERR_ARGUMENT', {
    op,
    expected: "approximate to be 'none' or 'tanh'",
    received: describe(approximate),
  });
}

/** @internal Beta and threshold; refuses options that are none. */
export function softplusNumbers(op: string, options: SoftplusOptions): [beta: number, threshold: number] {
  checkOptions(op, options, ['beta', 'threshold']);
  const { beta = 1, threshold = 20 } = options;
  if (!(Number.isFinite(beta) && beta > 0)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'beta to be a finite number above 0',
      received: describe(beta),
    });
  }
  return [beta, checkNumber(op, 'threshold', threshold)];
}

/** x above 0, alpha (e^x - 1) elsewhere (Clevert et al. 2016). Any shape. */
export function elu(x: Tensor, alpha = 1): Tensor {
  return activation('elu', 'elu', x, [checkNumber('elu', 'alpha', alpha)]);
}

/**
 * x times the share of the standard normal distribution that lies below x (Hendrycks and Gimpel 2016). Any shape. With
 * `approximate: 'tanh'`, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))) / 2.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  return activation('gelu', geluInstruction('gelu', options), x);
}

/** x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). Any shape. */
export function hardswish(x: Tensor): Tensor {
  return activation('hardswish', 'hardswish', x);
}

/** x above 0, negativeSlope * x elsewhere; the gradient at 0 is negativeSlope. Any shape. */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  const slope = checkNumber('leakyRelu', 'negativeSlope', negativeSlope);
  // With a negative slope, the output does not tell the sign of the input.
  return activation('leakyRelu', 'leaky_relu', x, [slope], slope < 0 ? 'input' : 'output');
}

/** max(x, 0); the gradient at 0 is 0, NaN stays NaN. Any shape. */
export function relu(x: Tensor): Tensor {
  return activation('relu', 'relu', x);
}

/** min(max(x, 0), 6) (Howard et al. 2017); the gradient at 0 and 6 is 0, NaN stays NaN. Any shape. */
export function relu6(x: Tensor): Tensor {
  return activation('relu6', 'relu6', x);
}

/** 1 / (1 + e^-x). Any shape. */
export function sigmoid(x: Tensor): Tensor {
  return activation('sigmoid', 'sigmoid', x);
}

/** x sigmoid(x), also called swish. Any shape. */
export function silu(x: Tensor): Tensor {
  return activation('silu', 'silu', x);
}

/** log(1 + e^(beta x)) / beta, and x itself where beta x > threshold. Any shape. */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  return activation('softplus', 'softplus', x, softplusNumbers('softplus', options));
}

/** The hyperbolic tangent. Any shape. */
export function tanh(x: Tensor): Tensor {
  return activation('tanh', 'tanh', x);
}
