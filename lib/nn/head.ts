// SPDX-License-Identifier: Apache-2.0
// The last layer of a classifier, which a network that is trained for other classes gets anew.
import { fail } from '../errors.js';
import { layersInRow } from './chain.js';
import { checkModel } from './check-model.js';
import { Linear } from './linear.js';
import type { Module } from './module.js';

/**
 * The last layer with parameters or buffers, which in a classifier makes the logits: in the order of the forward pass where that is
 * known (`nn.Chain`), else in the order of `modules`, that of assignment.
 *
 * Throws ERR_ARGUMENT for a model without parameters.
 */
export function headOf(model: Module): Module {
  checkModel('headOf', model);
  const layers = layersInRow(model).flatMap((layer) => layer.modules());
  const head = layers.filter((layer) => layer.modules().length === 1 && layer.stateDict().size > 0).at(-1);
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
 * Throws ERR_ARGUMENT, and changes nothing, where the last layer is not linear, or where the model holds it in no property.
 */
export function replaceHead(model: Module, classes: number): Linear {
  const old = headOf(model);
  if (!(old instanceof Linear) || old === model) throw notReplaceable(String(old).split('\n')[0]);
  const { inFeatures, bias, flattenedFrom, weight } = old;
  const head = new Linear(inFeatures, classes, {
    bias: bias !== null,
    ...(flattenedFrom && { flattenedFrom }),
  });
  if (weight.dtype === 'float64') head.to('float64');
  head.train(model.training);
  model.replaceModule(old, head);
  if (headOf(model) === head) return head;
  model.replaceModule(head, old);
  head.dispose();
  throw notReplaceable('one that keeps its layers out of sight');
}

function notReplaceable(received: string) {
  return fail('ERR_ARGUMENT', {
    op: 'replaceHead',
    expected: 'a model whose last layer with parameters is linear',
    received,
    hint: 'make the model for these classes, and load what fits: loadWeights(model, path, { strict: false })',
  });
}
