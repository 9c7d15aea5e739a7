// SPDX-License-Identifier: Apache-2.0
// A tensor that a model learns. Modules find theirs by this class.
import type { DType } from '../native/bindings.js';
import { emit } from '../native/bindings.js';
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * A leaf tensor with requiresGrad, full of zeros until an initialiser of `nn.init` fills it. It belongs to no scope: it
 * lives as long as its module.
 */
export class Parameter extends Tensor {
  /**
   * @param shape convolution weights are [outC, kH, kW, inC], linear weights [out, in]
   * @param dtype default 'float32'
   */
  constructor(shape: Shape, dtype: DType & ('float32' | 'float64') = 'float32') {
    const checked = checkShape('Parameter', shape, 'fill it afterwards, by write(x.data()) or nn.init');
    super(new Storage(sizeOf(checked), dtype), checked, true, false);
    emit('fill', [this.handle], [0]);
  }
}
