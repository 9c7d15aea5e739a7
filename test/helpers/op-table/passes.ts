// SPDX-License-Identifier: Apache-2.0
// Runs samples of the table: forward and backward, eagerly or as a captured step, and compares what comes out.
import { type DType, nativeInfo, setNumThreads, type TypedArray } from '../../../lib/native/bindings.js';
import { manualSeed } from '../../../lib/tensor/random.js';
import { tensorScope } from '../../../lib/tensor/scope.js';
import { arrayFor, type Tensor } from '../../../lib/tensor/tensor.js';
import { capturePlan } from '../../../lib/train/plan.js';
import { irregular } from '../operands.js';
import { dtypeOf, make, type Operand, type Precision, type Row, type Sample } from './row.js';

/** A result, the gradient of each leaf, and what each state became. */
export interface Passes {
  readonly output: TypedArray;
  /** null for an operand that is no leaf. */
  readonly gradients: readonly (TypedArray | null)[];
  /** null for an operand that is no state. */
  readonly states: readonly (TypedArray | null)[];
}

/** What of a sample may be otherwise. */
export interface Variation {
  /** Of operand `i`. */
  readonly values?: (operand: Operand, i: number) => readonly number[];
  /** Of the gradient of the output. */
  readonly seed?: (size: number) => readonly number[];
  /** Tensors made of leaves stand in for them. */
  readonly instead?: (leaf: Tensor) => Tensor;
  /** Called between forward and backward. */
  readonly between?: (inputs: readonly Tensor[]) => void;
  /** Reads the output before backward. Default true. */
  readonly backward?: boolean;
}

const SEED = 11;

/** Draws as every other run of it does. */
export function runSeeded(sample: Pick<Sample, 'run'>, operands: readonly Tensor[]): Tensor {
  manualSeed(SEED);
  return sample.run(...operands);
}

/** The gradient of an output that its backward pass begins with; exact in float32. */
export const seedOf = (size: number): number[] => irregular(size, 5).map(Math.fround);

/** Numbers in an array of the tensor's type. */
export const arrayOf = (values: readonly number[], { dtype }: Tensor) =>
  dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values);

/** Forward and, where there is a leaf, backward. Leaves no tensor behind. */
export function runPasses(sample: Sample, precision: Precision, variation: Variation = {}): Passes {
  const { values = ({ values }) => values, seed = seedOf, instead, between, backward = true } = variation;
  return tensorScope(() => {
    const { operands } = sample;
    const tensors = operands.map((operand, i) => make(operand, precision, values(operand, i)));
    const inputs = tensors.map((tensor) =>
      instead === undefined || !tensor.requiresGrad ? tensor : instead(tensor),
    );
    const result = runSeeded(sample, inputs);
    const output = result.data();
    between?.(inputs);
    if (result.requiresGrad && backward) result.backward(arrayOf(seed(result.size), result));
    const of = <T>(role: Operand['role'], read: (tensor: Tensor) => T) =>
      operands.map((operand, i) => (operand.role === role ? read(tensors[i]) : null));
    return {
      output,
      gradients: of('leaf', ({ grad }) => grad?.data() ?? null),
      states: of('state', (tensor) => tensor.data()),
    };
  });
}

/** All arrays of a run, with names. */
export function partsOf({ output, gradients, states }: Passes): [name: string, data: TypedArray][] {
  const named = (name: string, arrays: readonly (TypedArray | null)[]) =>
    arrays.flatMap((data, i): [string, TypedArray][] =>
      data === null ? [] : [[`${name} of operand ${i}`, data]],
    );
  return [['result', output], ...named('gradient', gradients), ...named('state', states)];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Throws where two arrays differ in a bit. */
export function expectSameBits(actual: TypedArray, expected: TypedArray, what: string): void {
  if (bytesOf(actual).equals(bytesOf(expected))) return;
  const i = actual.findIndex((value, at) => !Object.is(value, expected[at]));
  throw new Error(`${what}: bits differ at element ${i}: ${actual[i]} instead of ${expected[i]}`);
}

/** The same for everything that two runs made. */
export function expectSamePasses(actual: Passes, expected: Passes, what: string): void {
  const wanted = partsOf(expected);
  partsOf(actual).forEach(([name, data], i) => {
    expectSameBits(data, wanted[i][1], `${what}, ${name}`);
  });
  if (partsOf(actual).length !== wanted.length) throw new Error(`${what}: gradients are missing`);
}

/** Runs `body` with each of these numbers of threads. */
export function onThreads(counts: readonly number[], body: (threads: number) => void): void {
  const { threads } = nativeInfo();
  try {
    for (const count of counts) {
      setNumThreads(count);
      body(count);
    }
  } finally {
    setNumThreads(threads);
  }
}

/** What comes out of a captured step, and of what it is made. */
export interface Captured extends Passes {
  /** What the inputs that are no states hold when all else is done. */
  readonly after: readonly TypedArray[];
  /** The names of its instructions. */
  readonly operations: readonly string[];
}

/**
 * The sample as a step that is recorded and then replayed: operands are its inputs, states tensors outside.
 */
export function runCaptured(sample: Sample, precision: Precision): Captured {
  return tensorScope(() => {
    const { operands } = sample;
    const kept = operands.map((operand) => (operand.role === 'state' ? make(operand, precision) : null));
    const streamed = operands.flatMap((operand, i) => (operand.role === 'state' ? [] : [{ operand, i }]));
    // A step has an input; what has none but states gets one that nobody reads.
    const inputs =
      streamed.length > 0 ? streamed : [{ operand: { ...operands[0], role: 'constant' as const }, i: -1 }];
    manualSeed(SEED);
    let dtype: DType = precision;
    using plan = capturePlan(
      (streams) => {
        const tensors = operands.map((operand, i) => {
          const input = kept[i] ?? streams[`x${i}`];
          if (operand.role === 'leaf') input.requiresGrad = true;
          return input;
        });
        const output = sample.run(...tensors);
        dtype = output.dtype;
        if (output.requiresGrad) output.backward(arrayOf(seedOf(output.size), output));
        const outputs: Record<string, Tensor> = { output: output.detach() };
        for (const [i, { grad }] of tensors.entries()) if (grad !== null) outputs[`d${i}`] = grad;
        for (const { i } of streamed) outputs[`after${i}`] = tensors[i].detach();
        return outputs;
      },
      Object.fromEntries(
        inputs.map(({ operand, i }) => [
          `x${i}`,
          { shape: operand.shape, dtype: dtypeOf(operand, precision) },
        ]),
      ),
    );
    const arrays = inputs.map(({ operand, i }) => {
      const constant = { ...operand, role: 'constant' as const };
      return [`x${i}`, tensorScope(() => make(constant, precision).data())] as const;
    });
    const { outputs } = plan.runSync({ steps: 1, streams: Object.fromEntries(arrays) });
    // What has one element comes out in double precision.
    const read = (name: string, dtype: DType) => {
      if (!(name in outputs)) return null;
      const data = arrayFor(dtype, outputs[name].length);
      data.set(outputs[name]);
      return data;
    };
    return {
      output: read('output', dtype) as TypedArray,
      gradients: operands.map(({ role }, i) => (role === 'leaf' ? read(`d${i}`, precision) : null)),
      states: kept.map((tensor) => tensor?.data() ?? null),
      after: streamed.map(({ operand, i }) => read(`after${i}`, dtypeOf(operand, precision)) as TypedArray),
      operations: plan.operations(),
    };
  });
}

/** The precisions that a row has. */
export const precisionsOf = ({ isSingle }: Row): readonly Precision[] =>
  isSingle === true ? ['float32'] : ['float32', 'float64'];
