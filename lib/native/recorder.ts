// SPDX-License-Identifier: Apache-2.0
// Records instructions instead of running them. Tensors made while recording have handles but no memory; what memory a
// step needs is planned when it is whole (native/plan).
import { fileURLToPath } from 'node:url';
import { fail } from '../errors.js';
import { DTYPES, type DType } from './addon.js';
import { currentPlace, type Place } from './place.js';
import { type InstructionNumber, Varying } from './varying.js';

/** Handles from here on name buffers of a recording. */
const FIRST_BUFFER = 2 ** 24;

/** What a buffer is for: inside the step, a slice of a stream, handed out. As in native/plan/program.h. */
const ROLES = { internal: 0, stream: 1, output: 2 } as const;

/** What becomes of a buffer. */
export type BufferRole = keyof typeof ROLES;

interface RecordedBuffer {
  readonly size: number;
  readonly dtype: DType;
  role: BufferRole;
  /** The tensor that holds its elements, where they were given while recording. */
  constant: number | undefined;
}

interface RecordedInstruction {
  readonly opcode: number;
  readonly operands: readonly number[];
  readonly numbers: readonly InstructionNumber[];
  readonly place: Place;
}

/** A recorded step in flat arrays, as native/binding/plan.cc reads them, and what goes with it. */
export interface EncodedProgram {
  readonly integers: Int32Array;
  readonly numbers: Float64Array;
  readonly variables: readonly Varying[];
}

/** True for the handle of a buffer that exists only in a recording. */
export function isRecordedHandle(handle: number): boolean {
  return handle >= FIRST_BUFFER;
}

/** The first line of the stack that lies outside this library: where the user's model asked. */
export function callerLine(): string {
  const home = fileURLToPath(new URL('..', import.meta.url));
  const lines = new Error().stack?.split('\n').slice(1) ?? [];
  const outside = lines.find((line) => !line.includes(home) && !line.includes('node:'));
  return outside?.trim().replace(/^at /, '') ?? 'an unknown place';
}

/** State outside of tensors that moves on with each step of a recording when it is replayed. */
export interface Advancing {
  /** @internal Notes that recorded steps were replayed. */
  advance(steps: number): void;
  /** @internal The recording is over: what it left behind has no values. */
  endRecording?(): void;
}

/** Instructions and buffers of one step. */
export class Recording {
  readonly #instructions: RecordedInstruction[] = [];
  readonly #buffers: RecordedBuffer[] = [];
  /** What the recorded step moves on. */
  readonly advancing = new Set<Advancing>();

  allocate(size: number, dtype: DType): number {
    this.#buffers.push({ size, dtype, role: 'internal', constant: undefined });
    return FIRST_BUFFER + this.#buffers.length - 1;
  }

  emit(opcode: number, operands: readonly number[], numbers: readonly InstructionNumber[]): void {
    this.#instructions.push({
      opcode,
      operands: operands.slice(),
      numbers: numbers.slice(),
      place: currentPlace(),
    });
  }

  /** Where the instructions come from, in their order. */
  get places(): Place[] {
    return this.#instructions.map(({ place }) => place);
  }

  /** Gives a buffer its role; it must have been made by this recording. */
  setRole(handle: number, role: BufferRole): void {
    this.#buffer(handle).role = role;
  }

  /** Notes that a buffer's elements were given while recording, and lie in `tensor`. */
  setConstant(handle: number, tensor: number): void {
    this.#buffer(handle).constant = tensor;
  }

  /** True for a buffer that instructions of the step write, and that has no other role yet. */
  isInternal(handle: number): boolean {
    const buffer = this.#buffers[handle - FIRST_BUFFER];
    return buffer !== undefined && buffer.role === 'internal' && buffer.constant === undefined;
  }

  /** What a constant needs: its size and type. */
  describe(handle: number): { readonly size: number; readonly dtype: DType } {
    return this.#buffer(handle);
  }

  /** Tensors that hold constants; whoever uses the recording frees them. */
  get constants(): number[] {
    return this.#buffers.flatMap(({ constant }) => constant ?? []);
  }

  /** The error for a value that was asked for while there is none. */
  noValue() {
    return fail('ERR_CAPTURE', {
      op: 'capture',
      expected: 'a step that does not look at values while it is recorded',
      received: `data() or item() at ${callerLine()}`,
      hint: 'return the tensor from the step instead, or train without capture: fit(…, { capture: false })',
    });
  }

  #buffer(handle: number): RecordedBuffer {
    const buffer = this.#buffers[handle - FIRST_BUFFER];
    if (buffer !== undefined) return buffer;
    throw fail('ERR_DISPOSED', {
      op: 'capture',
      expected: 'a tensor made by this recording',
      received: 'one of another recording',
    });
  }

  /** -1 none, 0 and up buffers, -2 and down tensors: native/plan/program.h. */
  #encodeOperand(operand: number): number {
    if (operand < 0) return -1;
    if (operand < FIRST_BUFFER) return -2 - operand;
    const { constant } = this.#buffer(operand);
    return constant === undefined ? operand - FIRST_BUFFER : -2 - constant;
  }

  /** The whole recording in flat arrays. */
  encode(): EncodedProgram {
    const integers: number[] = [this.#instructions.length];
    const numbers: number[] = [];
    const variables: Varying[] = [];
    const varying: number[] = [];
    this.#instructions.forEach((instruction, i) => {
      const operands = instruction.operands.map((operand) => this.#encodeOperand(operand));
      integers.push(instruction.opcode, operands.length, ...operands, instruction.numbers.length);
      instruction.numbers.forEach((number, p) => {
        numbers.push(number instanceof Varying ? number.value : number);
        if (!(number instanceof Varying)) return;
        if (!variables.includes(number)) variables.push(number);
        varying.push(i, p, variables.indexOf(number));
      });
    });
    integers.push(this.#buffers.length);
    for (const { size, dtype, role } of this.#buffers) {
      integers.push(DTYPES.indexOf(dtype), ROLES[role]);
      numbers.push(size);
    }
    integers.push(varying.length / 3, ...varying, variables.length);
    return { integers: Int32Array.from(integers), numbers: Float64Array.from(numbers), variables };
  }
}
