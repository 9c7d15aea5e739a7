// SPDX-License-Identifier: Apache-2.0
// The export table of native/addon.cc, typed. Only lib/native uses it.

/** Element types of tensors; the position is the code that C++ uses. */
export const DTYPES = ['float32', 'float64', 'int32', 'uint8'] as const;

/** Element type of a tensor. */
export type DType = (typeof DTYPES)[number];

/** The typed array that holds elements of one dtype. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What native code holds now, in bytes; `tensors` counts live handles of this thread's environment. */
export interface MemoryInfo {
  readonly tensors: number;
  readonly bytes: number;
  readonly peakBytes: number;
  /** Freed blocks kept for reuse, of the whole process. */
  readonly cachedBytes: number;
  /** Scratch of all threads, of the whole process. */
  readonly workspaceBytes: number;
  /** All native memory that the process holds: tensors of all threads, cached blocks, buffers of plans, scratch. */
  readonly heldBytes: number;
  /** How often memory was asked of the system, by the whole process since it began; a plan asks for none after its first step. */
  readonly allocations: number;
}

/** Instruction set and threads in use. */
export interface NativeInfo {
  readonly isa: string;
  readonly refusedIsa: string;
  readonly supportedIsas: readonly string[];
  readonly threads: number;
  readonly defaultThreads: number;
  readonly maxThreads: number;
}

/** What the planner found: counts, and bytes of the step's buffers. */
export interface PlanDescription {
  readonly instructions: number;
  readonly buffers: number;
  /** Bytes of the arena: exactly what the step's buffers take. */
  readonly peakBytes: number;
  /** What they would take if none shared memory. */
  readonly unsharedBytes: number;
  /** Results written over an input that nobody needs any more. */
  readonly inPlace: number;
  /** Instructions that are computed a second time, so that the buffers fit into `maxMemory`. */
  readonly recomputed: number;
  /** Instructions that became one, by kind: 'conv2d + relu', 'batchNorm2d + add + relu', … Kinds not found are left out. */
  readonly fusions: Readonly<Record<string, number>>;
  /** Each pass of a convolution in its order: 'conv2d_forward 64 → 128 at 16x16: winograd F(4x4, 3x3)'. */
  readonly algorithms: readonly string[];
}

/** How to plan a step. */
export interface PlanOptions {
  /**
   * The most bytes that the step's buffers may take: results are computed a second time to keep it, with the same bits.
   * Default: no limit. Weights, optimizer state and the scratch memory of threads do not count.
   */
  readonly maxMemory?: number | undefined;
  /**
   * For inference: folds batch normalisations into the convolutions before them, once in a run. Results change in their
   * last digits. Default false.
   */
  readonly fold?: boolean | undefined;
  /**
   * Measures, when the step is recorded, whether direct or Winograd convolution is faster for each 3x3 convolution at stride 1
   * that is left to 'auto', in place of the cost model: milliseconds to seconds, in which JavaScript waits. `describe()` tells
   * what was chosen. The choice depends on the machine and its moment, and the last digits of results on the choice. Default
   * false: the same bits in every run.
   */
  readonly tune?: boolean | undefined;
}

/**
 * Replays steps. `numbers` takes the outputs of one element, one after another, `arrays` holds an array for each of the
 * others; `report` is called with the steps done, at the end with `finished` and what ended the run early.
 */
type NativeRun = (
  steps: number,
  variables: Float64Array,
  streams: readonly TypedArray[],
  numbers: Float64Array,
  arrays: readonly TypedArray[],
  threads: number,
  report: (done: number, finished: boolean, error?: unknown) => void,
) => void;

/** One instruction of a timed step; updates that run as one are one. */
export interface ProfiledInstruction {
  readonly op: string;
  /** Its place in the recording. */
  readonly origin: number;
  readonly ms: number;
  readonly numbers: readonly number[];
  /** Of its operands, read or written. */
  readonly bytes: number;
  /** Which way a convolution takes; '' for the rest. */
  readonly algorithm: string;
  readonly updates: number;
}

/** native/binding/plan.cc */
export interface NativePlan {
  readonly run: NativeRun;
  readonly runSync: NativeRun;
  /** For the runs to come: whether they give way to everything else, and their share of a thread's time, up to 1. */
  setManners(background: boolean, cpuShare: number): void;
  stop(): void;
  /** Names of the instructions, in the order in which they run. */
  operations(): string[];
  /** Times the steps to come, or not; gives what is known of the last one, empty where it was not timed. */
  profile(timed: boolean): ProfiledInstruction[];
  describe(): PlanDescription;
  dispose(): void;
}

export interface Addon {
  allocate(elements: number, dtype: number): number;
  free(handle: number): boolean;
  isAtRest(handle: number): boolean;
  write(handle: number, from: TypedArray, first: number): void;
  read(handle: number, to: TypedArray, first: number): void;
  memory(): MemoryInfo;
  resetPeak(): void;
  trim(): void;
  attach(handles: Int32Array, params: Float64Array): void;
  run(opcode: number, handleCount: number, paramCount: number): void;
  opcodes(): string[];
  copyBetweenSteps(pairs: Int32Array, done: () => void): boolean;
  info(): NativeInfo;
  setThreads(count: number): boolean;
  setIsa(name: string): boolean;
  peak(milliseconds: number, threads: number): number;
  bandwidth(milliseconds: number, threads: number): number;
  readonly Plan: new (
    integers: Int32Array,
    numbers: Float64Array,
    maxMemory: number,
    fold: boolean,
    tune: boolean,
  ) => NativePlan;
}
