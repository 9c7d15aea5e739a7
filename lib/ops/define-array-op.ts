// SPDX-License-Identifier: Apache-2.0
// Operations of users in plain JavaScript, on typed arrays: for what this library has no operation for. Eager code only.
import type { BackwardFunction } from '../autograd/node.js';
import { describe, fail } from '../errors.js';
import { isRecordingNow } from '../native/bindings.js';
import { tensor } from '../tensor/create.js';
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js';
import { dtypeOfArray, type Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { checkDefinition } from './define-op.js';
import { record } from './record.js';

/** The elements of a tensor, copied, in row-major order. */
export interface Elements {
  readonly data: Float32Array | Float64Array;
  readonly shape: Shape;
}

/** An operation in JavaScript: what it computes, and its gradient. */
export interface ArrayOpDefinition {
  /** What errors call it. */
  readonly name: string;
  /** The output's shape, from those of the inputs. Default: that of the first input. */
  readonly shape?: ((...shapes: Shape[]) => Shape) | undefined;
  /** The output's elements, in an array of the inputs' type. */
  readonly forward: (...inputs: Elements[]) => Float32Array | Float64Array;
  /**
   * From the gradient of the output to the elements of one for each input, in its size, or null for none; a single array does
   * for a single input. `needs` tells which will be used.
   */
  readonly backward: (
    gradient: Elements,
    inputs: readonly Elements[],
    output: Elements,
    needs: readonly boolean[],
  ) => Float32Array | Float64Array | null | readonly (Float32Array | Float64Array | null)[];
}

/**
 * Makes an operation with a gradient of its own out of plain JavaScript. It reads and writes whole tensors on JavaScript's
 * thread: for experiments, and for parts that are small. A step that uses it cannot be captured, so `fit` trains eagerly.
 *
 * @returns a function of the inputs, tensors of one floating type
 *
 * Throws ERR_ARGUMENT for a definition without a name, forward and backward. The function throws what these throw, and, with the
 * operation's name, ERR_CAPTURE while a step is recorded, and ERR_DTYPE or ERR_SHAPE for arrays of another type or size.
 */
export function defineArrayOp(definition: ArrayOpDefinition): (...inputs: Tensor[]) => Tensor {
  checkDefinition('defineArrayOp', definition, ['name', 'shape', 'forward', 'backward']);
  const { name, shape: shapeOf = (first: Shape) => first, forward, backward } = definition;
  if (typeof shapeOf !== 'function') {
    const expected = `shape of ${name} to be a function`;
    throw fail('ERR_ARGUMENT', { op: 'defineArrayOp', expected, received: describe(shapeOf) });
  }
  return (...inputs) => {
    if (inputs.length === 0)
      throw fail('ERR_ARGUMENT', { op: name, expected: 'a tensor', received: 'nothing' });
    inputs.forEach((input, i) => {
      checkFloat(name, `input ${i}`, input, i === 0 ? undefined : inputs[0]);
    });
    if (isRecordingNow()) throw eagerOnly(name);
    const shape = checkShape(name, shapeOf(...inputs.map((input) => input.shape)));
    const made = forward(...inputs.map(elementsOf));
    const output = tensorOf(name, 'forward', made, shape, inputs[0]);
    const goBack: BackwardFunction = (gradient, saved, needs) => {
      const elements = saved.map(elementsOf);
      const result = backward(elementsOf(gradient), elements.slice(0, -1), elements[inputs.length], needs);
      const arrays = Array.isArray(result) ? result : [result];
      if (arrays.length !== inputs.length) {
        throw fail('ERR_ARGUMENT', {
          op: name,
          expected: `elements or null for each of ${inputs.length} inputs from backward`,
          received: `${arrays.length}`,
        });
      }
      return arrays.map((array, i) =>
        array === null ? null : tensorOf(name, 'backward', array, saved[i].shape, gradient),
      );
    };
    return record(name, output, inputs, [...inputs, output], goBack, 'unknown');
  };
}

function elementsOf(tensor: Tensor): Elements {
  return { data: tensor.data() as Float32Array | Float64Array, shape: tensor.shape };
}

function tensorOf(name: string, part: string, array: unknown, shape: Shape, { dtype }: Tensor): Tensor {
  const size = sizeOf(shape);
  const type = dtype === 'float32' ? 'Float32Array' : 'Float64Array';
  const expected = `${part} to return a ${type} of ${size} elements`;
  if (dtypeOfArray(array) !== dtype)
    throw fail('ERR_DTYPE', { op: name, expected, received: describe(array) });
  const values = array as Float32Array | Float64Array;
  if (values.length !== size) throw fail('ERR_SHAPE', { op: name, expected, received: `${values.length}` });
  return tensor(values, shape);
}

function eagerOnly(name: string) {
  return fail('ERR_CAPTURE', {
    op: name,
    expected: 'eager code, because this operation is written in JavaScript',
    received: 'a step that is recorded',
    hint: 'build it from operations of the library with defineOp, or train without capture: fit(…, { capture: false })',
  });
}
