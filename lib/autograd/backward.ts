// SPDX-License-Identifier: Apache-2.0
// The backward walk: nodes in reverse topological order, each once, gradients of shared tensors summed.
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import type { Tensor } from '../tensor/tensor.js';
import { noGrad } from './grad-mode.js';
import type { GradNode } from './node.js';

/** Outputs before inputs: by the time a tensor is reached, everything that used it has been. Iterative, for deep nets. */
function reverseTopologicalOrder(root: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<GradNode>();
  const stack: { tensor: Tensor; node: GradNode; next: number }[] = [];
  const visit = (tensor: Tensor) => {
    if (tensor.node === null || seen.has(tensor.node)) return;
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
    if (root.node === null) return addToLeaf(root, seed);
    const order = reverseTopologicalOrder(root);
    const inFlight = new Map<GradNode, Tensor>([[root.node, seed]]);
    try {
      for (const { node } of order) if (node?.released) throw releasedError(node);
      for (const tensor of order) {
        const node = tensor.node as GradNode;
        const gradient = inFlight.get(node);
        if (gradient === undefined) continue; // nothing that reached it needed a gradient
        const results = ownedGradients(node, gradient);
        inFlight.delete(node);
        watcher?.(node, results);
        distribute(node, results, inFlight);
        if (!retainGraph) node.release();
      }
    } finally {
      for (const gradient of inFlight.values()) gradient.dispose(); // some are left only after an error
    }
  });
}

/** The gradients of a node's inputs, each a tensor of its own; null where none is needed. Consumes `gradient`. */
function ownedGradients(node: GradNode, gradient: Tensor): (Tensor | null)[] {
  const results = node.backward(gradient);
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

/** Hands the gradients of a node's inputs on: to a leaf, or to the operation that made the input. */
function distribute(node: GradNode, results: (Tensor | null)[], inFlight: Map<GradNode, Tensor>): void {
  for (let i = 0; i < results.length; i++) {
    const [input, result] = [node.inputs[i], results[i]];
    if (result === null) continue;
    const sum = input.node === null ? undefined : inFlight.get(input.node);
    if (input.node === null) {
      addToLeaf(input, result);
    } else if (sum === undefined) {
      inFlight.set(input.node, result);
    } else {
      addInto(sum, result);
      result.dispose();
    }
  }
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
