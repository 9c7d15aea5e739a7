// SPDX-License-Identifier: Apache-2.0
// Dropout of more than elements: whole feature maps, or what a residual branch adds to whole samples.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { defaultGenerator, type Generator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { drawInPart, firstInBatch } from './batch-part.js';
import { checkFloat, checkRank } from './check.js';
import { compute } from './compute.js';
import { checkDrawing } from './dropout.js';
import { record } from './record.js';

/** x as [samples, repeats, groups]: one number a group of each sample. */
interface Groups {
  readonly samples: number;
  readonly repeats: number;
  readonly groups: number;
  /** The first number of these samples in that of the whole batch. */
  readonly first: number;
}

function dropGroups(op: string, x: Tensor, p: number, generator: Generator, size: Groups): Tensor {
  const { samples, repeats, groups, first } = size;
  const numbers = [p, ...drawInPart(generator), first, samples, repeats, groups];
  const y = Tensor.empty(x.shape, x.dtype);
  compute('dropout_groups', [y], [x], numbers);
  return record(op, y, [x], [], (dy) => {
    const dx = Tensor.empty(dy.shape, dy.dtype);
    emit('dropout_groups', [dx.handle, dy.handle], numbers);
    return [dx];
  });
}

/**
 * Zeroes each feature map of each sample with probability p and multiplies the others by 1 / (1 - p) (Tompson et al. 2015):
 * neighbouring pixels are too alike for dropout of single ones to take anything away. Draws as `dropout` does.
 *
 * Shapes: x [n, h, w, c]; result as x.
 *
 * @param p from 0 to below 1
 * @param generator default: the one that `manualSeed` sets
 */
export function dropout2d(x: Tensor, p: number, generator: Generator = defaultGenerator()): Tensor {
  checkFloat('dropout2d', 'input', x);
  checkRank('dropout2d', 'input', x, '[n, h, w, c]');
  checkDrawing('dropout2d', p, generator);
  const [samples, h, w, groups] = x.shape;
  const first = firstInBatch({ size: samples * groups });
  return dropGroups('dropout2d', x, p, generator, { samples, repeats: h * w, groups, first });
}

/** 'row' draws for each sample, 'batch' once for all. */
export type StochasticDepthMode = 'row' | 'batch';

/** @internal Refuses what is no mode. */
export function checkDepthMode(op: string, mode: StochasticDepthMode): StochasticDepthMode {
  if (mode === 'row' || mode === 'batch') return mode;
  throw fail('ERR_ARGUMENT', { op, expected: "mode 'row' or 'batch'", received: describe(mode) });
}

/**
 * Zeroes x with probability p and else multiplies it by 1 / (1 - p), sample by sample or all at once: what a residual branch
 * adds, so that a network of random depth learns (Huang, Sun, Liu, Sedra and Weinberger 2016). Modes as in torchvision. Draws
 * as `dropout` does.
 *
 * Shapes: x [n, ...]; result as x.
 *
 * @param p from 0 to below 1
 * @param mode default 'row'
 * @param generator default: the one that `manualSeed` sets
 */
export function stochasticDepth(
  x: Tensor,
  p: number,
  mode: StochasticDepthMode = 'row',
  generator: Generator = defaultGenerator(),
): Tensor {
  checkFloat('stochasticDepth', 'input', x);
  checkDrawing('stochasticDepth', p, generator);
  checkDepthMode('stochasticDepth', mode);
  if (x.shape.length === 0) {
    throw fail('ERR_SHAPE', {
      op: 'stochasticDepth',
      expected: 'a batch, of rank 1 or more',
      received: 'a scalar',
    });
  }
  const samples = mode === 'row' ? x.shape[0] : 1;
  const first = mode === 'row' ? firstInBatch({ size: samples }) : 0;
  return dropGroups('stochasticDepth', x, p, generator, {
    samples,
    repeats: x.size / samples,
    groups: 1,
    first,
  });
}
