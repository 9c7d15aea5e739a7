// SPDX-License-Identifier: Apache-2.0
// Operations of users with gradients of their own, out of operations of this library.
import { checkFunction, noGrad } from '../autograd/grad-mode.js';
import type { BackwardFunction } from '../autograd/node.js';
import { checkOptions, describe, fail } from '../errors.js';
import type { DType } from '../native/bindings.js';
import { currentScope, type TensorScope, tensorScope } from '../tensor/scope.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkTensor } from './check.js';
import { record } from './record.js';

/** What an operation gives: its output, and where it is not the inputs and the output, what its gradient needs. */
export type OpResult = Tensor | { readonly output: Tensor; readonly saved: readonly Tensor[] };

/** An operation: what it computes, and its gradient. */
export interface OpDefinition<Inputs extends readonly Tensor[]> {
  /** What errors and profiles call it. */
  readonly name: string;
  /** The output, of floating type, by operations of this library; they are not recorded one by one. */
  readonly forward: (...inputs: Inputs) => OpResult;
  /**
   * From the gradient of the output to one for each input, in its shape, or null for none; a single tensor does for a single
   * input. `saved` are the inputs and the output, or what `forward` saved; `needs` tells which gradients will be used.
   */
  readonly backward: (
    gradient: Tensor,
    saved: readonly Tensor[],
    needs: readonly boolean[],
  ) => Tensor | null | readonly (Tensor | null)[];
}

/** What a gradient must be like. */
interface Like {
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * Makes an operation with a gradient of its own out of operations of this library. It can be captured, profiled and checked by
 * `gradcheck` like any other.
 *
 * @returns a function of the inputs
 *
 * Throws ERR_ARGUMENT for a definition without a name, forward and backward. The function throws what these throw, and, with the
 * operation's name, ERR_ARGUMENT, ERR_SHAPE or ERR_DTYPE for an output or gradients that are none.
 */
export function defineOp<Inputs extends readonly Tensor[] = readonly Tensor[]>(
  definition: OpDefinition<Inputs>,
): (...inputs: Inputs) => Tensor {
  checkDefinition('defineOp', definition, ['name', 'forward', 'backward']);
  const { name, forward, backward } = definition;
  return (...inputs) => {
    inputs.forEach((input, i) => {
      checkTensor(name, `input ${i}`, input);
    });
    const likes = inputs.map(({ shape, dtype }): Like => ({ shape, dtype }));
    return inScope((scope) => {
      const { output, saved } = partsOf(
        name,
        noGrad(() => forward(...inputs)),
        inputs,
      );
      // An input, or a tensor from elsewhere, must not get this operation as its history.
      const own = scope.holds(output) ? output : output.detach();
      const goBack: BackwardFunction = (gradient, saved, needs) =>
        inScope((scope) => {
          const gradients = checkGradients(name, backward(gradient, saved, needs), likes);
          // What is given back belongs to backward.
          return gradients.map((one) =>
            one === null || one === gradient || scope.holds(one) ? one : one.clone(),
          );
        });
      return record(name, own, inputs, saved, goBack, 'unknown');
    });
  };
}

/** @internal Refuses what does not define an operation. */
export function checkDefinition(op: string, definition: object, known: readonly string[]): void {
  checkOptions(op, definition, known);
  const { name, forward, backward } = definition as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') {
    throw fail('ERR_ARGUMENT', { op, expected: 'a name for the operation', received: describe(name) });
  }
  for (const [part, body] of Object.entries({ forward, backward }))
    checkFunction(`${op}: ${part} of ${name}`, body);
}

/** Runs `body` in a scope that it can ask; what it returns lives on. */
function inScope<T>(body: (scope: TensorScope) => T): T {
  return tensorScope(() => body(currentScope() as TensorScope));
}

function partsOf(name: string, result: OpResult, inputs: readonly Tensor[]) {
  const parts = result instanceof Tensor ? { output: result, saved: [...inputs, result] } : result;
  const { output, saved } = Object(parts) as Partial<typeof parts>;
  checkFloat(name, 'what forward returns', output as Tensor);
  if (!Array.isArray(saved)) {
    const expected = 'forward to return a tensor, or { output, saved }';
    throw fail('ERR_ARGUMENT', { op: name, expected, received: describe(result) });
  }
  saved.forEach((tensor, i) => {
    checkTensor(name, `saved tensor ${i}`, tensor);
  });
  return { output: output as Tensor, saved: saved as readonly Tensor[] };
}

/** The gradients, one for each input. */
function checkGradients(name: string, result: unknown, likes: readonly Like[]): readonly (Tensor | null)[] {
  const gradients: readonly unknown[] = Array.isArray(result) ? result : [result];
  if (gradients.length !== likes.length) {
    throw fail('ERR_ARGUMENT', {
      op: name,
      expected: `a gradient or null for each of ${likes.length} inputs from backward`,
      received: `${gradients.length}`,
    });
  }
  return gradients.map((gradient, i) => {
    if (gradient === null || gradient === undefined) return null;
    checkTensor(name, `gradient ${i} that backward returns`, gradient as Tensor);
    checkLike(name, i, gradient as Tensor, likes[i]);
    return gradient as Tensor;
  });
}

/** @internal Refuses a gradient that is not like its input. */
export function checkLike(name: string, which: number, { shape, dtype }: Like, like: Like): void {
  if (dtype === like.dtype && sameShape(shape, like.shape)) return;
  throw fail(dtype === like.dtype ? 'ERR_SHAPE' : 'ERR_DTYPE', {
    op: name,
    expected: `gradient ${which} from backward to be like its input, ${like.dtype} [${like.shape.join(', ')}]`,
    received: `${dtype} [${shape.join(', ')}]`,
  });
}
