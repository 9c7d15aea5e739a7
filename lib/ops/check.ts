// SPDX-License-Identifier: Apache-2.0
// Checks that operations share. They run before anything native does, so that a refusal changes nothing.
import { describe, fail } from '../errors.js';
import type { DType } from '../native/bindings.js';
import { sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** Refuses what is not a live tensor of a floating type, and of `like`'s type where given. */
export function checkFloat(op: string, name: string, value: Tensor, like?: Tensor): void {
  checkTensor(op, name, value);
  const expected = like === undefined ? 'float32 or float64' : like.dtype;
  const fits = like === undefined ? isFloat(value.dtype) : value.dtype === like.dtype;
  if (!fits) {
    throw fail('ERR_DTYPE', {
      op,
      expected: `${name} to be ${expected}`,
      received: value.dtype,
      hint: isFloat(value.dtype) ? undefined : 'convert it with cast(x, "float32")',
    });
  }
}

function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64';
}

/** Refuses what is not a live tensor. */
export function checkTensor(op: string, name: string, value: Tensor): void {
  if (!(value instanceof Tensor)) {
    throw fail('ERR_ARGUMENT', { op, expected: `${name} to be a Tensor`, received: describe(value) });
  }
  if (value.disposed) {
    throw fail('ERR_DISPOSED', {
      op,
      expected: `${name} to be alive`,
      received: `a disposed tensor of shape [${value.shape.join(', ')}]`,
      hint: 'return it from tensorScope, or dispose it later',
    });
  }
}

/** Refuses tensors of different shapes. */
export function checkSameShape(op: string, a: Tensor, b: Tensor): void {
  if (sameShape(a.shape, b.shape)) return;
  throw fail('ERR_SHAPE', {
    op,
    expected: 'two tensors of one shape',
    received: `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
  });
}

/** Refuses a tensor of another rank. `layout` names the dimensions, such as '[n, h, w, c]'. */
export function checkRank(op: string, name: string, value: Tensor, layout: string): void {
  const rank = layout.split(',').length;
  if (value.shape.length === rank) return;
  throw fail('ERR_SHAPE', {
    op,
    expected: `${name} of rank ${rank}, ${layout}`,
    received: `[${value.shape.join(', ')}]`,
  });
}
