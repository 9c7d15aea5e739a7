// SPDX-License-Identifier: Apache-2.0
// What a model is made of: one row a layer, from one image that runs through it.
import { noGrad } from '../autograd/grad-mode.js';
import { zeros } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { checkModel } from './check-model.js';
import type { Module } from './module.js';

/** One layer of a model. */
export interface LayerSummary {
  /** Such as `features.3`; '' for a model that is one layer. */
  readonly path: string;
  /** Name of the class. */
  readonly type: string;
  /** With the batch of 1 in front. */
  readonly outputShape: Shape;
  /** How many numbers the layer itself learns. */
  readonly parameters: number;
  /** Multiply-add pairs for one image. */
  readonly multiplyAdds: number;
}

/**
 * Runs one image of zeros through the model, without gradients and in `eval` mode, and lists the layers in the order in
 * which they run. One that runs twice is listed twice, its parameters once. Containers are left out.
 *
 * @param inputShape [h, w, c]
 */
export function summarize(model: Module, inputShape: Shape): LayerSummary[] {
  checkModel('summarize', model);
  checkShape('summarize', inputShape);
  const rows: LayerSummary[] = [];
  const counted = new Set<Module>();
  const named = model.namedModules();
  const modes = named.map(([, module]) => module.training);
  const removers = named
    .filter(([, module]) => isLayer(module))
    .map(([path, module]) =>
      module.onForward((_, input, output) => {
        rows.push({
          path,
          type: module.constructor.name,
          outputShape: output.shape,
          parameters: counted.has(module) ? 0 : ownParameters(module),
          multiplyAdds: module.multiplyAdds(input.shape, output.shape),
        });
        counted.add(module);
      }),
    );
  try {
    model.eval();
    const dtype = model.parameters()[0]?.dtype ?? 'float32';
    tensorScope(() => void noGrad(() => model.call(zeros([1, ...inputShape], { dtype }))));
  } finally {
    for (const remove of removers) remove();
    named.forEach(([, module], i) => {
      module.training = modes[i];
    });
  }
  return rows;
}

/** True for a module that computes something itself, rather than only asking others. */
function isLayer(module: Module): boolean {
  return module.modules().length === 1 || ownParameters(module) > 0;
}

function ownParameters(module: Module): number {
  const below = module.modules().slice(1);
  const others = new Set(below.flatMap((other) => other.parameters()));
  return module
    .parameters()
    .filter((parameter) => !others.has(parameter))
    .reduce((total, parameter) => total + parameter.size, 0);
}
