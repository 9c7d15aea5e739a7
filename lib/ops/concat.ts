// SPDX-License-Identifier: Apache-2.0
// Channels side by side: feature maps joined, or zeros put around them.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { record } from './record.js';

/** Columns of a matrix whose rows are everything but the last dimension. */
interface Columns {
  readonly tensor: Tensor;
  /** The first of the columns meant. */
  readonly first: number;
}

const lastOf = ({ shape }: Tensor) => shape[shape.length - 1];

/** Copies `columns` columns; both tensors have the same rows. */
function copyColumns(to: Columns, from: Columns, columns: number): void {
  const widths = [lastOf(to.tensor), to.first, lastOf(from.tensor), from.first];
  const rows = to.tensor.size / lastOf(to.tensor);
  emit('copy_columns', [to.tensor.handle, from.tensor.handle], [rows, columns, ...widths]);
}

/** A tensor of the same rows with `columns` columns, those of `from` starting at `first`. */
function takeColumns(from: Tensor, first: number, columns: number): Tensor {
  const taken = Tensor.empty([...from.shape.slice(0, -1), columns], from.dtype);
  copyColumns({ tensor: taken, first: 0 }, { tensor: from, first }, columns);
  return taken;
}

function checkRanked(op: string, name: string, value: Tensor, like?: Tensor): void {
  checkFloat(op, name, value, like);
  if (value.shape.length > 0) return;
  throw fail('ERR_SHAPE', { op, expected: `${name} of rank 1 or more`, received: 'a scalar' });
}

/**
 * Joins tensors along their last dimension: the channels of feature maps, the features of vectors.
 *
 * Shapes: x[i] [..., c_i] with everything but the last dimension equal; result [..., sum of c_i].
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT for an empty list, ERR_DISPOSED.
 */
export function concat(tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw fail('ERR_ARGUMENT', {
      op: 'concat',
      expected: 'an array of one or more tensors',
      received: describe(tensors),
    });
  }
  tensors.forEach((tensor, i) => {
    checkRanked('concat', `tensor ${i}`, tensor, i === 0 ? undefined : tensors[0]);
  });
  const rows = tensors[0].shape.slice(0, -1);
  const other = tensors.find(({ shape }) => !sameShape(shape.slice(0, -1), rows));
  if (other !== undefined) {
    throw fail('ERR_SHAPE', {
      op: 'concat',
      expected: `shapes [${[...rows, 'any'].join(', ')}]`,
      received: `[${other.shape.join(', ')}]`,
    });
  }
  const widths = tensors.map(lastOf);
  const firsts = widths.map((_, i) => widths.slice(0, i).reduce((total, width) => total + width, 0));
  const joined = Tensor.empty([...rows, widths.reduce((total, width) => total + width, 0)], tensors[0].dtype);
  tensors.forEach((tensor, i) => {
    copyColumns({ tensor: joined, first: firsts[i] }, { tensor, first: 0 }, widths[i]);
  });
  return record('concat', joined, tensors, [], (grad, _, needs) =>
    widths.map((width, i) => (needs[i] ? takeColumns(grad, firsts[i], width) : null)),
  );
}

/**
 * Zeros before and after the last dimension: channels that a shortcut lacks.
 *
 * Shapes: x [..., c]; result [..., before + c + after].
 */
export function padChannels(x: Tensor, before: number, after: number): Tensor {
  checkRanked('padChannels', 'input', x);
  for (const count of [before, after]) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw fail('ERR_ARGUMENT', {
      op: 'padChannels',
      expected: 'whole numbers of channels of at least 0',
      received: describe(count),
    });
  }
  const columns = lastOf(x);
  const padded = Tensor.empty([...x.shape.slice(0, -1), before + columns + after], x.dtype);
  emit('fill', [padded.handle], [0]);
  copyColumns({ tensor: padded, first: before }, { tensor: x, first: 0 }, columns);
  return record('padChannels', padded, [x], [], (grad) => [takeColumns(grad, before, columns)]);
}
