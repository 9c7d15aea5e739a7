// SPDX-License-Identifier: Apache-2.0
// The order in which files hold weights: PyTorch's. Convolutions are [outC, inC, kH, kW] there and [outC, kH, kW, inC]
// here; columns of a linear layer behind a flatten run over c, h, w there and over h, w, c here. One permutation.
import type { TypedArray } from '../native/bindings.js';
import { Conv2d } from '../nn/conv2d.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';

/** How one parameter is exchanged. */
export interface ExchangeLayout {
  /** Its shape in the file. */
  readonly fileShape: readonly number[];
  toFile(values: TypedArray): TypedArray;
  fromFile(values: TypedArray): TypedArray;
}

/** The layouts of all parameters of a model, by name. */
export function exchangeLayouts(model: Module): Map<string, ExchangeLayout> {
  const permuted = new Map<Parameter, ExchangeLayout>();
  for (const module of model.modules()) {
    if (module instanceof Conv2d) {
      const [o, h, w, i] = module.weight.shape;
      permuted.set(module.weight, channelsFirst([o, h, w, i], [o, i, h, w]));
    } else if (module instanceof Linear && module.flattenedFrom !== undefined) {
      permuted.set(
        module.weight,
        channelsFirst([module.outFeatures, ...module.flattenedFrom], module.weight.shape),
      );
    }
  }
  const same = (values: TypedArray) => values;
  return new Map(
    model.namedParameters().map(([name, parameter]) => {
      const plain = { fileShape: parameter.shape, toFile: same, fromFile: same };
      return [name, permuted.get(parameter) ?? plain];
    }),
  );
}

/** [a, h, w, c] here, [a, c, h, w] in the file. */
function channelsFirst(shape: readonly number[], fileShape: readonly number[]): ExchangeLayout {
  const [a, h, w, c] = shape;
  return {
    fileShape,
    toFile: (values) => swapInner(values, a, h * w, c),
    fromFile: (values) => swapInner(values, a, c, h * w),
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
