// SPDX-License-Identifier: Apache-2.0
// What optimizers keep for a parameter, and what a saved state must be to fit.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { sameShape } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';

/** The state of an optimizer in plain named parts, as a checkpoint stores it. */
export interface OptimizerState {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly numbers: ReadonlyMap<string, number>;
}

/** A running value of a parameter's shape, such as its momentum: zeros at first, in no scope. */
export class SlotTensor extends Tensor {
  constructor(
    readonly name: string,
    like: Tensor,
  ) {
    super(new Storage(like.size, like.dtype), like.shape, false, false);
    emit('fill', [this.handle], [0]);
  }
}

/** Refuses a state that does not fit an optimizer with these groups and parameters. */
export function checkSaved(
  op: string,
  state: OptimizerState,
  groupCount: number,
  parameters: readonly { readonly parameter: Tensor; readonly names: readonly string[] }[],
): void {
  const refuse = (expected: string, received: string) =>
    fail('ERR_DATA', {
      op,
      expected,
      received,
      hint: 'is it the state of another optimizer or another model?',
    });
  const known = new Set(Array.from({ length: groupCount }, (_, i) => `lr.${i}`));
  parameters.forEach(({ parameter, names }, i) => {
    const step = state.numbers.get(`step.${i}`);
    known.add(`step.${i}`);
    for (const name of names) {
      const key = `${name}.${i}`;
      known.add(key);
      const saved = state.tensors.get(key);
      if (saved === undefined && step === undefined) continue; // a parameter that has not been updated yet
      void saved?.handle; // refuses a disposed one
      const fits = saved?.dtype === parameter.dtype && sameShape(saved.shape, parameter.shape);
      if (!fits) {
        const received = saved === undefined ? 'none' : String(saved);
        throw refuse(`${key} of ${parameter.dtype} [${parameter.shape.join(', ')}]`, received);
      }
    }
  });
  for (const [name, value] of state.numbers) {
    const fits = name.startsWith('lr.') ? value >= 0 : Number.isSafeInteger(value) && value >= 1;
    if (!known.has(name) || !fits)
      throw refuse('a learning rate per group, steps per parameter', `${name} ${value}`);
  }
  for (const name of state.tensors.keys()) {
    if (!known.has(name)) throw refuse('only what this optimizer keeps', name);
  }
}
