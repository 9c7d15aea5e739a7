// SPDX-License-Identifier: Apache-2.0
// Whether a model and a data set belong together, asked before anything is changed.
import { noGrad } from '../autograd/grad-mode.js';
import { checkDataset } from '../data/dataset.js';
import { fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { zeros } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { inMode } from './slices.js';

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
  return checkClasses(op, model, dataset);
}

/** The same without the question whether it is a data set. */
export function checkClasses(
  op: string,
  model: Module,
  dataset: {
    readonly name: string;
    readonly imageShape: readonly number[];
    readonly classNames: readonly string[];
  },
): number {
  const classes = classesOf(op, model, dataset.imageShape);
  if (classes >= dataset.classNames.length) return classes;
  throw fail('ERR_SHAPE', {
    op,
    expected: `a model with an output for each of the ${dataset.classNames.length} classes of ${dataset.name}`,
    received: `one with ${classes}`,
  });
}
