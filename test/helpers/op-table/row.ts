// SPDX-License-Identifier: Apache-2.0
// What the table of operations is made of: a row an operation, with sample operands, what it promises, and what it
// refuses. Each file of test/op-table/ holds every row to one promise.
import type { DType } from '../../../lib/native/bindings.js';
import { tensor } from '../../../lib/tensor/create.js';
import { type Shape, sizeOf } from '../../../lib/tensor/shape.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { distinctNumbers, irregular } from '../operands.js';
import type { RefusalCase } from '../refusal-cases.js';

export type Precision = 'float32' | 'float64';

/** A tensor to be made: in either precision where its elements are floats. */
export interface Operand {
  readonly shape: Shape;
  readonly kind: 'float' | 'int32' | 'uint8';
  /** Exact in float32. */
  readonly values: readonly number[];
  /** A leaf wants a gradient, a constant none; a state is written by the operation. */
  readonly role: 'leaf' | 'constant' | 'state';
}

/** One use of an operation. */
export interface Sample {
  /** What is special about it: its options, say. */
  readonly name: string;
  readonly operands: readonly Operand[];
  readonly run: (...operands: Tensor[]) => Tensor;
  /** Large enough for several tasks, too large for finite differences. */
  readonly isLarge?: boolean;
  /** The elements of the result, where they are known. */
  readonly expected?: readonly number[];
  /** In place of the row's. */
  readonly accuracy?: Accuracy;
  /** Of 'sums': the terms of the longest one, where the sums of ones do not tell. */
  readonly terms?: number;
  /** Of 'conditioned': what intermediate terms come to where the result is their difference. */
  readonly cancelled?: number;
}

/**
 * How far a result in single precision may be from the reference in double precision; gradients likewise.
 * - 'exact': it is the reference, rounded once.
 * - 'sums': of K products, within 4 sqrt(K) 2^-24 sum |a||b|. For what is linear in each of its operands.
 * - 'winners': the result is exact, a gradient a sum of those of the windows that its element won.
 * - 'conditioned': within 16 times what the reference moves by when its operands are rounded, and 16 roundings of the
 *   largest element or of what cancels.
 * - a function of an elementwise operation: how far y may be at x, and dx at dy and what backward is given.
 */
export type Accuracy =
  | 'exact'
  | 'sums'
  | 'winners'
  | 'conditioned'
  | {
      readonly forward: (y: number, x: number) => number;
      readonly backward: (dx: number, dy: number, x: number, y: number) => number;
    };

/** What an operation makes of numbers that are not finite, in words of IEEE arithmetic and of PyTorch. */
export interface Limit {
  readonly name: string;
  readonly run: (...operands: Tensor[]) => Tensor;
  readonly operands: readonly Operand[];
  readonly expected: readonly number[];
}

export interface Row {
  /** As lib/ops exports it. */
  readonly op: string;
  readonly samples: readonly Sample[];
  readonly accuracy: Accuracy;
  /** True: each element of the result follows from the elements at its place. */
  readonly isElementwise?: boolean;
  /** True: it draws from the default generator. */
  readonly isRandom?: boolean;
  /** True: it has no gradient, and gives none. */
  readonly isConstant?: boolean;
  /** True: it reads values, and cannot be part of a captured step. */
  readonly isEager?: boolean;
  /** What makes only float32 and whole numbers. */
  readonly isSingle?: boolean;
  /** True: it is not the operation itself that refuses, but what it is made of. */
  readonly isMaker?: boolean;
  /**
   * Operands in which what is not finite may make more results NaN than the reference does, though never fewer: kernels
   * multiply the zeros of a padding, and write (x - mean) scale as x scale - mean scale, as PyTorch's do.
   */
  readonly spreads?: readonly number[];
  readonly limits?: readonly Limit[];
  readonly refusals: readonly RefusalCase[];
}

/** A row as its file writes it. */
export type Rows = readonly Row[];

const single = (values: readonly number[]) => values.map(Math.fround);

function floats(shape: Shape, values: readonly number[], role: Operand['role'] = 'leaf'): Operand {
  return { shape, kind: 'float', values: single(values), role };
}

/** Numbers in [-1, 1] without a pattern, that want a gradient. */
export const leaf = (shape: Shape, phase = 0): Operand => floats(shape, irregular(sizeOf(shape), phase));

/** Numbers no two of which are alike, none near 0, that want a gradient. */
export const apart = (shape: Shape): Operand => floats(shape, distinctNumbers(sizeOf(shape)));

/** Numbers in [0.1, 1.1], that want a gradient. */
export const positive = (shape: Shape, phase = 0): Operand =>
  floats(
    shape,
    irregular(sizeOf(shape), phase).map((value) => 0.6 + value / 2),
  );

/** These numbers, that want a gradient. */
export const given = (values: readonly number[], shape: Shape = [values.length]): Operand =>
  floats(shape, values);

/** The same numbers times a factor. */
export const times = (factor: number, operand: Operand): Operand => ({
  ...operand,
  values: single(operand.values.map((value) => value * factor)),
});

/** The same without a gradient. */
export const constant = (operand: Operand): Operand => ({ ...operand, role: 'constant' });

/** The same, to be written by the operation. */
export const state = (operand: Operand): Operand => ({ ...operand, role: 'state' });

/** Whole numbers. */
export const whole = (values: readonly number[], shape: Shape = [values.length]): Operand => ({
  ...{ shape, values, kind: 'int32', role: 'constant' },
});

export const bytes = (values: readonly number[], shape: Shape = [values.length]): Operand => ({
  ...{ shape, values, kind: 'uint8', role: 'constant' },
});

/** The type that an operand has in this precision. */
export const dtypeOf = ({ kind }: Operand, precision: Precision): DType =>
  kind === 'float' ? precision : kind;

/** The operand as a tensor. */
export function make(operand: Operand, precision: Precision, values = operand.values): Tensor {
  const { shape, role } = operand;
  const dtype = dtypeOf(operand, precision);
  return tensor(values as number[], shape, { dtype, requiresGrad: role === 'leaf' });
}

/** Refuses what TypeScript would. */
export const bad = (value: unknown) => value as never;

/** The refusal of an option that there is none of. */
export const unknownOption = (call: (options: never) => unknown): RefusalCase => [
  'an option that it does not know',
  () => call(bad({ nonsense: 1 })),
  'ERR_ARGUMENT',
  { received: 'nonsense', hint: /./ },
];
