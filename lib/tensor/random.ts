// SPDX-License-Identifier: Apache-2.0
// Random tensors. Numbers are counter-based: each draw is named by (seed, stream, step), and what it gives depends on
// nothing else, not on threads, not on the instruction set.
import { AsyncLocalStorage } from 'node:async_hooks';
import { checkOptions, describe, fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { type InstructionNumber, Varying } from '../native/varying.js';
import type { TensorOptions } from './create.js';
import { logged } from './draw-log.js';
import { philoxKey } from './philox.js';
import { checkShape, type Shape } from './shape.js';
import { Tensor } from './tensor.js';

const WORDS = 2 ** 32;
const MAX_WORD = WORDS - 1;

/** A position in the random numbers of a seed: where they will go on, and all there is to save for an exact resume. */
export interface GeneratorState {
  readonly seed: number;
  readonly stream: number;
  readonly step: number;
}

/** @internal The numbers that name a draw, as instructions take them: seed low and high, stream, step. */
export type Draw = readonly [number, number, number, InstructionNumber];

/** @internal How a recorded step uses a generator: where it stood, and how many draws a step takes. */
export interface DrawCount {
  readonly first: number;
  perStep: number;
}

/** Draws of the step that is being recorded, if one is. */
let draws: Map<Generator, DrawCount> | undefined;

/**
 * @internal Runs `body`, which records a step, and notes its draws; the generators are left where they were.
 *
 * @returns what `body` returns, and how many draws of which generator each step will take
 */
export function recordDraws<T>(body: () => T): { result: T; draws: ReadonlyMap<Generator, DrawCount> } {
  const own = new Map<Generator, DrawCount>();
  draws = own;
  try {
    return { result: body(), draws: own };
  } finally {
    draws = undefined;
    for (const [generator, { first }] of own) generator.state = { ...generator.state, step: first };
  }
}

function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed)) return;
  throw fail('ERR_ARGUMENT', {
    op: 'Generator',
    expected: 'seed to be a safe integer',
    received: describe(seed),
  });
}

function checkWord(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= MAX_WORD) return;
  throw fail('ERR_ARGUMENT', {
    op: 'Generator',
    expected: `${name} to be an unsigned 32-bit integer`,
    received: describe(value),
  });
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
    checkSeed(seed);
    checkWord('stream', stream);
    this.#seed = seed;
    this.#stream = stream;
  }

  /** @internal Names the next draw. */
  next(): Draw {
    return logged(this, () => this.#draw());
  }

  #draw(): Draw {
    const step = this.#step;
    this.advance(1);
    return [
      ...philoxKey(this.#seed),
      this.#stream,
      draws === undefined ? step : this.#varyingStep(draws, step),
    ];
  }

  /** @internal Skips draws. */
  advance(count: number): void {
    this.#step = (this.#step + count) % WORDS;
  }

  /** A recorded draw: in step s of a replay the generator has moved on by all draws of s steps. */
  #varyingStep(draws: Map<Generator, DrawCount>, step: number): Varying {
    const count = draws.get(this) ?? { first: step, perStep: 0 };
    draws.set(this, count);
    count.perStep += 1;
    const offset = step - count.first;
    return new Varying(step, (s) => (this.#step + offset + s * count.perStep) % WORDS);
  }

  /** Where this generator stands. */
  get state(): GeneratorState {
    return { seed: this.#seed, stream: this.#stream, step: this.#step };
  }

  set state(state: GeneratorState) {
    checkSeed(state.seed);
    checkWord('stream', state.stream);
    checkWord('step', state.step);
    this.#seed = state.seed;
    this.#stream = state.stream;
    this.#step = state.step;
  }
}

let shared = new Generator(0);

/** The generator that stands for the shared one in an asynchronous computation and in all that it awaits. */
const own = new AsyncLocalStorage<Generator>();

/** The generator of everything that is not given its own. */
export function defaultGenerator(): Generator {
  return own.getStore() ?? shared;
}

/**
 * @internal Runs `body` with a generator of its own in place of the shared one, also after what it awaits. What runs at the
 * same time has no part in its draws.
 */
export function withGeneratorAt<T>(state: GeneratorState, body: () => T): T {
  const generator = new Generator(state.seed, state.stream);
  generator.state = state;
  return own.run(generator, body);
}

/** Makes initialisation, dropout and random tensors repeatable: the same seed gives the same numbers. */
export function manualSeed(seed: number): void {
  shared = new Generator(seed);
}

/** Where random numbers come from; default: the generator that `manualSeed` sets. */
export interface RandomOptions extends TensorOptions {
  readonly generator?: Generator;
}

function nextKey(op: string, generator: Generator = defaultGenerator()): readonly InstructionNumber[] {
  if (generator instanceof Generator) return generator.next();
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'generator to be a Generator',
    received: describe(generator),
  });
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
  if (!numbers.every(Number.isFinite)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'finite numbers for its options',
      received: describe(numbers),
    });
  }
  const checked = checkShape(op, shape);
  const key = nextKey(op, options.generator);
  const result = Tensor.empty(checked, dtype, options.requiresGrad ?? false);
  emit(instruction, [result.handle], [...numbers, ...key]);
  return result;
}

const OPTIONS = ['dtype', 'requiresGrad', 'generator'];
const UNIFORM_OPTIONS = [...OPTIONS, 'low', 'high'];
const NORMAL_OPTIONS = [...OPTIONS, 'mean', 'std'];

/** Uniform numbers in [low, high); default [0, 1), float32. Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT. */
export function rand(shape: Shape, options: RandomOptions & { low?: number; high?: number } = {}): Tensor {
  checkOptions('rand', options, UNIFORM_OPTIONS);
  const { low = 0, high = 1 } = options;
  if (low > high) {
    const received = `${low} and ${high}`;
    throw fail('ERR_ARGUMENT', { op: 'rand', expected: 'low of at most high', received });
  }
  return draw('rand', 'random_uniform', shape, [options.low ?? 0, options.high ?? 1], options);
}

/** Normal numbers; default mean 0 and standard deviation 1, float32. Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT. */
export function randn(shape: Shape, options: RandomOptions & { mean?: number; std?: number } = {}): Tensor {
  checkOptions('randn', options, NORMAL_OPTIONS);
  const { std = 1 } = options;
  if (std < 0) {
    throw fail('ERR_ARGUMENT', { op: 'randn', expected: 'std of at least 0', received: describe(std) });
  }
  return draw('randn', 'random_normal', shape, [options.mean ?? 0, options.std ?? 1], options);
}

/** The numbers 0 to n - 1 in random order, int32 [n]. */
export function randperm(n: number, options: { generator?: Generator } = {}): Tensor {
  checkOptions('randperm', options, ['generator']);
  const shape = checkShape('randperm', [n]);
  const key = nextKey('randperm', options.generator);
  const result = Tensor.empty(shape, 'int32');
  emit('random_permutation', [result.handle], key);
  return result;
}
