// SPDX-License-Identifier: Apache-2.0
// Models that are their layers in a row. Of them it is known what is computed before what.
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/**
 * A model whose forward pass is its layers, one after another, and nothing else. A model that says so by `layers` can be cut
 * between any two of them: `fit` computes the features of frozen layers at its beginning once (`cacheFeatures`). One that has a `forward`
 * of its own is no chain any more.
 */
export abstract class Chain extends Module {
  /** The layers in the order of the forward pass. One without weights, such as an activation, may come more than once. */
  abstract layers(): readonly Module[];

  override forward(x: Tensor): Tensor {
    return this.layers().reduce((y, layer) => layer.call(y), x);
  }
}

/** The layers of a model in a row, those of chains in chains one by one; the model itself where it is no chain. */
export function layersInRow(model: Module): readonly Module[] {
  return isChain(model) ? model.layers().flatMap(layersInRow) : [model];
}

/** Whether it runs its layers and does nothing besides: a subclass may have another forward pass. */
function isChain(model: Module): model is Chain {
  if (!(model instanceof Chain)) return false;
  return model.forward === Chain.prototype.forward && model.call === Module.prototype.call;
}
