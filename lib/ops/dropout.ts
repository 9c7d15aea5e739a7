// SPDX-License-Identifier: Apache-2.0
// Dropout: elements are zeroed at random and the rest scaled up, so that the expectation stays.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { defaultGenerator, Generator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { drawInPart, firstInBatch } from './batch-part.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import { record } from './record.js';

/** @internal Refuses what is no probability to drop something, and what is no generator. */
export function checkDrawing(op: string, p: number, generator: Generator): void {
  checkProbability(op, p);
  if (generator instanceof Generator) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'generator to be a Generator',
    received: describe(generator),
  });
}

/** @internal Refuses what is no probability to drop something. */
export function checkProbability(op: string, p: number): number {
  if (typeof p === 'number' && p >= 0 && p < 1) return p;
  throw fail('ERR_ARGUMENT', { op, expected: 'p from 0 to below 1', received: describe(p) });
}

/**
 * Zeroes each element with probability p and multiplies the others by 1 / (1 - p). Which ones follows from the
 * generator's seed and position, not from threads; backward draws the same ones again instead of keeping a mask. In a
 * micro-batch the samples fare as they would in the whole batch.
 *
 * @param p from 0 to below 1
 * @param generator default: the one that `manualSeed` sets
 */
export function dropout(x: Tensor, p: number, generator: Generator = defaultGenerator()): Tensor {
  checkFloat('dropout', 'input', x);
  checkDrawing('dropout', p, generator);
  const numbers = [p, ...drawInPart(generator), firstInBatch(x)];
  const y = Tensor.empty(x.shape, x.dtype);
  compute('dropout', [y], [x], numbers);
  return record('dropout', y, [x], [], (dy) => {
    const dx = Tensor.empty(dy.shape, dy.dtype);
    emit('dropout', [dx.handle, dy.handle], numbers);
    return [dx];
  });
}
