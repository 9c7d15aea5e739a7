// SPDX-License-Identifier: Apache-2.0
// What optimizers keep for a parameter, and what a saved state must be to fit. Names are the paths into PyTorch's state dict:
// `state.0.exp_avg`, `param_groups.0.weight_decay`.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { sameShape } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';

/** A state in plain named parts, as a checkpoint stores it. */
export interface OptimizerState {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Truth values are 0 and 1. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** A running value of a parameter's shape, such as its momentum, in no scope. */
export class SlotTensor extends Tensor {
  /** @param value of all elements at first */
  constructor(
    readonly name: string,
    like: Tensor,
    value: number,
  ) {
    super(new Storage(like.size, like.dtype), like.shape, false, false);
    emit('fill', [this.handle], [value]);
  }
}

/** The error for a state of something else. */
export function refuseState(op: string, expected: string, received: string) {
  const hint = 'is it the state of another optimizer or another model?';
  return fail('ERR_DATA', { op, expected, received, hint });
}

/** A parameter as a state tells of it. */
export interface StatedParameter {
  readonly parameter: Tensor;
  /** What is kept for it. */
  readonly names: readonly string[];
}

const groupKey = (group: number, option: string) =>
  `param_groups.${group}.${option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;

/** The options of a group by name. */
export function groupNumbers(index: number, group: object): [name: string, value: number][] {
  return Object.entries(group).flatMap(([option, value]): [string, number][] => {
    const key = groupKey(index, option);
    if (option === 'params') return [];
    if (Array.isArray(value)) return value.map((item, i) => [`${key}.${i}`, Number(item)]);
    return [[key, Number(value)]];
  });
}

/** The options of a group with the saved ones in place of its own. */
export function savedOptions<Group extends object>(
  op: string,
  index: number,
  group: Group,
  numbers: OptimizerState['numbers'],
): Group {
  const saved = Object.entries(group).map(([option, value]): [string, unknown] => {
    const key = groupKey(index, option);
    if (Array.isArray(value) && option !== 'params') {
      return [option, value.map((item, i) => numbers.get(`${key}.${i}`) ?? item)];
    }
    const number = numbers.get(key);
    if (number === undefined || typeof value !== 'boolean') return [option, number ?? value];
    if (number === 0 || number === 1) return [option, number === 1];
    throw refuseState(op, `${key} of 0 or 1`, describe(number));
  });
  return Object.fromEntries(saved) as Group;
}

/**
 * Refuses a state that does not fit an optimizer with these groups and parameters.
 *
 * @param needsStep whether a parameter's tensors come with the number of its updates
 */
export function checkSaved(
  op: string,
  state: OptimizerState,
  groups: readonly object[],
  parameters: readonly StatedParameter[],
  needsStep: boolean,
): void {
  if (!(state?.tensors instanceof Map) || !(state.numbers instanceof Map)) {
    throw refuseState(op, 'a state dict, { tensors, numbers }', describe(state));
  }
  const known = new Set(groups.flatMap((group, i) => groupNumbers(i, group).map(([name]) => name)));
  parameters.forEach(({ parameter, names }, i) => {
    const step = state.numbers.get(`state.${i}.step`);
    known.add(`state.${i}.step`);
    if (step !== undefined && !(Number.isSafeInteger(step) && step >= 1)) {
      throw refuseState(op, `state.${i}.step to be a whole number of at least 1`, describe(step));
    }
    const isThere = step !== undefined || names.some((name) => state.tensors.has(`state.${i}.${name}`));
    for (const name of names) {
      const key = `state.${i}.${name}`;
      known.add(key);
      if (!isThere) continue; // a parameter that has not been updated yet
      const saved = state.tensors.get(key);
      void saved?.handle; // refuses a disposed one
      const fits = saved?.dtype === parameter.dtype && sameShape(saved.shape, parameter.shape);
      if (fits) continue;
      const received = saved === undefined ? 'none' : String(saved);
      throw refuseState(op, `${key} of ${parameter.dtype} [${parameter.shape.join(', ')}]`, received);
    }
    if (isThere && step === undefined && needsStep) throw refuseState(op, `state.${i}.step`, 'none');
  });
  const unknown = [...state.numbers.keys(), ...state.tensors.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) throw refuseState(op, 'only what this optimizer keeps', unknown);
}
