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

export interface Addon {
  allocate(elements: number, dtype: number): number;
  free(handle: number): boolean;
  write(handle: number, from: TypedArray, first: number): void;
  read(handle: number, to: TypedArray, first: number): void;
  memory(): MemoryInfo;
  resetPeak(): void;
  trim(): void;
  attach(handles: Int32Array, params: Float64Array): void;
  run(opcode: number, handleCount: number, paramCount: number): void;
  opcodes(): string[];
  info(): NativeInfo;
  setThreads(count: number): boolean;
  setIsa(name: string): boolean;
  peak(milliseconds: number, threads: number): number;
}
