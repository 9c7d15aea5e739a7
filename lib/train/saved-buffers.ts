// SPDX-License-Identifier: Apache-2.0
// What a forward pass moves before it is known whether the step is any good, kept so that it can be put back.
import { emit } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';

/** Copies of a model's buffers: running statistics and counters. */
export class SavedBuffers {
  readonly #pairs: readonly { readonly buffer: Tensor; readonly copy: Tensor }[];

  /** Takes the copies. */
  constructor(model: Module) {
    this.#pairs = model.namedBuffers().map(([, buffer]) => ({ buffer, copy: buffer.clone().keep() }));
  }

  /** Takes the copies anew. */
  save(): void {
    for (const { buffer, copy } of this.#pairs) emit('copy', [copy.handle, buffer.handle]);
  }

  /** Puts them back. */
  restore(): void {
    for (const { buffer, copy } of this.#pairs) emit('copy', [buffer.handle, copy.handle]);
  }

  [Symbol.dispose](): void {
    for (const { copy } of this.#pairs) copy.dispose();
  }
}
