// SPDX-License-Identifier: Apache-2.0
// New tensors from numbers.
import { checkOptions, describe, fail } from '../errors.js';
import { DTYPES, type DType, emit, type TypedArray } from '../native/bindings.js';
import { checkShape, type Shape, sizeOf } from './shape.js';
import { arrayFor, dtypeOfArray, Tensor } from './tensor.js';

/** Element type and whether gradients are wanted. */
export interface TensorOptions {
  /** Default: 'float32'; for typed arrays their own type. */
  readonly dtype?: DType;
  /** Default false. Only floating-point tensors can have gradients. */
  readonly requiresGrad?: boolean;
}

const OPTIONS = ['dtype', 'requiresGrad'];

/** The options with their defaults; refuses what a tensor cannot have. */
function completed(op: string, options: TensorOptions, fallback: DType): Required<TensorOptions> {
  checkOptions(op, options, OPTIONS);
  const dtype = options.dtype === undefined ? fallback : options.dtype;
  if (!DTYPES.includes(dtype)) {
    throw fail('ERR_DTYPE', { op, expected: `one of ${DTYPES.join(', ')}`, received: describe(dtype) });
  }
  const requiresGrad = options.requiresGrad ?? false;
  if (requiresGrad && dtype !== 'float32' && dtype !== 'float64') {
    throw fail('ERR_DTYPE', {
      op,
      expected: 'float32 or float64 where requiresGrad is set',
      received: dtype,
    });
  }
  return { dtype, requiresGrad };
}

/** Refuses what is not an array of numbers, of whatever kind. */
function checkNumbers(data: unknown): void {
  const isTyped = ArrayBuffer.isView(data) && Object.prototype.toString.call(data) !== '[object DataView]';
  const isList = Array.isArray(data) || (isTyped && typeof (data as TypedArray)[0] !== 'bigint');
  if (!isList) {
    throw fail('ERR_ARGUMENT', {
      op: 'tensor',
      expected: 'a typed array or an array of numbers',
      received: describe(data),
    });
  }
  if (!Array.isArray(data)) return;
  for (let i = 0; i < data.length; i++) {
    if (typeof data[i] === 'number') continue;
    throw fail('ERR_ARGUMENT', {
      op: 'tensor',
      expected: 'numbers only',
      received: `${describe(data[i])} at element ${i}`,
      hint: Array.isArray(data[i]) ? 'flatten nested arrays, and give the shape beside them' : undefined,
    });
  }
}

const WHOLE_RANGES = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] } as const;

/** Refuses a value that a tensor of `dtype` cannot hold. */
function checkValue(op: string, value: number, dtype: DType): void {
  if (dtype === 'int32' || dtype === 'uint8') {
    const [low, high] = WHOLE_RANGES[dtype];
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `a whole number from ${low} to ${high} for ${dtype}`,
      received: describe(value),
    });
  }
  if (typeof value === 'number') return;
  throw fail('ERR_ARGUMENT', { op, expected: 'a number', received: describe(value) });
}

/**
 * A tensor with the given elements, in row-major order; they are copied. Where they are converted to whole numbers
 * they must be such, in range: ERR_ARGUMENT.
 *
 * @param data typed array or array of numbers; its own type is the default dtype, float32 where it has none of ours
 * @param shape default: one dimension of all elements
 */
export function tensor(
  data: TypedArray | readonly number[],
  shape?: Shape,
  options: TensorOptions = {},
): Tensor {
  checkNumbers(data);
  const meant = 'options come third: tensor(data, shape, options)';
  const checked = checkShape('tensor', shape === undefined ? [data.length] : shape, meant);
  const ownType = dtypeOfArray(data);
  const { dtype, requiresGrad } = completed('tensor', options, ownType ?? 'float32');
  const size = sizeOf(checked);
  if (data.length !== size) {
    throw fail('ERR_SHAPE', {
      op: 'tensor',
      expected: `${size} elements for shape [${checked.join(', ')}]`,
      received: `${data.length}`,
      hint: data.length === 0 ? 'was its buffer transferred (detached)?' : undefined,
    });
  }
  const values = ownType === dtype ? (data as TypedArray) : arrayFor(dtype, size);
  if (values !== data) {
    if (dtype === 'int32' || dtype === 'uint8') for (const value of data) checkValue('tensor', value, dtype);
    values.set(data);
  }
  return Tensor.empty(checked, dtype, requiresGrad).write(values);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  const checked = checkShape(op, shape);
  const { dtype, requiresGrad } = completed(op, options, 'float32');
  checkValue(op, value, dtype);
  const result = Tensor.empty(checked, dtype, requiresGrad);
  emit('fill', [result.handle], [value]);
  return result;
}

/** A tensor of one value, float32 unless the options say otherwise. Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return filled('full', shape, value, options);
}

/** A tensor of zeros, float32 unless the options say otherwise. Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones, float32 unless the options say otherwise. Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}
