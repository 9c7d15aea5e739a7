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
 * Which pixels of an image an output sees: those of a window, or all; or that nobody knows. An operation that says nothing sees
 * the pixel at the output's own place. Receptive fields (lib/nn/receptive-field.ts) follow from it.
 */
export type Reach = Omit<Window, 'outH' | 'outW'> | 'all' | 'unknown';

/**
 * Computes what was not kept once more, from the saved tensors, and gives the output with its history. Operations that are
 * recorded before it are where that history ends.
 */
export type RecomputeFunction = (saved: readonly Tensor[]) => Tensor;

let made = 0;

/** @internal Operations recorded from now on have this number or a larger one. */
export function nextNodeId(): number {
  return made;
}

/** One recorded operation. Saved tensors stay alive until `release`, whatever their owner does. */
export class GradNode {
  /** Operations are numbered in the order in which they were recorded. */
  readonly id = made++;
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly needs: readonly boolean[];
  readonly reach: Reach | undefined;
  readonly #backward: BackwardFunction;
  readonly #recompute: RecomputeFunction | undefined;
  /** Where the gradient's instructions belong. */
  readonly #place: Place;
  #saved: readonly Tensor[] | null;

  constructor(
    op: string,
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    backward: BackwardFunction,
    reach?: Reach,
    recompute?: RecomputeFunction,
  ) {
    this.op = op;
    this.reach = reach;
    // An input without history keeps no more than its place: a leaf is the tensor itself, the rest is not needed.
    this.inputs = inputs;
    this.needs = inputs.map((input) => input.requiresGrad);
    this.#backward = backward;
    this.#recompute = recompute;
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

  /** True where backward goes through operations that are computed again. */
  get isRecomputed(): boolean {
    return this.#recompute !== undefined;
  }

  /** The output with its history, where it is computed again. */
  recompute(): Tensor {
    const recompute = this.#recompute as RecomputeFunction;
    return inPlace({ layer: this.#place.layer, isBackward: true }, () => recompute(this.#saved ?? []));
  }

  /** Lets go of what was saved. The node cannot go backward any more. */
  release(): void {
    for (const tensor of this.#saved ?? []) tensor.dispose();
    this.#saved = null;
  }
}
