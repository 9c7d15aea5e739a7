// SPDX-License-Identifier: Apache-2.0
// Whether a model and a data set belong together, asked before anything is changed.
import { noGrad } from '../autograd/grad-mode.js';
import { describe, fail } from '../errors.js';
import { Module } from '../nn/module.js';
import { zeros } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { inMode } from './slices.js';

/** Refuses what is no model. */
export function checkModel(op: string, model: Module): void {
  if (model instanceof Module) return;
  throw fail('ERR_ARGUMENT', { op, expected: 'a model, made of modules', received: describe(model) });
}

/** Refuses what is no data set; most often it is both parts of one. */
function checkDataset(op: string, dataset: unknown): void {
  const parts: object = typeof dataset === 'object' && dataset !== null ? dataset : {};
  if ('imageShape' in parts && 'classNames' in parts) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'a data set',
    received: describe(dataset),
    hint: 'train' in parts ? 'pass one of its parts, train or test' : undefined,
  });
}

/**
 * How many classes a model tells apart, found by sending one blank image through it.
 *
 * Throws ERR_SHAPE, with the layer, where images of this shape do not fit; ERR_SHAPE where the result is not
 * [n, classes].
 */
export function classesOf(op: string, model: Module, imageShape: readonly number[]): number {
  checkModel(op, model);
  const shape = inMode(model, false, () =>
    noGrad(() => tensorScope(() => [...model.call(zeros([1, ...imageShape])).shape])),
  );
  if (shape.length === 2) return shape[1];
  throw fail('ERR_SHAPE', {
    op,
    expected: 'a model that gives logits [n, classes]',
    received: `[${['n', ...shape.slice(1)].join(', ')}]`,
    hint: 'a classifier ends with Flatten and Linear',
  });
}

/** Refuses a model that does not take the images of a data set or has fewer outputs than it has classes. */
export function checkModelFits(
  op: string,
  model: Module,
  dataset: {
    readonly name: string;
    readonly imageShape: readonly number[];
    readonly classNames: readonly string[];
  },
): number {
  checkDataset(op, dataset);
  const classes = classesOf(op, model, dataset.imageShape);
  if (classes >= dataset.classNames.length) return classes;
  throw fail('ERR_SHAPE', {
    op,
    expected: `a model with an output for each of the ${dataset.classNames.length} classes of ${dataset.name}`,
    received: `one with ${classes}`,
  });
}
