// SPDX-License-Identifier: Apache-2.0
// What looks at a tensor's gradient on its way back, and may put another in its place.
import { describe, fail } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { refusePromise } from './grad-mode.js';

/**
 * Sees the whole gradient of a tensor in a backward pass, before it goes on; another tensor of its shape and type that the hook
 * returns goes on in its place. The gradient is the hook's for the length of the call: clone what must stay.
 */
export type GradientHook = (gradient: Tensor) => Tensor | undefined;

/** The gradient that the hooks of `tensor` make of this one, which is theirs to dispose. */
export function hooked(tensor: Tensor, gradient: Tensor): Tensor {
  let result = gradient;
  for (const hook of [...(tensor.hooks ?? [])]) {
    const shown = result.alias();
    try {
      const other = hook(shown);
      if (other === undefined || other === shown) continue;
      const own = checkReplacement(other, result).clone();
      result.dispose();
      result = own;
    } catch (error) {
      result.dispose();
      throw error;
    } finally {
      shown.dispose();
    }
  }
  return result;
}

function checkReplacement(other: unknown, gradient: Tensor): Tensor {
  refusePromise('registerHook', other);
  const isTensor = typeof other === 'object' && other !== null && 'handle' in other && 'dtype' in other;
  const wanted = `${gradient.dtype} [${gradient.shape.join(', ')}]`;
  const expected = `a hook that returns nothing or a gradient ${wanted}`;
  if (!isTensor) throw fail('ERR_ARGUMENT', { op: 'registerHook', expected, received: describe(other) });
  const { dtype, shape } = other as Tensor;
  if (`${dtype} [${shape.join(', ')}]` === wanted) return other as Tensor;
  const code = dtype === gradient.dtype ? 'ERR_SHAPE' : 'ERR_DTYPE';
  throw fail(code, { op: 'registerHook', expected, received: `${dtype} [${shape.join(', ')}]` });
}
