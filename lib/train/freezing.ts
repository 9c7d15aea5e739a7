// SPDX-License-Identifier: Apache-2.0
// Parameters that are trained at the beginning of a training only.
import { checkOptions, checkWhole, describe, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';

/** What is to stand still, and from when on. */
export interface FreezeOptions {
  /**
   * Parameters of the model that are trained for the first so many epochs only, which saves the way back to them afterwards. When
   * the training ends, they want gradients again. Default: none.
   */
  readonly freezeAfter?: { readonly epochs: number; readonly parameters: readonly Tensor[] } | undefined;
}

/** Parameters with a last epoch. */
export class Freezing {
  readonly #epochs: number;
  /** Those that are frozen neither before nor for ever. */
  readonly #parameters: readonly Tensor[];

  constructor(epochs: number, parameters: readonly Tensor[]) {
    this.#epochs = epochs;
    this.#parameters = parameters.filter(({ requiresGrad }) => requiresGrad);
  }

  /** Before an epoch, the first being 1: whether something changes with it. */
  before(epoch: number): boolean {
    const isFrozen = epoch > this.#epochs;
    const changed = this.#parameters.filter(({ requiresGrad }) => requiresGrad === isFrozen);
    for (const parameter of changed) parameter.requiresGrad = !isFrozen;
    return changed.length > 0;
  }

  /** The training has ended. */
  [Symbol.dispose](): void {
    for (const parameter of this.#parameters) if (!parameter.disposed) parameter.requiresGrad = true;
  }
}

/** The option, checked. Throws ERR_ARGUMENT. */
export function makeFreezing(model: Module, { freezeAfter }: FreezeOptions): Freezing | undefined {
  if (freezeAfter === undefined) return undefined;
  checkOptions('fit', freezeAfter, ['epochs', 'parameters']);
  const epochs = checkWhole('fit', 'epochs', freezeAfter.epochs);
  const own: readonly unknown[] = model.parameters();
  const { parameters } = freezeAfter;
  if (Array.isArray(parameters) && parameters.length > 0 && parameters.every((item) => own.includes(item))) {
    return new Freezing(epochs, parameters);
  }
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: 'freezeAfter with parameters of the model',
    received: describe(parameters),
  });
}
