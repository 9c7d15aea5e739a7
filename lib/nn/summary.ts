// SPDX-License-Identifier: Apache-2.0
// What a model is made of: one row a layer, from one image that passes through it.
import { ReceptiveError } from '../errors.js';
import { isRecordingNow } from '../native/bindings.js';
import { zeros } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkModel } from './check-model.js';
import type { Module } from './module.js';
import { type ReceptiveField, ReceptiveFields } from './receptive-field.js';
import { withoutMemory } from './without-memory.js';

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
  /** What the output of one image takes; 0 for one that is the input in another shape. */
  readonly outputBytes: number;
  /** Which pixels an output depends on; null where that is not known, as for what is no image. */
  readonly receptiveField: ReceptiveField | null;
}

const BYTES = { float32: 4, float64: 8, int32: 4, uint8: 1 } as const;

/**
 * Passes one image through the model, in `eval` mode, and lists the layers in the order in which they run. One that runs
 * twice is listed twice, its parameters once. Containers are left out. Nothing is computed unless the model reads values.
 *
 * Receptive fields take the outermost paths through branches, and the padding in; what normalises with statistics of the
 * whole image counts as seeing its own pixel.
 *
 * @param inputShape [h, w, c] of an image, or [l, c] of a sequence
 */
export function summarize(model: Module, inputShape: Shape): LayerSummary[] {
  checkModel('summarize', model);
  checkShape('summarize', inputShape);
  const run = () => observe(model, inputShape);
  if (isRecordingNow()) return run();
  try {
    return withoutMemory(run);
  } catch (error) {
    if (error instanceof ReceptiveError && error.code === 'ERR_CAPTURE') return run();
    throw error;
  }
}

function observe(model: Module, inputShape: Shape): LayerSummary[] {
  const rows: LayerSummary[] = [];
  const counted = new Set<Module>();
  const named = model.namedModules();
  const modes = named.map(([, module]) => module.training);
  const dtype = model.parameters()[0]?.dtype ?? 'float32';
  const scope = tensorScope();
  const removers: (() => void)[] = [];
  try {
    const image = zeros([1, ...inputShape], { dtype, requiresGrad: true });
    const fields = new ReceptiveFields(image);
    for (const [path, module] of named) {
      if (!isLayer(module)) continue;
      const see = (_: Module, input: Tensor, output: Tensor) => {
        rows.push({
          path,
          type: module.constructor.name,
          outputShape: output.shape,
          parameters: counted.has(module) ? 0 : ownParameters(module),
          multiplyAdds: module.multiplyAdds(input.shape, output.shape),
          outputBytes: isView(output, input) ? 0 : sizeOf(output.shape) * BYTES[output.dtype],
          receptiveField: fields.of(output),
        });
        counted.add(module);
      };
      removers.push(module.onForward(see));
    }
    model.eval();
    model.call(image);
  } finally {
    for (const remove of removers) remove();
    named.forEach(([, module], i) => {
      module.training = modes[i];
    });
    scope.close();
  }
  return rows;
}

function isView(output: Tensor, input: Tensor): boolean {
  return !input.disposed && output.handle === input.handle;
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
