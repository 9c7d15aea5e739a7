// SPDX-License-Identifier: Apache-2.0
// Gradients against finite differences, in double precision: the proof that a backward rule belongs to its forward.
import { checkOptions, describe, fail } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { noGrad } from './grad-mode.js';
import { tensorScope } from './scope.js';

/** Step and tolerances; PyTorch's defaults. */
export interface GradcheckOptions {
  /** Half the distance of the central difference. Default 1e-6. */
  readonly eps?: number;
  /** Absolute tolerance. Default 1e-5. */
  readonly atol?: number;
  /** Tolerance relative to the numerical gradient. Default 1e-3. */
  readonly rtol?: number;
}

/** Weights of the outputs, so that every output counts and none cancels another: fixed, irregular, about 1. */
function weightsFor(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => 0.5 + ((i * 0.618033988749895) % 1));
}

function checkTolerances(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isFinite(value) && (name === 'eps' ? value > 0 : value >= 0)) continue;
    const expected = `${name} to be a number ${name === 'eps' ? 'above' : 'of at least'} 0`;
    throw fail('ERR_ARGUMENT', { op: 'gradcheck', expected, received: describe(value) });
  }
}

/** Refuses what has no gradient in double precision. */
function checkOutput(output: Tensor): Tensor {
  const { dtype, requiresGrad } = Object(output) as Partial<Tensor>;
  if (dtype === 'float64' && requiresGrad === true) return output;
  throw fail(dtype === undefined ? 'ERR_ARGUMENT' : 'ERR_DTYPE', {
    op: 'gradcheck',
    expected: 'a function that gives a float64 tensor, which depends on its inputs',
    received: dtype === undefined ? describe(output) : String(output),
  });
}

function weightedSum(output: Tensor): number {
  const values = output.data();
  const weights = weightsFor(output.size);
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] * weights[i];
  return total;
}

/** The gradients that backward gives; what the inputs had before is theirs again afterwards. */
function analyticalGradients(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  checked: readonly Tensor[],
): ArrayLike<number>[] {
  const before = checked.map((input) => input.grad);
  for (const input of checked) input.grad = null;
  try {
    tensorScope(() => {
      const output = checkOutput(body(...inputs));
      output.backward(weightsFor(output.size));
    });
    return checked.map((input) => input.grad?.data() ?? new Float64Array(input.size));
  } finally {
    checked.forEach((input, i) => {
      input.grad?.dispose();
      input.grad = before[i];
    });
  }
}

/**
 * Compares the gradients of `body` with central differences, for every element of every input that requires one.
 *
 * @param body a function of the inputs, the same on every call; its output may have any shape
 * @param inputs float64 tensors; their values and gradients are as before when it returns or throws
 * @returns the largest difference between the two gradients
 *
 * Throws ERR_NUMERICS naming the first element that differs; ERR_DTYPE for inputs or outputs that are not float64, or do not
 * depend on each other; ERR_ARGUMENT for inputs that an operation made, and for tolerances that are none.
 */
export function gradcheck(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): number {
  checkOptions('gradcheck', options, ['eps', 'atol', 'rtol']);
  if (typeof body !== 'function' || !Array.isArray(inputs)) {
    const received = `${describe(body)}, ${describe(inputs)}`;
    throw fail('ERR_ARGUMENT', { op: 'gradcheck', expected: 'a function and an array of inputs', received });
  }
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  checkTolerances({ eps, atol, rtol });
  const checked = inputs.filter((input) => input?.requiresGrad);
  if (checked.length === 0 || checked.some((input) => input.dtype !== 'float64')) {
    throw fail('ERR_DTYPE', {
      op: 'gradcheck',
      expected: 'float64 inputs, at least one with requiresGrad',
      received: inputs.map(String).join(', ') || 'none',
      hint: 'make them with randn(shape, { dtype: "float64", requiresGrad: true })',
    });
  }
  const grown = checked.findIndex((input) => input.node !== null);
  if (grown >= 0) {
    throw fail('ERR_ARGUMENT', {
      op: 'gradcheck',
      expected: 'inputs that no operation made',
      received: `the output of ${checked[grown].node?.op} as input ${inputs.indexOf(checked[grown])}`,
      hint: 'give it without its history: x.detach(), with requiresGrad set',
    });
  }
  const gradients = analyticalGradients(body, inputs, checked);
  let largest = 0;
  checked.forEach((input, which) => {
    const values = input.data() as Float64Array;
    const at = (index: number, value: number) =>
      tensorScope(() => {
        const moved = values.slice();
        moved[index] = value;
        input.write(moved);
        return weightedSum(noGrad(() => body(...inputs)));
      });
    try {
      for (let i = 0; i < values.length; i++) {
        const numerical = (at(i, values[i] + eps) - at(i, values[i] - eps)) / (2 * eps);
        const difference = Math.abs(numerical - gradients[which][i]);
        largest = Math.max(largest, difference);
        if (difference <= atol + rtol * Math.abs(numerical)) continue; // false for NaN
        throw fail('ERR_NUMERICS', {
          op: 'gradcheck',
          expected: `gradient ${numerical} at element ${i} of input ${which}, by finite differences`,
          received: String(gradients[which][i]),
        });
      }
    } finally {
      input.write(values);
    }
  });
  return largest;
}
