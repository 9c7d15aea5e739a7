// SPDX-License-Identifier: Apache-2.0
// Layers one after the other.
import { describe, fail } from '../errors.js';
import { Chain } from './chain.js';
import { Module, type Slot, slotsOf } from './module.js';

/** Gives its input to the first module, what that makes of it to the second, and so on. Their names are '0', '1', … */
export class Sequential extends Chain {
  readonly #layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    const wrong = layers.findIndex((layer) => !(layer instanceof Module));
    if (wrong >= 0) {
      throw fail('ERR_ARGUMENT', {
        op: 'Sequential',
        expected: 'modules',
        received: `${describe(layers[wrong])} at position ${wrong}`,
        hint: 'for a function such as relu there is a layer, such as new ReLU()',
      });
    }
    this.#layers = layers;
  }

  get length(): number {
    return this.#layers.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): Module | undefined {
    return this.#layers.at(index);
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.#layers[Symbol.iterator]();
  }

  override layers(): readonly Module[] {
    return this.#layers;
  }

  protected override slots(): Iterable<Slot> {
    return slotsOf(this.#layers);
  }
}
