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

/** a += b, for two gradients of one tensor. */
function addInto(a: Tensor, b: Tensor): void {
  emit('add', [a.handle, a.handle, b.handle]);
}

/**
 * Sends `seed`, the gradient of `root`, back through everything that led to it, and adds the result to `grad` of every
 * leaf that requires one. Takes ownership of `seed`. The recorded graph is released unless `retainGraph`.
 */
export function backward(root: Tensor, seed: Tensor, retainGraph: boolean): void {
  noGrad(() => {
    if (root.node === null) return addToLeaf(root, seed);
    const gradients = new Map<GradNode, Tensor>([[root.node, seed]]);
    for (const tensor of reverseTopologicalOrder(root)) {
      const node = tensor.node as GradNode;
      if (node.released) throw releasedError(node);
      const gradient = gradients.get(node);
      if (gradient === undefined) continue; // nothing that reached it needed a gradient
      gradients.delete(node);
      distribute(node, gradient, gradients);
      if (!retainGraph) node.release();
    }
  });
}

/** Takes ownership of `gradient`, of which `node` makes the gradients of its inputs. */
function distribute(node: GradNode, gradient: Tensor, gradients: Map<GradNode, Tensor>): void {
  const results = node.backward(gradient);
  const given = new Set<Tensor>();
  for (let i = 0; i < node.inputs.length; i++) {
    let result = results[i];
    if (result === null || result === undefined || !node.needs[i]) continue;
    // One tensor for two inputs, as in x + x: the second takes a copy, since each gradient has one owner.
    if (given.has(result)) result = result.clone();
    given.add(result);
    const input = node.inputs[i];
    if (input.node === null) {
      addToLeaf(input, result);
      continue;
    }
    const sum = gradients.get(input.node);
    if (sum === undefined) {
      gradients.set(input.node, result);
    } else {
      addInto(sum, result);
      result.dispose();
    }
  }
  if (!given.has(gradient)) gradient.dispose();
}

/** A leaf owns its gradient: it outlives the scope that made it, until zeroGrad or the leaf's end. */
function addToLeaf(leaf: Tensor, gradient: Tensor): void {
  if (leaf.grad === null) {
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
