// SPDX-License-Identifier: Apache-2.0
// A tensor that belongs to a module's state but is not learnt: running statistics, counters. Modules find theirs by
// this class, as they find parameters.
import { checkOptions, describe, fail } from '../errors.js';
import { DTYPES, type DType, emit } from '../native/bindings.js';
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';

/** What a buffer starts as. */
export interface BufferOptions {
  /** Default 'float32'. Files hold int32 buffers as 64-bit numbers, as PyTorch's are. */
  readonly dtype?: DType;
  /** Every element at first. Default 0. */
  readonly value?: number;
}

/** A tensor without a gradient, saved and loaded with its module. It belongs to no scope: it lives as long as its module. */
export class Buffer extends Tensor {
  /**
   * @param options dtype 'float32' and value 0 are the defaults
   *
   * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT.
   */
  constructor(shape: Shape, options: BufferOptions = {}) {
    const checked = checkShape('Buffer', shape);
    const { dtype, value } = checkBuffer(options);
    super(new Storage(sizeOf(checked), dtype), checked, false, false);
    emit('fill', [this.handle], [value]);
  }
}

function checkBuffer(options: BufferOptions): { readonly dtype: DType; readonly value: number } {
  checkOptions('Buffer', options, ['dtype', 'value']);
  const { dtype = 'float32', value = 0 } = options;
  if (!DTYPES.includes(dtype)) {
    const expected = `one of ${DTYPES.join(', ')}`;
    throw fail('ERR_DTYPE', { op: 'Buffer', expected, received: describe(dtype) });
  }
  if (typeof value === 'number') return { dtype, value };
  throw fail('ERR_ARGUMENT', { op: 'Buffer', expected: 'value to be a number', received: describe(value) });
}
