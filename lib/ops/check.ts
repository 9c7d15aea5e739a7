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

/** The length of the last dimension: classes, or channels. Refuses scalars. */
export function lastLength(op: string, value: Tensor): number {
  const length = value.shape.at(-1);
  if (length !== undefined) return length;
  throw fail('ERR_SHAPE', { op, expected: 'a tensor of rank 1 or more', received: 'a scalar' });
}

/** Refuses a tensor that does not have one element for each channel of x, its last dimension. */
export function checkColumns(op: string, name: string, value: Tensor | null, x: Tensor): void {
  if (value === null) return;
  checkFloat(op, name, value, x);
  const channels = x.shape.at(-1);
  if (value.shape.length === 1 && value.size === channels) return;
  throw fail('ERR_SHAPE', {
    op,
    expected: `${name} [${channels}], one for each channel of input [${x.shape.join(', ')}]`,
    received: `[${value.shape.join(', ')}]`,
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
