// SPDX-License-Identifier: Apache-2.0
// A tensor that belongs to a module's state but is not learnt: running statistics, counters. Modules find theirs by
// this class, as they find parameters.
import type { DType } from '../native/bindings.js';
import { emit } from '../native/bindings.js';
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
  /** @param options dtype 'float32' and value 0 are the defaults */
  constructor(shape: Shape, options: BufferOptions = {}) {
    const checked = checkShape('Buffer', shape);
    super(new Storage(sizeOf(checked), options.dtype ?? 'float32'), checked, false, false);
    emit('fill', [this.handle], [options.value ?? 0]);
  }
}
