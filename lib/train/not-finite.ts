// SPDX-License-Identifier: Apache-2.0
// After a step that gave NaN or Infinity: where it began. The step is computed again, eagerly and without an update, and what
// each layer makes is looked at. The model, its running statistics and the random generators are left as they were.
import { badValue } from '../autograd/anomaly.js';
import { watchBackward } from '../autograd/backward.js';
import type { GradNode } from '../autograd/node.js';
import { fail, ReceptiveError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { SavedBuffers } from './saved-buffers.js';
import { inMode } from './slices.js';

/** Where numbers that are not finite come from. */
export interface Origin {
  /** The layer, such as `features.3`; nothing where it is none of the layers. */
  readonly path: string | undefined;
  /** In words: `Infinity in the output of conv2d`. */
  readonly what: string;
  readonly hint: string;
}

/** A step as it was: what the model was given, and what was made of its outputs. */
export interface FailedStep {
  readonly model: Module;
  /** Makes the images again: [n, h, w, c]. */
  readonly images: () => Tensor;
  readonly loss: (outputs: Tensor) => Tensor;
  /** The number of row `row` of the images, where they are those of a data set. */
  readonly imageAt?: ((row: number) => number) | undefined;
}

const SMALLER_LR = 'a smaller learning rate usually helps; the model is as it was before this step';

/** True for the refusal of a step whose loss or gradients are not finite. */
export function isNotFinite(error: unknown): error is ReceptiveError {
  return error instanceof ReceptiveError && error.code === 'ERR_NUMERICS';
}

/**
 * The error to throw for a step that was refused.
 *
 * @param refusal of the loss or of a gradient
 * @param where in words, such as `step 12`
 */
export function explainNotFinite(op: string, refusal: ReceptiveError, where: string, step?: FailedStep) {
  const origin = step && findOrigin(step);
  const { expected, received } = refusal;
  const parts = [`${received} at ${where}`, ...(origin === undefined ? [] : [`first ${origin.what}`])];
  const hint = origin?.hint ?? SMALLER_LR;
  const error = fail('ERR_NUMERICS', { op, expected, received: parts.join('; '), hint, cause: refusal });
  if (origin?.path) error.addPath(origin.path);
  return error;
}

/** Computes the step again and says where it went wrong; nothing where that cannot be found, for want of memory say. */
export function findOrigin(step: FailedStep): Origin | undefined {
  const { model } = step;
  using buffers = new SavedBuffers(model);
  const grads = model.parameters().map((parameter) => [parameter, parameter.grad] as const);
  for (const [parameter] of grads) parameter.grad = null;
  try {
    const search = () => tensorScope(() => inMode(model, true, () => new Search(step).run()));
    return recordDraws(search).result;
  } catch {
    return undefined; // the refusal of the step itself is told in any case
  } finally {
    buffers.restore();
    for (const [parameter, grad] of grads) {
      parameter.grad?.dispose();
      parameter.grad = grad;
    }
  }
}

/** One computation of the step, looked at from before its first layer to after its last gradient. */
class Search {
  readonly #step: FailedStep;
  /** The layers that recorded operations stand in. */
  readonly #layers = new Map<GradNode, string>();
  #found: Origin | undefined;

  constructor(step: FailedStep) {
    this.#step = step;
  }

  run(): Origin | undefined {
    const images = this.#step.images();
    return this.#inWeights() ?? this.#inImages(images) ?? this.#inComputation(images);
  }

  #inWeights(): Origin | undefined {
    const { model } = this.#step;
    const named = { parameter: model.namedParameters(), buffer: model.namedBuffers() };
    for (const [kind, tensors] of Object.entries(named)) {
      for (const [name, tensor] of tensors) {
        const bad = badValue(tensor);
        if (bad === undefined) continue;
        const hint = `${name} was like that before this step: load or make it again`;
        return { path: undefined, what: `${bad.value} in the ${kind} ${name}`, hint };
      }
    }
    return undefined;
  }

  #inImages(images: Tensor): Origin | undefined {
    const bad = badValue(images);
    if (bad === undefined) return undefined;
    const row = Math.floor((bad.index * images.shape[0]) / images.size);
    const { imageAt } = this.#step;
    const which =
      imageAt === undefined ? `image ${row} of the batch` : `image ${imageAt(row)} of the data set`;
    const hint = 'look at the data and its normalization';
    return { path: undefined, what: `${bad.value} in ${which}`, hint };
  }

  #inComputation(images: Tensor): Origin | undefined {
    const { model, loss } = this.#step;
    const unwatch = model
      .namedModules()
      .map(([path, module]) => module.onForward((_, x, y) => this.#look(path, x, y)));
    try {
      const value = loss(model.call(images));
      this.#found ??= originIn(value, undefined, `the loss${operationOf(value)}`);
      if (this.#found === undefined) watchBackward(this.#gradients, () => value.backward());
      this.#found ??= this.#inGradients();
      return this.#found;
    } finally {
      for (const stop of unwatch) stop();
    }
  }

  /** A layer has made `y` of `x`: layers inside come before those around them. */
  #look(path: string, x: Tensor, y: Tensor): void {
    if (y.node !== null && !this.#layers.has(y.node)) this.#layers.set(y.node, path);
    if (this.#found !== undefined) return;
    // What comes in was made between two layers: by the one around this
    this.#found = originIn(x, path.split('.').slice(0, -1).join('.'), `the output${operationOf(x)}`);
    this.#found ??= originIn(y, path, `the output${operationOf(y)}`);
  }

  readonly #gradients = (node: GradNode, results: readonly (Tensor | null)[]): void => {
    results.forEach((gradient, i) => {
      if (gradient === null || this.#found !== undefined) return;
      const name = this.#nameOf(node.inputs[i]);
      const what = name === undefined ? `the gradient that ${node.op} gives back` : `the gradient of ${name}`;
      this.#found = originIn(gradient, this.#layers.get(node), what);
    });
  };

  /** Gradients that were finite one by one, and are not as a sum. */
  #inGradients(): Origin | undefined {
    for (const [name, { grad }] of this.#step.model.namedParameters()) {
      const origin = grad && originIn(grad, undefined, `the gradient of ${name}`);
      if (origin) return origin;
    }
    return undefined;
  }

  #nameOf(tensor: Tensor): string | undefined {
    return this.#step.model.namedParameters().find(([, parameter]) => parameter === tensor)?.[0];
  }
}

function operationOf({ node }: Tensor): string {
  return node === null ? '' : ` of ${node.op}`;
}

function originIn(tensor: Tensor, path: string | undefined, place: string): Origin | undefined {
  const bad = badValue(tensor);
  return bad && { path, what: `${bad.value} in ${place}`, hint: SMALLER_LR };
}
