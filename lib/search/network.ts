// SPDX-License-Identifier: Apache-2.0
// From the layers of a trial to a model, and to what is known of it without its memory.
import { ReceptiveError } from '../errors.js';
import { isRecordingNow } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import { summarize } from '../nn/summary.js';
import { withoutMemory } from '../nn/without-memory.js';
import { zeros } from '../tensor/create.js';
import { withGeneratorAt } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import type { Shape } from '../tensor/shape.js';
import { type Candidate, MOST_LAYERS } from './candidate.js';
import { kindOf, linear, type TrialLayer } from './layer-kinds.js';
import type { Space } from './space.js';

/** What a network is to classify. */
export interface Task {
  /** [h, w, c] */
  readonly imageShape: Shape;
  readonly classes: number;
}

/** What a network costs. */
export interface NetworkSize {
  readonly parameters: number;
  /** For one image. */
  readonly multiplyAdds: number;
}

/**
 * The network of a trial: its layers and a linear one for the logits. Weights follow from the seed, as after `manualSeed`.
 *
 * Throws what a layer refuses: the network is impossible.
 */
export function buildNetwork(layers: readonly TrialLayer[], task: Task, seed: number): Module {
  const run = () => tensorScope(() => shapesOf(layers, task));
  const shapes = isRecordingNow() ? run() : withoutMemory(run); // nothing is computed in a recording either
  return withGeneratorAt({ seed, stream: 0, step: 0 }, () => assemble(layers, shapes, task));
}

/** The shape that goes into each layer, and the one that comes out of the last, with a batch of 1 in front. */
function shapesOf(layers: readonly TrialLayer[], { imageShape }: Task): Shape[] {
  let x = zeros([1, ...imageShape]);
  const shapes: Shape[] = [x.shape];
  for (const { kind, settings } of layers) {
    for (const module of kindOf(kind).build(settings, x.shape)) x = module.eval().call(x);
    shapes.push(x.shape);
  }
  return shapes;
}

function assemble(layers: readonly TrialLayer[], shapes: readonly Shape[], { classes }: Task): Module {
  const modules = layers.flatMap(({ kind, settings }, i) => kindOf(kind).build(settings, shapes[i]));
  return new Sequential(...modules, ...linear(shapes[layers.length], classes));
}

/** The size of a candidate's network; or, in words, why it is not tried: it cannot be built, or is above the limits. */
export function measure(candidate: Candidate, task: Task, limits: Space['limits']): NetworkSize | string {
  if (candidate.layers.length > MOST_LAYERS) return `more than ${MOST_LAYERS} layers`;
  let size: NetworkSize;
  try {
    size = withoutMemory(() =>
      tensorScope(() => {
        const { layers } = candidate;
        const model = assemble(layers, shapesOf(layers, task), task);
        const rows = summarize(model, task.imageShape);
        const sum = (of: (row: (typeof rows)[number]) => number) =>
          rows.reduce((all, row) => all + of(row), 0);
        return { parameters: sum((row) => row.parameters), multiplyAdds: sum((row) => row.multiplyAdds) };
      }),
    );
  } catch (error) {
    if (!(error instanceof ReceptiveError)) throw error;
    return `${error.op}: expected ${error.expected}, received ${error.received}`;
  }
  if (size.parameters > limits.parameters) {
    return `${size.parameters} parameters, above the limit of ${limits.parameters}`;
  }
  if (size.multiplyAdds > limits.multiplyAdds) {
    return `${size.multiplyAdds} multiply-adds, above the limit of ${limits.multiplyAdds}`;
  }
  return size;
}
