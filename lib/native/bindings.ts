// SPDX-License-Identifier: Apache-2.0
// The one place where TypeScript reaches C++. Computation leaves as instructions: an operation, small integer tensor
// handles, a flat block of numbers.
import { describe, type ErrorCode, fail, ReceptiveError } from '../errors.js';
import {
  type Addon,
  DTYPES,
  type DType,
  type MemoryInfo,
  type NativeInfo,
  type NativePlan,
  type PlanOptions,
  type TypedArray,
} from './addon.js';
import { loadAddon } from './load.js';
import { type Advancing, type EncodedProgram, isRecordedHandle, Recording } from './recorder.js';
import { type InstructionNumber, Varying } from './varying.js';

export type { DType, MemoryInfo, NativeInfo, NativePlan, PlanOptions, TypedArray } from './addon.js';
export { DTYPES } from './addon.js';

/** The recording that instructions go to instead of running, if there is one. */
let recording: Recording | undefined;

/** Operand that an instruction leaves out. */
export const NO_TENSOR = -1;

const MAX_OPERANDS = 8;
const MAX_PARAMS = 64;
const handles = new Int32Array(MAX_OPERANDS);
const params = new Float64Array(MAX_PARAMS);
let loaded: { addon: Addon; opcodes: Map<string, number> } | undefined;

/** The addon, loaded on first use, so that importing the library never fails. */
function native() {
  if (loaded === undefined) {
    const addon = loadAddon();
    addon.attach(handles, params);
    loaded = { addon, opcodes: new Map(addon.opcodes().map((name, code) => [name, code])) };
  }
  return loaded;
}

/** A refusal of native code, as native/binding throws it. */
interface Refusal {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly received: string;
}

function isRefusal(error: unknown): error is Refusal {
  const isObject = typeof error === 'object' && error !== null && !(error instanceof ReceptiveError);
  return isObject && 'code' in error && 'expected' in error;
}

/** The function that people call where an instruction is named: conv2d_forward is a part of conv2d. */
function callerOf(instruction: string): string {
  const whole = instruction
    .replace(/_(forward|backward|eval|grad_input|grad_weight|update)$/, '')
    .replace(/^(softmax|soft)_(?=cross_entropy)/, '');
  return whole.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const WHEN_BUSY = 'await the run first, or work with a snapshot() of the model';

/** Gives a refusal of native code the library's error form. */
export function explain(op: string, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  const { code, expected, received } = error;
  const hint = code === 'ERR_BUSY' ? WHEN_BUSY : undefined;
  return fail(code, { op, expected, received, hint, cause: error });
}

/**
 * Refuses tensors that a running plan writes, so that what changes several of them changes all or none. While a step is
 * recorded, nothing is written, and nothing refused.
 */
export function checkAtRest(op: string, tensors: Iterable<{ readonly handle: number }>): void {
  if (recording !== undefined) return;
  const { addon } = native();
  let count = 0;
  for (const { handle } of tensors) if (!addon.isAtRest(handle)) count += 1;
  if (count === 0) return;
  throw fail('ERR_BUSY', {
    op,
    expected: 'tensors at rest',
    received: `${count} that a running plan is using`,
    hint: WHEN_BUSY,
  });
}

/**
 * Runs one instruction now, or adds it to the recording.
 *
 * @param op name in native/plan/opcodes.h
 * @param operands tensor handles, outputs first; NO_TENSOR for one that is left out
 * @param numbers the instruction's parameters
 */
export function emit(
  op: string,
  operands: readonly number[],
  numbers: readonly InstructionNumber[] = [],
): void {
  const { addon, opcodes } = native();
  const code = opcodes.get(op);
  if (code === undefined || operands.length > MAX_OPERANDS || numbers.length > MAX_PARAMS) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `an instruction of the addon with at most ${MAX_OPERANDS} operands and ${MAX_PARAMS} numbers`,
      received: `${operands.length} operands and ${numbers.length} numbers`,
      hint: 'the binary and the JavaScript may be of different versions: build again',
    });
  }
  if (recording !== undefined) {
    recording.emit(code, operands, numbers);
    return;
  }
  for (let i = 0; i < operands.length; i++) handles[i] = operands[i];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i];
    params[i] = number instanceof Varying ? number.value : number;
  }
  try {
    addon.run(code, operands.length, numbers.length);
  } catch (error) {
    throw explain(callerOf(op), error);
  }
}

/** Allocates a tensor of `size` elements, contents undefined. Throws ERR_OUT_OF_MEMORY. */
export function allocate(size: number, dtype: DType): number {
  return recording === undefined ? allocateNow(size, dtype) : recording.allocate(size, dtype);
}

function allocateNow(size: number, dtype: DType): number {
  const handle = native().addon.allocate(size, DTYPES.indexOf(dtype));
  if (handle >= 0) return handle;
  throw fail('ERR_OUT_OF_MEMORY', {
    op: 'tensor',
    expected: `memory for ${size} elements of ${dtype}`,
    received: 'none from the system',
    hint: 'use a smaller batch, or dispose tensors that are no longer needed',
  });
}

/** Frees a tensor; does nothing for one that is already freed. */
export function free(handle: number): void {
  if (isRecordedHandle(handle)) return; // it never had memory
  native().addon.free(handle);
}

/** Copies `from` into the tensor, starting at element `first`. */
export function write(handle: number, from: TypedArray, first = 0): void {
  try {
    native().addon.write(recording === undefined ? handle : constantFor(recording, handle), from, first);
  } catch (error) {
    throw explain('tensor', error);
  }
}

/** A tensor for elements that are given while recording: the same in every step. */
function constantFor(recording: Recording, handle: number): number {
  if (!isRecordedHandle(handle)) return handle;
  const { size, dtype } = recording.describe(handle);
  const constant = allocateNow(size, dtype);
  recording.setConstant(handle, constant);
  return constant;
}

/** Copies the tensor's elements from `first` on into `to`, as many as it holds. */
export function read(handle: number, to: TypedArray, first = 0): void {
  if (recording !== undefined) throw recording.noValue();
  try {
    native().addon.read(handle, to, first);
  } catch (error) {
    throw explain('tensor', error);
  }
}

/**
 * Runs `body` with instructions recorded instead of run. Recordings do not nest.
 *
 * @returns the recording and what `body` returns
 */
export function record<T>(body: (recording: Recording) => T): { recording: Recording; result: T } {
  if (recording !== undefined) {
    throw fail('ERR_BUSY', {
      op: 'capture',
      expected: 'one capture at a time',
      received: 'one inside another',
    });
  }
  const own = new Recording();
  recording = own;
  try {
    return { recording: own, result: body(own) };
  } catch (error) {
    for (const constant of own.constants) native().addon.free(constant);
    throw error;
  } finally {
    recording = undefined;
    for (const part of own.advancing) part.endRecording?.();
  }
}

/** Notes, while a step is recorded, what else moves on when it is replayed. */
export function noteAdvancing(part: Advancing): void {
  recording?.advancing.add(part);
}

/** Runs `body` now, even while a step is recorded: for what must be there before the step begins. */
export function unrecorded<T>(body: () => T): T {
  const before = recording;
  recording = undefined;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/** True while instructions are recorded instead of run. */
export function isRecordingNow(): boolean {
  return recording !== undefined;
}

/**
 * The native side of a recorded step.
 *
 * Throws ERR_OUT_OF_MEMORY, naming the smallest `maxMemory` that works, where the step does not fit into it.
 */
export function makePlan(program: EncodedProgram, options: PlanOptions = {}): NativePlan {
  const { maxMemory = Infinity, fold = false, tune = false } = options;
  if (!(typeof maxMemory === 'number' && maxMemory >= 0) || typeof fold !== 'boolean') {
    throw fail('ERR_ARGUMENT', {
      op: 'capture',
      expected: 'maxMemory in bytes, and true or false for fold',
      received: `${describe(maxMemory)}, ${describe(fold)}`,
    });
  }
  try {
    return new (native().addon.Plan)(program.integers, program.numbers, maxMemory, fold, tune);
  } catch (error) {
    throw explain('capture', error);
  }
}

/**
 * Copies tensors, given as pairs of handles. False if that is done; true where a plan that is running writes one of them: it
 * makes the copies between two steps, and `done` is called then.
 */
export function startCopies(pairs: Int32Array, done: () => void): boolean {
  try {
    return native().addon.copyBetweenSteps(pairs, done);
  } catch (error) {
    throw explain('snapshot', error);
  }
}

/** What native memory is in use now. */
export function memoryInfo(): MemoryInfo {
  return native().addon.memory();
}

/** Makes the current use the new peak, and with `trim` gives cached blocks back to the system. */
export function resetMemory(options: { trim?: boolean } = {}): void {
  if (options.trim === true) native().addon.trim();
  native().addon.resetPeak();
}

/** Instruction set and threads in use, as `receptive info` prints them. */
export function nativeInfo(): NativeInfo {
  return native().addon.info();
}

/**
 * Sets how many threads take part in a computation, for the whole process. Results do not depend on it.
 *
 * @param count whole number from 1 to 256; the default is what the process may use (affinity, cgroup, RECEPTIVE_THREADS)
 */
export function setNumThreads(count: number): void {
  if (typeof count === 'number' && native().addon.setThreads(count)) return;
  throw fail('ERR_ARGUMENT', {
    op: 'setNumThreads',
    expected: `a whole number from 1 to ${nativeInfo().maxThreads}`,
    received: describe(count),
  });
}

/** Chooses an instruction set by name, for tests and comparisons. Call it while nothing runs. */
export function setIsa(name: string): void {
  if (native().addon.setIsa(name)) return;
  throw fail('ERR_ARGUMENT', {
    op: 'setIsa',
    expected: `one of ${nativeInfo().supportedIsas.join(', ')}`,
    received: describe(name),
  });
}

/** The machine's arithmetic peak in GFLOP/s, measured now for `milliseconds` on `threads` threads. */
export function measurePeak(milliseconds: number, threads: number): number {
  try {
    return native().addon.peak(milliseconds, threads);
  } catch (error) {
    throw explain('measurePeak', error);
  }
}

/** The memory's bandwidth in GB/s, read and written, measured now for `milliseconds` on `threads` threads. */
export function measureBandwidth(milliseconds: number, threads: number): number {
  try {
    return native().addon.bandwidth(milliseconds, threads);
  } catch (error) {
    throw explain('measureBandwidth', error);
  }
}
