// SPDX-License-Identifier: Apache-2.0
// What comes out of the steps of a run: a column of numbers for each output of one element, a slice a step of the others.
import type { DType, TypedArray } from '../native/bindings.js';
import { arrayFor } from '../tensor/tensor.js';

/** An output of a recorded step. */
export interface OutputSpec {
  readonly name: string;
  /** Elements a step. */
  readonly size: number;
  readonly dtype: DType;
}

/**
 * What came out, by output and then by step: for an output of one element a Float64Array with a number a step, for any other
 * an array of its dtype with all its elements of the first step, then those of the second, and so on.
 */
export type StepOutputs = Readonly<Record<string, TypedArray>>;

/** The same outputs in memory of their own. */
export function copyOutputs(outputs: StepOutputs): StepOutputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, array.slice()]));
}

/** Room for the outputs of some steps, as native code writes them. */
export class OutputArrays {
  readonly #specs: readonly OutputSpec[];
  readonly #steps: number;
  /** Outputs of one element, one after another. */
  readonly numbers: Float64Array;
  /** The others. */
  readonly arrays: readonly TypedArray[];

  constructor(specs: readonly OutputSpec[], steps: number) {
    const large = specs.filter(({ size }) => size > 1);
    this.#specs = specs;
    this.#steps = steps;
    this.numbers = arrayFor('float64', (specs.length - large.length) * steps) as Float64Array;
    this.arrays = large.map(({ size, dtype }) => arrayFor(dtype, size * steps));
  }

  /** Copies of steps `first` to `end` - 1: what a callback may keep or transfer while native code goes on writing here. */
  copy(first: number, end: number): StepOutputs {
    return copyOutputs(this.slice(first, end));
  }

  /** Views of steps `first` to `end` - 1, to be handed out when native code no longer writes here. */
  slice(first: number, end: number): StepOutputs {
    const outputs: Record<string, TypedArray> = {};
    let numbers = 0;
    let arrays = 0;
    for (const { name, size } of this.#specs) {
      if (size > 1) {
        outputs[name] = this.arrays[arrays++].subarray(first * size, end * size);
      } else {
        const start = numbers++ * this.#steps;
        outputs[name] = this.numbers.subarray(start + first, start + end);
      }
    }
    return outputs;
  }
}
