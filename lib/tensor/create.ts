// SPDX-License-Identifier: Apache-2.0
// New tensors from numbers.
import { describe, fail } from '../errors.js';
import { DTYPES, type DType, emit, type TypedArray } from '../native/bindings.js';
import { checkShape, type Shape, sizeOf } from './shape.js';
import { arrayFor, Tensor } from './tensor.js';

/** Element type and whether gradients are wanted. */
export interface TensorOptions {
  /** Default: 'float32'; for typed arrays their own type. */
  readonly dtype?: DType;
  /** Default false. Only floating-point tensors can have gradients. */
  readonly requiresGrad?: boolean;
}

function checkOptions(op: string, options: TensorOptions, fallback: DType): Required<TensorOptions> {
  const dtype = options.dtype ?? fallback;
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

function dtypeOf(data: TypedArray | readonly number[]): DType {
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'uint8';
  return 'float32';
}

/**
 * A tensor with the given elements, in row-major order; they are copied.
 *
 * @param data typed array or array of numbers
 * @param shape default: one dimension of all elements
 */
export function tensor(
  data: TypedArray | readonly number[],
  shape: Shape = [data.length],
  options: TensorOptions = {},
): Tensor {
  if (!ArrayBuffer.isView(data) && !Array.isArray(data)) {
    throw fail('ERR_ARGUMENT', {
      op: 'tensor',
      expected: 'a typed array or an array of numbers',
      received: describe(data),
    });
  }
  const checked = checkShape('tensor', shape);
  const { dtype, requiresGrad } = checkOptions('tensor', options, dtypeOf(data));
  const size = sizeOf(checked);
  if (data.length !== size) {
    throw fail('ERR_SHAPE', {
      op: 'tensor',
      expected: `${size} elements for shape [${checked.join(', ')}]`,
      received: `${data.length}`,
      hint: data.length === 0 ? 'was its buffer transferred (detached)?' : undefined,
    });
  }
  const sameType = ArrayBuffer.isView(data) && dtypeOf(data) === dtype;
  const values = sameType ? (data as TypedArray) : arrayFor(dtype, size);
  if (!sameType) values.set(data);
  const result = Tensor.empty(checked, dtype, requiresGrad);
  return result.write(values);
}

/** A tensor of one value. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  const checked = checkShape('full', shape);
  const { dtype, requiresGrad } = checkOptions('full', options, 'float32');
  const result = Tensor.empty(checked, dtype, requiresGrad);
  emit('fill', [result.handle], [value]);
  return result;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}
