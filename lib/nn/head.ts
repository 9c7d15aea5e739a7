// SPDX-License-Identifier: Apache-2.0
// The last layer of a classifier, which a network that is trained for other classes gets anew.
import { fail } from '../errors.js';
import { checkModel } from './check-model.js';
import { Linear } from './linear.js';
import type { Module } from './module.js';

/**
 * The last layer with parameters, in the order of `modules`, which in a classifier makes the logits.
 *
 * Throws ERR_ARGUMENT for a model without parameters.
 */
export function headOf(model: Module): Module {
  checkModel('headOf', model);
  const head = model
    .modules()
    .filter((module) => isLeaf(module) && module.parameterCount > 0)
    .at(-1);
  if (head !== undefined) return head;
  throw fail('ERR_ARGUMENT', { op: 'headOf', expected: 'a model with parameters', received: 'one without' });
}

/**
 * Puts a new linear layer in the place of a classifier's last one, for other classes: with as many inputs, a bias where that had one,
 * and fresh weights (`manualSeed`) that learn. Make optimizers and averages of the model afterwards; the old layer is left to its
 * holder.
 *
 * @param classes outputs of the new layer
 * @returns the new layer
 *
 * Throws ERR_ARGUMENT where the last layer with parameters is not linear.
 */
export function replaceHead(model: Module, classes: number): Linear {
  const old = headOf(model);
  if (!(old instanceof Linear) || old === model) {
    throw fail('ERR_ARGUMENT', {
      op: 'replaceHead',
      expected: 'a model whose last layer with parameters is linear',
      received: String(old).split('\n')[0],
      hint: 'make the model for these classes, and load what fits: loadWeights(model, path, { strict: false })',
    });
  }
  const { inFeatures, bias, flattenedFrom, weight } = old;
  const head = new Linear(inFeatures, classes, {
    bias: bias !== null,
    ...(flattenedFrom && { flattenedFrom }),
  });
  if (weight.dtype === 'float64') head.to('float64');
  head.train(model.training);
  model.replaceModule(old, head);
  return head;
}

/** Whether nothing but parameters and buffers stands in it. */
const isLeaf = (module: Module) => module.modules().length === 1;
