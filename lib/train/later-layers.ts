// SPDX-License-Identifier: Apache-2.0
// What is left of a model behind layers whose features were kept.
import { fail } from '../errors.js';
import { layersInRow } from '../nn/chain.js';
import { Module, type Slot } from '../nn/module.js';
import { reshape } from '../ops/reshape.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The layers of a chain from one on. Parameters, buffers and their names are those of the whole model, so that checkpoints and
 * errors are the same.
 *
 * Shapes: x [n, ...] with as many numbers an image as the layers left out make of it.
 */
export class LaterLayers extends Module {
  readonly model: Module;
  readonly #first: number;
  readonly #shape: Shape;

  /** @param shape of what the layers before `first` make of an image */
  constructor(model: Module, first: number, shape: Shape) {
    super();
    this.model = model;
    this.#first = first;
    this.#shape = shape;
  }

  override forward(x: Tensor): Tensor {
    const features = reshape(x, [x.shape[0], ...this.#shape]);
    return this.model.inspect((model) => {
      const layers = layersInRow(model);
      if (layers.slice(0, this.#first).some(learns)) {
        throw fail('ERR_ARGUMENT', {
          op: 'fit',
          expected: 'layers whose features were computed once to stay frozen while it trains',
          received: 'one that was let go',
          hint: 'cacheFeatures: false computes them in every step',
        });
      }
      return layers.slice(this.#first).reduce((y, layer) => layer.call(y), features);
    });
  }

  protected override slots(): Iterable<Slot> {
    return [{ owner: this, key: 'model', name: '', value: this.model }];
  }
}

/** Whether a layer has parameters that want gradients. */
export const learns = (layer: Module): boolean => layer.parameters().some(({ requiresGrad }) => requiresGrad);
