// SPDX-License-Identifier: Apache-2.0
// Random tensors. Numbers are counter-based: each draw is named by (seed, stream, step), and what it gives depends on
// nothing else, not on threads, not on the instruction set.
import { describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import type { TensorOptions } from './create.js';
import { philoxKey } from './philox.js';
import { checkShape, type Shape } from './shape.js';
import { Tensor } from './tensor.js';

const MAX_WORD = 2 ** 32 - 1;

/** A position in the random numbers of a seed: where they will go on, and all there is to save for an exact resume. */
export interface GeneratorState {
  readonly seed: number;
  readonly stream: number;
  readonly step: number;
}

/** A source of draws. Each draw advances `step` by one. */
export class Generator {
  #seed: number;
  #stream: number;
  #step = 0;

  /**
   * @param seed safe integer
   * @param stream separates purposes under one seed: unsigned 32-bit integer, default 0
   */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed)) {
      throw fail('ERR_ARGUMENT', {
        op: 'Generator',
        expected: 'seed to be a safe integer',
        received: describe(seed),
      });
    }
    if (!Number.isSafeInteger(stream) || stream < 0 || stream > MAX_WORD) {
      throw fail('ERR_ARGUMENT', {
        op: 'Generator',
        expected: 'stream to be an unsigned 32-bit integer',
        received: describe(stream),
      });
    }
    this.#seed = seed;
    this.#stream = stream;
  }

  /** @internal The numbers that name the next draw, as instructions take them: seed low and high, stream, step. */
  next(): readonly [number, number, number, number] {
    const step = this.#step;
    this.#step = (this.#step + 1) % (MAX_WORD + 1);
    return [...philoxKey(this.#seed), this.#stream, step];
  }

  /** Where this generator stands. */
  get state(): GeneratorState {
    return { seed: this.#seed, stream: this.#stream, step: this.#step };
  }

  set state(state: GeneratorState) {
    this.#seed = state.seed;
    this.#stream = state.stream;
    this.#step = state.step;
  }
}

let shared = new Generator(0);

/** The generator of everything that is not given its own. */
export function defaultGenerator(): Generator {
  return shared;
}

/** Makes initialisation, dropout and random tensors repeatable: the same seed gives the same numbers. */
export function manualSeed(seed: number): void {
  shared = new Generator(seed);
}

/** Where random numbers come from; default: the generator that `manualSeed` sets. */
export interface RandomOptions extends TensorOptions {
  readonly generator?: Generator;
}

function draw(
  op: string,
  instruction: string,
  shape: Shape,
  numbers: number[],
  options: RandomOptions,
): Tensor {
  const dtype = options.dtype ?? 'float32';
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw fail('ERR_DTYPE', { op, expected: 'float32 or float64', received: describe(dtype) });
  }
  const result = Tensor.empty(checkShape(op, shape), dtype, options.requiresGrad ?? false);
  emit(instruction, [result.handle], [...numbers, ...(options.generator ?? shared).next()]);
  return result;
}

/** Uniform numbers in [low, high); default [0, 1). */
export function rand(shape: Shape, options: RandomOptions & { low?: number; high?: number } = {}): Tensor {
  return draw('rand', 'random_uniform', shape, [options.low ?? 0, options.high ?? 1], options);
}

/** Normal numbers; default mean 0 and standard deviation 1. */
export function randn(shape: Shape, options: RandomOptions & { mean?: number; std?: number } = {}): Tensor {
  return draw('randn', 'random_normal', shape, [options.mean ?? 0, options.std ?? 1], options);
}

/** The numbers 0 to n - 1 in random order, int32 [n]. */
export function randperm(n: number, options: { generator?: Generator } = {}): Tensor {
  const result = Tensor.empty(checkShape('randperm', [n]), 'int32');
  emit('random_permutation', [result.handle], [...(options.generator ?? shared).next()]);
  return result;
}
