// SPDX-License-Identifier: Apache-2.0
// What a saved state must be to fit a module: the same names, shapes and element types.
import { fail } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Names that only one side has. */
export interface StateDifference {
  /** In the module, not in the state. */
  readonly missing: readonly string[];
  /** In the state, not in the module. */
  readonly unexpected: readonly string[];
}

/** Lists long lists shortly. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

function describeTensor({ dtype, shape }: Tensor): string {
  return `${dtype} [${shape.join(', ')}]`;
}

/** Refuses a state that does not fit, with everything that is wrong with it; returns the names that differ. */
export function checkState(
  own: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
  strict: boolean,
): StateDifference {
  const missing = [...own.keys()].filter((name) => !state.has(name));
  const unexpected = [...state.keys()].filter((name) => !own.has(name));
  const expected: string[] = [];
  const received: string[] = [];
  if (strict && missing.length > 0) expected.push(`also ${listNames(missing)}`);
  if (strict && unexpected.length > 0) received.push(`unexpected ${listNames(unexpected)}`);
  for (const [name, parameter] of own) {
    const source = state.get(name);
    if (source === undefined) continue;
    for (const tensor of [parameter, source]) void tensor.handle; // refuses a disposed one
    if (source.dtype === parameter.dtype && sameShape(source.shape, parameter.shape)) continue;
    expected.push(`${name} of ${describeTensor(parameter)}`);
    received.push(`${name} of ${describeTensor(source)}`);
  }
  if (expected.length + received.length === 0) return { missing, unexpected };
  throw fail('ERR_DATA', {
    op: 'loadStateDict',
    expected: listNames(expected) || `the names ${listNames([...own.keys()])} and no others`,
    received: listNames(received) || `only ${listNames([...state.keys()]) || 'an empty state'}`,
    hint: missing.length + unexpected.length > 0 ? 'is it the state of another model?' : undefined,
  });
}
