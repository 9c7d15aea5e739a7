// SPDX-License-Identifier: Apache-2.0
// The backward walk: nodes in reverse topological order, each once, gradients of shared tensors summed.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { anomalyDetector } from './anomaly.js';
import { noGrad } from './grad-mode.js';
import { hooked } from './hooks.js';
import { type GradNode, nextNodeId } from './node.js';
import { tensorScope } from './scope.js';

/**
 * Outputs before inputs: by the time a tensor is reached, everything that used it has been. Iterative, for deep nets.
 *
 * @param first operations recorded before this number are left out
 */
function reverseTopologicalOrder(root: Tensor, first = 0): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<GradNode>();
  const stack: { tensor: Tensor; node: GradNode; next: number }[] = [];
  const visit = (tensor: Tensor) => {
    if (tensor.node === null || tensor.node.id < first || seen.has(tensor.node)) return;
    seen.add(tensor.node);
    stack.push({ tensor, node: tensor.node, next: 0 });
  };
  visit(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next < top.node.inputs.length) {
      visit(top.node.inputs[top.next++]);
    } else {
      order.push(top.tensor);
      stack.pop();
    }
  }
  return order.reverse();
}

/** Sees the gradients that an operation gives to its inputs; null where none is needed. */
export type BackwardWatcher = (node: GradNode, gradients: readonly (Tensor | null)[]) => void;

let watcher: BackwardWatcher | undefined;

/** Runs `body`, and shows `watch` what its backward passes give back, operation by operation. */
export function watchBackward(watch: BackwardWatcher, body: () => void): void {
  watcher = watch;
  try {
    body();
  } finally {
    watcher = undefined;
  }
}

/** a += b, for two gradients of one tensor. */
function addInto(a: Tensor, b: Tensor): void {
  emit('add', [a.handle, a.handle, b.handle]);
}

/**
 * Sends `seed`, the gradient of `root`, back through everything that led to it, and adds the result to `grad` of every
 * leaf that requires one. Takes ownership of `seed`. The recorded graph is released unless `retainGraph`. A graph that
 * was released in any part is refused before a gradient moves.
 */
export function backward(root: Tensor, seed: Tensor, retainGraph: boolean): void {
  noGrad(() => {
    const walk = new Walk(retainGraph);
    try {
      walk.run(root, seed);
    } finally {
      walk.dispose();
    }
  });
}

/** One backward pass, and the gradients that are on their way in it. */
class Walk {
  readonly #retainGraph: boolean;
  readonly #inFlight = new Map<GradNode, Tensor>();
  /** Of leaves with hooks, which are to see the whole gradient of this pass. */
  readonly #toHooks = new Map<Tensor, Tensor>();

  constructor(retainGraph: boolean) {
    this.#retainGraph = retainGraph;
  }

  run(root: Tensor, seed: Tensor): void {
    this.#deliver(root, seed);
    const order = reverseTopologicalOrder(root);
    for (const { node } of order) if (node?.released) throw releasedError(node);
    for (const tensor of order) this.#visit(tensor);
    for (const [leaf, gradient] of this.#toHooks) {
      this.#toHooks.delete(leaf); // whatever comes now, the hooks see to it
      addToLeaf(leaf, hooked(leaf, gradient));
    }
    if (this.#inFlight.size > 0) throw changedError();
  }

  /** Frees what an error left on its way. */
  dispose(): void {
    for (const gradient of [...this.#inFlight.values(), ...this.#toHooks.values()]) gradient.dispose();
  }

  #visit(tensor: Tensor): void {
    const node = tensor.node as GradNode;
    let gradient = this.#inFlight.get(node);
    if (gradient === undefined) return; // nothing that reached it needed a gradient
    if (tensor.hooks !== null) {
      this.#inFlight.delete(node);
      gradient = hooked(tensor, gradient);
      this.#inFlight.set(node, gradient);
    }
    if (node.isRecomputed) {
      this.#visitAgain(node, gradient);
    } else {
      const results = ownedGradients(node, gradient);
      this.#inFlight.delete(node);
      look(node, results);
      results.forEach((result, i) => {
        if (result !== null) this.#deliver(node.inputs[i], result);
      });
    }
    if (!this.#retainGraph) node.release();
  }

  /** Computes a part of the forward pass again and goes back through it. All that is made for it is freed after it. */
  #visitAgain(node: GradNode, gradient: Tensor): void {
    const first = nextNodeId();
    tensorScope(() => {
      const detector = anomalyDetector();
      const output =
        detector === undefined ? node.recompute() : detector.inLayersOf(node, () => node.recompute());
      this.#inFlight.delete(node);
      this.#deliver(output, gradient);
      for (const tensor of reverseTopologicalOrder(output, first)) this.#visit(tensor);
      for (const onItsWay of [...this.#inFlight.values(), ...this.#toHooks.values()]) onItsWay.keep();
    });
  }

  /** Hands a gradient on: to a leaf, or to the operation that made the tensor. */
  #deliver(tensor: Tensor, gradient: Tensor): void {
    if (tensor.node !== null) collect(this.#inFlight, tensor.node, gradient);
    else if (tensor.hooks !== null && !tensor.disposed) collect(this.#toHooks, tensor, gradient);
    else addToLeaf(tensor, gradient);
  }
}

/** Adds a gradient to the one that is there, or is the first. */
function collect<Key>(gradients: Map<Key, Tensor>, key: Key, gradient: Tensor): void {
  const sum = gradients.get(key);
  if (sum === undefined) {
    gradients.set(key, gradient);
  } else {
    addInto(sum, gradient);
    gradient.dispose();
  }
}

/** Shows an operation's results to those who look; frees them where one of these refuses. */
function look(node: GradNode, results: readonly (Tensor | null)[]): void {
  try {
    watcher?.(node, results);
    anomalyDetector()?.checkGradients(node, results);
  } catch (error) {
    for (const result of results) result?.dispose();
    throw error;
  }
}

/** The gradients of a node's inputs, each a tensor of its own; null where none is needed. Consumes `gradient`. */
function ownedGradients(node: GradNode, gradient: Tensor): (Tensor | null)[] {
  const detector = anomalyDetector();
  const results =
    detector === undefined ? node.backward(gradient) : detector.inGradient(() => node.backward(gradient));
  const given = new Set<Tensor>();
  const owned = node.inputs.map((_, i) => {
    const result = results[i] ?? null;
    if (result === null || !node.needs[i]) return null;
    // One tensor for two inputs, as in x + x: the second takes a copy, since each gradient has one owner.
    if (given.has(result)) return result.clone();
    given.add(result);
    return result;
  });
  for (const made of [gradient, ...results]) if (made && !given.has(made)) made.dispose();
  return owned;
}

/** A leaf owns its gradient: it outlives the scope that made it, until zeroGrad or the leaf's end. */
function addToLeaf(leaf: Tensor, gradient: Tensor): void {
  if (leaf.disposed) {
    gradient.dispose();
  } else if (leaf.grad === null) {
    leaf.grad = gradient.keep();
  } else {
    addInto(leaf.grad, gradient);
    gradient.dispose();
  }
}

function releasedError(node: GradNode) {
  return fail('ERR_DISPOSED', {
    op: 'backward',
    expected: 'a recorded graph',
    received: `one that was released (at ${node.op})`,
    hint: 'call backward once per forward pass, or pass { retainGraph: true } to all calls but the last',
  });
}

function changedError() {
  return fail('ERR_ARGUMENT', {
    op: 'checkpoint',
    expected: 'a function that does the same on every call',
    received: 'one that used other tensors when it was computed again',
  });
}
