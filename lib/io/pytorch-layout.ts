// SPDX-License-Identifier: Apache-2.0
// The order in which files hold weights: PyTorch's. Convolutions are [outC, inC / groups, kH, kW] there and
// [outC, kH, kW, inC / groups] here, transposed ones [inC, outC / groups, kH, kW] and [inC, kH, kW, outC / groups]; columns of a
// linear layer behind a flatten, and the elements of a layer normalisation, run over c, h, w there and over h, w, c here. One
// permutation. Counters have 64 bits there and 32 here.
import type { TypedArray } from '../native/bindings.js';
import { Convolution } from '../nn/convolution.js';
import { LayerNorm } from '../nn/layer-norm.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import { sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** How one parameter or buffer is exchanged. */
export interface ExchangeLayout {
  /** Its shape in the file. */
  readonly fileShape: readonly number[];
  /** Whether it holds whole numbers, of 64 bits in the file. */
  readonly int64: boolean;
  toFile(values: TypedArray): TypedArray;
  fromFile(values: TypedArray): TypedArray;
}

/** The layouts of all parameters and buffers of a model, by name, in the order of its state dict. */
export function exchangeLayouts(model: Module): Map<string, ExchangeLayout> {
  return model.inspect(layoutsOf);
}

function layoutsOf(model: Module): Map<string, ExchangeLayout> {
  const permuted = new Map<Tensor, ExchangeLayout>();
  for (const module of model.modules()) {
    if (module instanceof Convolution) {
      const { shape } = module.weight;
      const [first, last, kernel] = [shape[0], shape[shape.length - 1], shape.slice(1, -1)];
      permuted.set(module.weight, channelsFirst([first, ...kernel, last], [first, last, ...kernel]));
    } else if (module instanceof Linear && module.flattenedFrom !== undefined) {
      permuted.set(
        module.weight,
        channelsFirst([module.outFeatures, ...module.flattenedFrom], module.weight.shape),
      );
    } else if (module instanceof LayerNorm && module.normalizedShape.length > 1) {
      const shape = module.normalizedShape;
      const channels = shape[shape.length - 1];
      const layout = channelsFirst(
        [1, 1, sizeOf(shape) / channels, channels],
        [channels, ...shape.slice(0, -1)],
      );
      for (const parameter of [module.weight, module.bias]) {
        if (parameter !== null) permuted.set(parameter, layout);
      }
    }
  }
  const same = (values: TypedArray) => values;
  return new Map(
    [...model.stateDict()].map(([name, tensor]) => {
      const int64 = tensor.dtype === 'int32';
      const plain = { fileShape: tensor.shape, int64, toFile: same, fromFile: same };
      return [name, permuted.get(tensor) ?? plain];
    }),
  );
}

/** [a, …, c] here, [a, c, …] in the file. */
function channelsFirst(shape: readonly number[], fileShape: readonly number[]): ExchangeLayout {
  const [a, c, rows] = [shape[0], shape[shape.length - 1], sizeOf(shape.slice(1, -1))];
  return {
    fileShape,
    int64: false,
    toFile: (values) => swapInner(values, a, rows, c),
    fromFile: (values) => swapInner(values, a, c, rows),
  };
}

/** [a, rows, columns] as [a, columns, rows]. */
function swapInner(values: TypedArray, a: number, rows: number, columns: number): TypedArray {
  const swapped = values.slice();
  const block = rows * columns;
  for (let start = 0; start < a * block; start += block) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        swapped[start + column * rows + row] = values[start + row * columns + column];
      }
    }
  }
  return swapped;
}
