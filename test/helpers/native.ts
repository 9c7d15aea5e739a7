// SPDX-License-Identifier: Apache-2.0
// Calls the native instructions without any layer of the library between, for tests of the kernels. Loads
// the addon itself, and so a test file uses either this or lib/, not both.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { within } from './within.js';

export { within } from './within.js';

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;
export type Kind = 'float32' | 'float64' | 'int32' | 'uint8';

interface Addon {
  attach(handles: Int32Array, params: Float64Array): void;
  opcodes(): string[];
  run(opcode: number, handleCount: number, paramCount: number): void;
  allocate(size: number, dtype: number): number;
  free(handle: number): boolean;
  write(handle: number, data: NumberArray, first: number): void;
  read(handle: number, data: NumberArray, first: number): void;
  info(): { isa: string; supportedIsas: string[]; threads: number };
  setThreads(count: number): boolean;
  setIsa(name: string): boolean;
  memory(): { tensors: number };
}

const defaultBinary = fileURLToPath(new URL('../../build/Release/receptive.node', import.meta.url));
export const addon: Addon = createRequire(import.meta.url)(process.env.RECEPTIVE_BINARY ?? defaultBinary);

const kinds: readonly Kind[] = ['float32', 'float64', 'int32', 'uint8'];
const handles = new Int32Array(16);
const params = new Float64Array(64);
addon.attach(handles, params);
const opcodes = new Map(addon.opcodes().map((name, code) => [name, code]));
const shapes = new Map<number, { kind: Kind; size: number }>();

function kindOf(data: NumberArray): Kind {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  return data instanceof Int32Array ? 'int32' : 'uint8';
}

function arrayOf(kind: Kind, size: number): NumberArray {
  if (kind === 'float32') return new Float32Array(size);
  if (kind === 'float64') return new Float64Array(size);
  return kind === 'int32' ? new Int32Array(size) : new Uint8Array(size);
}

/** Runs one instruction. Handle -1 stands for an operand left out. */
export function run(op: string, operands: readonly number[], numbers: readonly number[] = []): void {
  const code = opcodes.get(op);
  if (code === undefined) throw new Error(`the addon has no instruction ${op}`);
  handles.set(operands);
  params.set(numbers);
  addon.run(code, operands.length, numbers.length);
}

/** A handle to a tensor with undefined contents. */
export function allocate(kind: Kind, size: number): number {
  const handle = addon.allocate(size, kinds.indexOf(kind));
  shapes.set(handle, { kind, size });
  return handle;
}

/** A handle to a copy of the array. */
export function toTensor(data: NumberArray): number {
  const handle = allocate(kindOf(data), data.length);
  addon.write(handle, data, 0);
  return handle;
}

/** A copy of the tensor's elements. */
export function fromTensor(handle: number): NumberArray {
  const shape = shapes.get(handle);
  if (shape === undefined) throw new Error(`handle ${handle} was not made here`);
  const data = arrayOf(shape.kind, shape.size);
  addon.read(handle, data, 0);
  return data;
}

export function free(...list: readonly number[]): void {
  for (const handle of list) {
    if (handle >= 0) addon.free(handle);
    shapes.delete(handle);
  }
}

/** An output that an instruction fills, or the array that it updates in place. */
export type Output = { kind: Kind; size: number } | NumberArray;

/**
 * Runs one instruction from arrays to arrays: outputs first, then inputs (null for one left out), as the
 * instruction names its operands. Outputs given by kind and size start out as NaN (or a poison byte), so that an element
 * nobody wrote shows.
 */
export function call(
  op: string,
  outputs: readonly Output[],
  inputs: readonly (NumberArray | null)[],
  numbers: readonly number[] = [],
): NumberArray[] {
  const outs = outputs.map((output) =>
    toTensor('kind' in output ? arrayOf(output.kind, output.size).fill(poison(output.kind)) : output),
  );
  const ins = inputs.map((input) => (input === null ? -1 : toTensor(input)));
  try {
    run(op, [...outs, ...ins], numbers);
    return outs.map(fromTensor);
  } finally {
    free(...outs, ...ins);
  }
}

function poison(kind: Kind): number {
  return kind === 'uint8' ? 0xa5 : kind === 'int32' ? -987654321 : Number.NaN;
}

export const isas: readonly string[] = addon.info().supportedIsas;

/** Calls `body` for every instruction set of this machine, each with 1, 2 and 3 threads. */
export function forEachIsaAndThreads(body: (isa: string, threads: number) => void): void {
  const before = addon.info();
  try {
    for (const isa of isas) {
      addon.setIsa(isa);
      for (const threads of [1, 2, 3]) {
        addon.setThreads(threads);
        within(`${isa}, ${threads} threads`, () => body(isa, threads));
      }
    }
  } finally {
    addon.setIsa(before.isa);
    addon.setThreads(before.threads);
  }
}

/** Throws where two arrays differ in a bit; NaN equals any NaN of the same bits only. */
export function expectSameBits(actual: NumberArray, expected: NumberArray, what = 'array'): void {
  const bytes = (data: NumberArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes(actual).equals(bytes(expected))) return;
  const i = actual.findIndex((value, at) => !Object.is(value, expected[at]));
  throw new Error(`${what}: bits differ at element ${i}: ${actual[i]} and ${expected[i]}`);
}

/** Throws where |actual - expected| exceeds bound(i). NaN must meet NaN, and an infinity itself. */
export function expectClose(
  actual: NumberArray,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
  what = 'array',
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements instead of ${expected.length}`);
  }
  for (let i = 0; i < actual.length; i++) {
    const [value, wanted] = [actual[i], expected[i]];
    if (Object.is(value, wanted) || value === wanted) continue;
    if (Math.abs(value - wanted) <= bound(i)) continue; // false for NaN and for an infinity
    throw new Error(`${what}: element ${i} is ${value} instead of ${wanted}, allowed ${bound(i)}`);
  }
}

/** Random numbers of a seed, for test cases. */
export class Random {
  #state: number;
  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from low to high, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)];
  }

  floats(size: number, low = -1, high = 1): Float32Array {
    return Float32Array.from({ length: size }, () => low + (high - low) * this.next());
  }

  ints(size: number, low: number, high: number): Int32Array {
    return Int32Array.from({ length: size }, () => this.int(low, high));
  }
}

export function seeded(seed: number): Random {
  return new Random(seed);
}

/** Runs a random case `count` times; RECEPTIVE_TEST_SEED moves the first seed. A failure names its seed. */
export function forSeeds(count: number, body: (random: Random) => void): void {
  const first = Number(process.env.RECEPTIVE_TEST_SEED ?? 1);
  for (let seed = first; seed < first + count; seed++) {
    within(`seed ${seed}`, () => body(seeded(seed)));
  }
}

/** The same array in the double precision of the reference kernels; whole numbers stay as they are. */
export function doubled<Data extends NumberArray | null>(data: Data): Data | Float64Array {
  return data instanceof Float32Array ? Float64Array.from(data) : data;
}

const doubledOutput = (output: Output): Output =>
  'kind' in output
    ? { kind: output.kind === 'float32' ? 'float64' : output.kind, size: output.size }
    : doubled(output);

/**
 * Runs an instruction in float32 on every instruction set and thread count, and in float64 on the reference.
 * Throws unless the results stay within `bound` of the reference and have the same bits for every number of threads.
 * Outputs of whole numbers must be equal. Returns the reference.
 */
export function checkAgainstReference(
  op: string,
  outputs: readonly Output[],
  inputs: readonly (NumberArray | null)[],
  numbers: readonly number[],
  bound: (output: number, i: number, expected: number) => number,
): NumberArray[] {
  const expected = call(op, outputs.map(doubledOutput), inputs.map(doubled), numbers);
  const first = new Map<string, NumberArray[]>();
  forEachIsaAndThreads((isa) => {
    const actual = call(op, outputs, inputs, numbers);
    actual.forEach((data, o) => {
      const isWhole = data instanceof Int32Array || data instanceof Uint8Array;
      const allowed = (i: number) => (isWhole ? 0 : bound(o, i, expected[o][i]));
      expectClose(data, expected[o], allowed, `${op}, output ${o}`);
      const same = first.get(isa);
      if (same !== undefined) expectSameBits(data, same[o], `${op}, output ${o}, against 1 thread`);
    });
    if (!first.has(isa)) first.set(isa, actual);
  });
  return expected;
}

/** What an instruction refuses with: the error it throws, or a failure if it throws none. */
export function refusal(body: () => void): { code: string; expected: string; received: string } {
  try {
    body();
  } catch (error) {
    return error as { code: string; expected: string; received: string };
  }
  throw new Error('nothing was refused');
}

/**
 * Compares a backward pass with central differences of its forward pass in double precision: the gradient of
 * sum(dy * forward(x)) for a random dy. Throws where they differ by more than 1e-6 of the largest gradient or of 1.
 */
export function expectGradient(
  x: Float64Array,
  forward: (x: Float64Array) => NumberArray,
  backward: (dy: Float64Array) => NumberArray,
  random: Random,
): void {
  const dy = Float64Array.from(random.floats(forward(x).length));
  const dx = Float64Array.from(backward(dy));
  const step = 1e-6;
  const differences = x.map((_, i) => {
    const moved = (by: number) => forward(x.map((value, at) => (at === i ? value + by : value)));
    const [up, down] = [moved(step), moved(-step)];
    return dy.reduce((total, weight, o) => total + weight * (up[o] - down[o]), 0) / (2 * step);
  });
  const largest = dx.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expectClose(dx, differences, () => 1e-6 * largest, 'gradient');
}
