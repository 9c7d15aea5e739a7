// SPDX-License-Identifier: Apache-2.0
// Deterministic memory: a scope disposes every tensor and releases every recorded operation that was made inside it
// when it ends. It stands here, and is public as tensor/scope.ts, because a recorded computation ends with its scope.
import type { Tensor } from '../tensor/tensor.js';
import { checkFunction, refusePromise } from './grad-mode.js';
import type { GradNode } from './node.js';

/** Tensors and recorded operations made since the scope was opened. */
export class TensorScope {
  readonly #tensors = new Set<Tensor>();
  readonly #nodes: GradNode[] = [];
  #open = true;

  /** @internal */
  track(tensor: Tensor): void {
    this.#tensors.add(tensor);
  }

  /** @internal */
  trackNode(node: GradNode): void {
    this.#nodes.push(node);
  }

  /** @internal True for a tensor that was made inside and not taken out. */
  holds(tensor: Tensor): boolean {
    return this.#tensors.has(tensor);
  }

  /** Takes a tensor out of the scope: it lives until it is disposed. */
  keep(tensor: Tensor): void {
    this.#tensors.delete(tensor);
  }

  /** Disposes everything made inside, but `kept`, which goes to the scope outside with the operations that led to it. */
  close(kept: readonly Tensor[] = []): void {
    if (!this.#open) return;
    this.#open = false;
    scopes.splice(scopes.indexOf(this), 1);
    const outside = scopes.at(-1);
    for (const tensor of kept) {
      if (this.#tensors.delete(tensor)) outside?.track(tensor);
    }
    const needed = nodesBehind(kept);
    for (const node of this.#nodes) {
      if (needed.has(node)) {
        outside?.trackNode(node);
      } else {
        node.release();
      }
    }
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
    this.#nodes.length = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const scopes: TensorScope[] = [];

/** @internal Takes a tensor out of all open scopes. */
export function forgetInScopes(tensor: Tensor): void {
  for (const scope of scopes) scope.keep(tensor);
}

/** @internal The innermost open scope. */
export function currentScope(): TensorScope | undefined {
  return scopes.at(-1);
}

function nodesBehind(tensors: readonly Tensor[]): Set<GradNode> {
  const nodes = new Set<GradNode>();
  const stack = [...tensors];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (tensor.node === null || nodes.has(tensor.node)) continue;
    nodes.add(tensor.node);
    stack.push(...tensor.node.inputs);
  }
  return nodes;
}

/** The tensors in a result: itself, or what an array or a plain object holds, at any depth. */
function tensorsIn(result: unknown): Tensor[] {
  const found: Tensor[] = [];
  const seen = new Set<object>(); // results may share parts, or contain themselves
  const visit = (value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if ('handle' in value && 'dtype' in value) {
      found.push(value as Tensor);
    } else if (Array.isArray(value)) {
      value.forEach(visit);
    } else if ([Object.prototype, null].includes(Object.getPrototypeOf(value))) {
      Object.values(value).forEach(visit);
    }
  };
  visit(result);
  return found;
}

/**
 * Opens a scope, for `using scope = tensorScope()`; or runs `body` in one and disposes every tensor made inside but
 * those in what it returns (a tensor, or arrays and plain objects of them). Gradients of leaves are kept: a leaf owns
 * its gradient. `body` must be synchronous.
 */
export function tensorScope(): TensorScope;
export function tensorScope<T>(body: () => T): T;
export function tensorScope<T>(body?: () => T): T | TensorScope {
  if (body !== undefined) checkFunction('tensorScope', body);
  const scope = new TensorScope();
  scopes.push(scope);
  if (body === undefined) return scope;
  let result: T | undefined;
  try {
    result = body();
    refusePromise('tensorScope', result);
    return result;
  } finally {
    scope.close(tensorsIn(result));
  }
}
