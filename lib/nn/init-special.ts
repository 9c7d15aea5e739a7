// SPDX-License-Identifier: Apache-2.0
// Initialisers that are made element by element: truncated normal, orthogonal, dirac. Part of `nn.init`.
import { checkBooleans, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { checkFloat } from '../ops/check.js';
import { tensor as newTensor } from '../tensor/create.js';
import { type Generator, rand, randn } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { normalCdf, normalQuantile } from './normal-distribution.js';
import { orthonormalizeRows, transposed } from './orthogonal.js';

/** Which normal distribution, and between what. */
export interface TruncNormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Of the distribution before it is cut; above 0. Default 1. */
  readonly std?: number;
  /** The least value. Default -2. */
  readonly a?: number;
  /** The greatest value. Default 2. */
  readonly b?: number;
  /** Default: the generator that `manualSeed` sets. */
  readonly generator?: Generator;
}

/** Numbers of a draw in double precision, whatever the type they are for. */
function drawn(draw: typeof randn, tensor: Tensor, generator: Generator | undefined): Float64Array {
  using numbers = draw([tensor.size], { dtype: 'float64', ...(generator && { generator }) });
  return numbers.data() as Float64Array;
}

function fillWith(tensor: Tensor, values: Float64Array): Tensor {
  return tensor.write(tensor.dtype === 'float64' ? values : Float32Array.from(values));
}

/**
 * Normal with this mean and standard deviation, cut off at a and b: values outside are not moved to the bounds, there are
 * none. a and b are values, not standard deviations.
 */
export function truncNormal_(tensor: Tensor, options: TruncNormalOptions = {}): Tensor {
  const op = 'truncNormal_';
  checkFloat(op, 'tensor', tensor);
  checkOptions(op, options, ['mean', 'std', 'a', 'b', 'generator']);
  const { mean = 0, std = 1, a = -2, b = 2, generator } = options;
  const areFinite = [mean, std, a, b].every(Number.isFinite);
  if (!areFinite || std <= 0 || a >= b) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'finite mean, std above 0, and a below b',
      received: `mean ${describe(mean)}, std ${describe(std)}, a ${describe(a)}, b ${describe(b)}`,
    });
  }
  // The inverse of the distribution at uniform numbers; in its lower half, where shares keep their digits.
  const isAbove = a > mean;
  const [low, high] = isAbove ? [(mean - b) / std, (mean - a) / std] : [(a - mean) / std, (b - mean) / std];
  const [first, last] = [normalCdf(low), normalCdf(high)];
  const values = drawn(rand, tensor, generator).map((u) => {
    const z = normalQuantile(first + u * (last - first));
    return Math.min(b, Math.max(a, mean + std * (isAbove ? -z : z)));
  });
  return fillWith(tensor, values);
}

/** How to scale. */
export interface OrthogonalOptions {
  /** The length of each row or column. Default 1. */
  readonly gain?: number;
  /** Default: the generator that `manualSeed` sets. */
  readonly generator?: Generator;
}

/**
 * As a matrix [out, rest], rows at right angles to each other, of length `gain`; columns, where there are more rows than columns
 * (Saxe, McClelland and Ganguli 2014). It takes time as rows² · columns of the wider form: 4 s for [512, 3, 3, 512].
 */
export function orthogonal_(tensor: Tensor, options: OrthogonalOptions = {}): Tensor {
  const op = 'orthogonal_';
  checkFloat(op, 'tensor', tensor);
  checkOptions(op, options, ['gain', 'generator']);
  const { gain = 1, generator } = options;
  if (!Number.isFinite(gain)) {
    throw fail('ERR_ARGUMENT', { op, expected: 'gain to be a finite number', received: describe(gain) });
  }
  const { shape } = tensor;
  if (shape.length < 2) {
    const received = `[${shape.join(', ')}]`;
    throw fail('ERR_SHAPE', { op, expected: 'a tensor of rank 2 or more, [out, …, in]', received });
  }
  const rows = shape[0];
  const columns = tensor.size / rows;
  const random = drawn(randn, tensor, generator);
  if (rows <= columns) {
    orthonormalizeRows(random, rows, columns);
    return fillWith(
      tensor,
      random.map((value) => gain * value),
    );
  }
  const wide = transposed(random, rows, columns);
  orthonormalizeRows(wide, columns, rows);
  return fillWith(
    tensor,
    transposed(wide, columns, rows).map((value) => gain * value),
  );
}

/** What goes where. */
export interface DiracOptions {
  /** outC is a multiple of it. Default 1. */
  readonly groups?: number;
  /** Leave output channels beyond those that hand something on. Default false: they are 0. */
  readonly keepRest?: boolean;
}

/**
 * A convolution weight [outC, …, inC / groups] that hands its input on: channel i of each group goes to its output i, from the
 * middle of the window; output channels beyond are 0, or stay as they are.
 */
export function dirac_(tensor: Tensor, options: DiracOptions = {}): Tensor {
  const op = 'dirac_';
  checkFloat(op, 'tensor', tensor);
  checkOptions(op, options, ['groups', 'keepRest']);
  checkBooleans(op, { keepRest: options.keepRest });
  const groups = checkWhole(op, 'groups', options.groups ?? 1);
  const { shape } = tensor;
  if (shape.length < 3 || shape.length > 5 || shape[0] % groups !== 0) {
    throw fail('ERR_SHAPE', {
      op,
      expected: `a convolution weight [outC, …, inC], outC a multiple of ${groups}`,
      received: `[${shape.join(', ')}]`,
    });
  }
  const values = new Float64Array(tensor.size);
  const channels = shape[shape.length - 1];
  const window = shape.slice(1, -1);
  const middle = window.reduce((place, length) => place * length + Math.floor(length / 2), 0);
  const size = tensor.size / shape[0];
  const outputs = shape[0] / groups;
  for (let out = 0; out < shape[0]; out++) {
    const channel = out % outputs;
    if (channel < channels) values[out * size + middle * channels + channel] = 1;
  }
  if (options.keepRest !== true) return fillWith(tensor, values);
  using all = newTensor(values, shape, { dtype: tensor.dtype });
  const count = Math.min(channels, outputs) * size;
  for (let group = 0; group < groups; group++) {
    const first = group * outputs * size;
    emit('copy_columns', [tensor.handle, all.handle], [1, count, tensor.size, first, all.size, first]);
  }
  return tensor;
}
