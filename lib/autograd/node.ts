// SPDX-License-Identifier: Apache-2.0
// A step of the computation as backward sees it: who its inputs were, what it saved, and how a gradient of its output
// becomes gradients of its inputs. This folder names tensors as types only; it knows neither shapes nor kernels.
import { currentPlace, inPlace, type Place } from '../native/place.js';
import type { Window } from '../tensor/conv-geometry.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Turns the gradient of an op's output into gradients of its inputs, in their order; null for an input that needs
 * none. It owns neither its arguments nor the saved tensors, and may return `grad` itself.
 */
export type BackwardFunction = (
  grad: Tensor,
  saved: readonly Tensor[],
  needs: readonly boolean[],
) => readonly (Tensor | null)[];

/**
 * Which pixels of an image an output sees: those of a window, or all. An operation that says nothing sees the pixel at the
 * output's own place. Receptive fields (lib/nn/receptive-field.ts) follow from it.
 */
export type Reach = Omit<Window, 'outH' | 'outW'> | 'all';

/** One recorded operation. Saved tensors stay alive until `release`, whatever their owner does. */
export class GradNode {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly needs: readonly boolean[];
  readonly reach: Reach | undefined;
  readonly #backward: BackwardFunction;
  /** Where the gradient's instructions belong. */
  readonly #place: Place;
  #saved: readonly Tensor[] | null;

  constructor(
    op: string,
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    backward: BackwardFunction,
    reach?: Reach,
  ) {
    this.op = op;
    this.reach = reach;
    // An input without history keeps no more than its place: a leaf is the tensor itself, the rest is not needed.
    this.inputs = inputs;
    this.needs = inputs.map((input) => input.requiresGrad);
    this.#backward = backward;
    this.#place = currentPlace();
    this.#saved = saved.map((tensor) => tensor.alias());
  }

  get released(): boolean {
    return this.#saved === null;
  }

  /** Gradients of the inputs for a gradient of the output. */
  backward(grad: Tensor): readonly (Tensor | null)[] {
    return inPlace({ layer: this.#place.layer, isBackward: true }, () =>
      this.#backward(grad, this.#saved ?? [], this.needs),
    );
  }

  /** Lets go of what was saved. The node cannot go backward any more. */
  release(): void {
    for (const tensor of this.#saved ?? []) tensor.dispose();
    this.#saved = null;
  }
}
