// SPDX-License-Identifier: Apache-2.0
// A number of an instruction that differs from step to step when the instruction is replayed: a learning rate, how often a
// moment was updated, where a random generator stands.

/** A number now, and how to find it for a later step. */
export class Varying {
  /** The number for an instruction that runs now. */
  readonly value: number;
  /** The number for step `step` of a run, counted from 0 at the run's beginning. */
  readonly at: (step: number) => number;

  constructor(value: number, at: (step: number) => number) {
    this.value = value;
    this.at = at;
  }
}

/** A parameter of an instruction. */
export type InstructionNumber = number | Varying;
