// SPDX-License-Identifier: Apache-2.0
// Gradient checkpointing: a part of a network keeps nothing for backward but its inputs, and is computed again there.
import { checkFunction, isGradEnabled, recomputed } from '../autograd/grad-mode.js';
import { nextNodeId } from '../autograd/node.js';
import { fail } from '../errors.js';
import { DrawLog } from '../tensor/draw-log.js';
import { tensorScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFloat, checkTensor } from './check.js';
import { record } from './record.js';

/** Where the history of `output` leaves the operations that are numbered from `first` on: leaves, and tensors made before. */
function tensorsBehind(output: Tensor, first: number): Tensor[] {
  const found = new Set<Tensor>();
  const seen = new Set<Tensor>();
  const stack = [output];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    if (tensor.node !== null && tensor.node.id >= first) stack.push(...tensor.node.inputs);
    else if (tensor.requiresGrad) found.add(tensor);
  }
  return [...found];
}

/** An input as it was, for the second computation: itself, or, where it is not a leaf that lives, its elements and history. */
function inputAgain(input: Tensor, saved: Tensor): Tensor {
  if (input.node === null && !input.disposed) return input;
  const again = saved.detach();
  again.requiresGrad = input.requiresGrad;
  again.node = input.node;
  return again;
}

/**
 * What `body` makes of its inputs, without keeping what its operations save for backward: they are computed again when backward
 * comes by, once. That takes the memory of one part of a network at a time, for the time of another forward pass. Random
 * draws (dropout) are those of the first time, and running statistics count the batch once, so gradients have the bits that they
 * would have without; where several inputs of `body` depend on each other, sums of three or more gradients may be added in
 * another order. In a captured step the planner places the memory accordingly.
 *
 * @param body a synchronous function of its inputs and of tensors around it, parameters say, that does the same on every
 *   call; hooks inside it see the second computation
 * @returns what `body` returns: one tensor
 *
 * Throws ERR_ARGUMENT, ERR_DISPOSED; from backward ERR_ARGUMENT, where `body` did otherwise the second time.
 */
export function checkpoint<Inputs extends readonly Tensor[]>(
  body: (...inputs: Inputs) => Tensor,
  ...inputs: Inputs
): Tensor {
  checkFunction('checkpoint', body);
  inputs.forEach((input, i) => {
    checkTensor('checkpoint', `input ${i}`, input);
  });
  if (!isGradEnabled()) return checkResult(body(...inputs));
  const draws = new DrawLog();
  const first = nextNodeId();
  let behind: readonly Tensor[] = [];
  const output = tensorScope(() => {
    const made = checkResult(draws.note(() => body(...inputs)));
    behind = tensorsBehind(made, first);
    return made.detach();
  });
  return record(
    'checkpoint',
    output,
    behind,
    inputs,
    () => [],
    'unknown',
    (saved) => {
      const again = inputs.map((input, i) => inputAgain(input, saved[i])) as unknown as Inputs;
      return checkAgain(
        recomputed(() => draws.replay(() => body(...again))),
        output,
      );
    },
  );
}

function checkResult(result: Tensor): Tensor {
  checkFloat('checkpoint', 'the result of the function', result);
  return result;
}

function checkAgain(result: Tensor, before: Tensor): Tensor {
  checkResult(result);
  if (result.dtype === before.dtype && sameShape(result.shape, before.shape)) return result;
  throw fail('ERR_ARGUMENT', {
    op: 'checkpoint',
    expected: 'a function that does the same on every call',
    received: `${result} where it made ${before} before`,
  });
}
