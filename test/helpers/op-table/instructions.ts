// SPDX-License-Identifier: Apache-2.0
// The instructions that no operation of lib/ops runs: updates, clipping, random tensors, checks; and what the planner makes of
// others. A row each, as the table of operations has one for each operation.
import { relu, tanh } from '../../../lib/ops/activations.js';
import { add } from '../../../lib/ops/arithmetic.js';
import { batchNorm2d } from '../../../lib/ops/batch-norm.js';
import { conv2d } from '../../../lib/ops/conv2d.js';
import { linear } from '../../../lib/ops/linear.js';
import { maxPool2d } from '../../../lib/ops/pool2d.js';
import type { NumberArray, Output, Random } from '../native.js';
import { augmentationRows } from './augmentations.js';
import { leaf, positive, type Sample, state } from './row.js';

/** One call: outputs that are arrays are updated in place. */
export interface InstructionCall {
  readonly outputs: readonly Output[];
  readonly inputs: readonly (NumberArray | null)[];
  readonly numbers: readonly number[];
}

export interface InstructionRow {
  readonly instruction: string;
  readonly call: (random: Random) => InstructionCall;
  /** How far output `o` may be from the reference, for numbers as `call` gives them. */
  readonly bound: (o: number, expected: number) => number;
  /** The places of operands that may be left out; others are refused with ERR_ARGUMENT where they are. */
  readonly optional?: readonly number[];
  /** The places of operands whose size is their own. */
  readonly anySize?: readonly number[];
  /** The places of operands whose NaN may reach more results than in the reference. */
  readonly spreads?: readonly number[];
}

const UNIT = 2 ** -24;
const SIZE = 50_001; // several tasks, and part of a vector

const floats = (size: number): Output => ({ kind: 'float32', size });
/** Seed in two words, stream, step. */
const KEY = [123, 45, 6, 7];

/** A parameter, its gradient, and states between these bounds. */
const update =
  (numbers: readonly number[], ...states: readonly (readonly [low: number, high: number])[]) =>
  (random: Random): InstructionCall => ({
    outputs: [
      random.floats(SIZE),
      random.floats(SIZE, -3, 3),
      ...states.map(([low, high]) => random.floats(SIZE, low, high)),
    ],
    inputs: [],
    numbers,
  });

/** Bounds of updates: terms of up to 8 and fewer than 8 roundings each. */
const within64 = () => 64 * UNIT;

export const instructionRows: readonly InstructionRow[] = [
  ...augmentationRows,
  {
    instruction: 'sgd_update',
    call: update([0.3, 0.9, 0.1, 0.01, 1, 0], [-1, 1]),
    bound: within64,
  },
  {
    instruction: 'adam_update',
    call: update([0.1, 0.9, 0.999, 1e-8, 0.01, 1, 10], [-1, 1], [0.5, 2]),
    bound: within64,
    optional: [4],
    spreads: [0], // a decoupled decay adds 0 times the parameter to the gradient
  },
  {
    instruction: 'rmsprop_update',
    call: update([0.3, 0.9, 1e-8, 0.01, 0.5], [1, 2], [-0.5, 0.5], [-1, 1]),
    bound: within64,
    optional: [3, 4],
  },
  { instruction: 'adagrad_update', call: update([0.3, 0.1, 1e-10, 0.01, 2], [0.1, 2]), bound: within64 },
  {
    // Gradient and mean of one sign: their blend is far from 0, where the sign turns.
    instruction: 'lion_update',
    call: (random) => ({
      outputs: [random.floats(SIZE), random.floats(SIZE, 0.1, 3), random.floats(SIZE, 0, 1)],
      inputs: [],
      numbers: [0.05, 0.9, 0.99, 0.1],
    }),
    bound: within64,
  },
  { instruction: 'ema_update', call: update([0.3]), bound: () => 8 * UNIT },
  {
    // The total is a double in both: sums of squares, chunk by chunk.
    instruction: 'square_sum',
    call: (random) => ({
      outputs: [Float64Array.of(0)],
      inputs: [random.floats(SIZE, -3, 3)],
      numbers: [1],
    }),
    bound: (_, total) => (2048 + 8 + 4) * 2 ** -53 * total,
    anySize: [1],
  },
  {
    instruction: 'norm',
    call: () => ({ outputs: [floats(1)], inputs: [Float64Array.of(7)], numbers: [] }),
    bound: (_, norm) => UNIT * norm,
  },
  {
    instruction: 'clip',
    call: (random) => ({
      outputs: [random.floats(SIZE, -3, 3)],
      inputs: [Float64Array.of(9e4)],
      numbers: [2, 0],
    }),
    bound: (_, value) => 2 * UNIT * Math.abs(value),
    optional: [1],
    anySize: [0],
  },
  {
    instruction: 'random_uniform',
    call: () => ({ outputs: [floats(SIZE)], inputs: [], numbers: [-1, 1, ...KEY] }),
    bound: () => 4 * UNIT, // doubles have more bits of the same draw
  },
  {
    instruction: 'random_normal',
    call: () => ({ outputs: [floats(SIZE)], inputs: [], numbers: [2, 0.5, ...KEY] }),
    bound: (_, value) => UNIT * Math.abs(value) + 1e-14,
  },
  {
    instruction: 'random_permutation',
    call: () => ({ outputs: [{ kind: 'int32', size: 1000 }], inputs: [], numbers: KEY }),
    bound: () => 0,
  },
  {
    instruction: 'require_finite',
    call: (random) => ({ outputs: [], inputs: [random.floats(SIZE)], numbers: [3] }),
    bound: () => 0,
    anySize: [0],
  },
  {
    instruction: 'fold_batch_norm',
    call: (random) => ({
      outputs: [floats(20 * 27), floats(20)],
      inputs: [
        ...[random.floats(20 * 27), random.floats(20), random.floats(20), random.floats(20, 0.1, 2)],
        ...[random.floats(20), random.floats(20)],
      ],
      numbers: [20, 27, 1e-5],
    }),
    bound: (_, value) => UNIT * Math.abs(value), // in double precision, rounded once
    optional: [3, 6, 7],
  },
];

export interface PlannerRow {
  readonly instruction: string;
  /** A step whose plan has the instruction. */
  readonly sample: Sample;
}

/** Sixteen images, which lie side by side between convolutions of few channels. */
const images = (channels: number) => leaf([16, 10, 9, channels]);
const few: Sample = {
  name: 'convolutions of few channels, ReLU, max pooling',
  operands: [images(1), leaf([4, 3, 3, 1], 1), leaf([4], 2), leaf([5, 3, 3, 4], 3), leaf([5], 4)],
  run: (x, w1, b1, w2, b2) => relu(conv2d(maxPool2d(relu(conv2d(x, w1, b1)), { kernelSize: 2 }), w2, b2)),
};
const winners: Sample = {
  name: "LeNet-5's first layer",
  operands: [leaf([4, 28, 28, 1]), leaf([6, 5, 5, 1], 1), leaf([6], 2)],
  run: (x, weight, bias) => tanh(maxPool2d(relu(conv2d(x, weight, bias, { padding: 2 })), { kernelSize: 2 })),
};
const bias: Sample = {
  name: 'a ReLU behind a linear layer',
  operands: [leaf([5, 7]), leaf([9, 7], 1), leaf([9], 2)],
  run: (x, weight, bias) => relu(linear(x, weight, bias)),
};
const between: Sample = {
  name: 'an activation that is kept interleaved',
  operands: [images(2), leaf([4, 3, 3, 2], 1), leaf([3, 3, 3, 4], 2)],
  run: (x, w1, w2) => conv2d(tanh(conv2d(x, w1)), w2),
};
const residual: Sample = {
  name: 'two residual blocks with batch normalisation',
  operands: [
    leaf([2, 6, 5, 8]),
    leaf([8, 3, 3, 8], 1),
    positive([8], 2),
    leaf([8], 3),
    leaf([8, 1, 1, 8], 4),
  ],
  run: (x, w, scale, shift, last) => {
    const block = (from: typeof x) =>
      relu(add(batchNorm2d(conv2d(from, w, null, { padding: 1 }), scale, shift, { training: true }), from));
    return conv2d(block(block(relu(conv2d(x, last)))), last);
  },
};

const prepared: Sample = {
  name: 'a convolution whose weight no step changes',
  operands: [leaf([2, 9, 10, 32]), state(leaf([32, 3, 3, 32], 1))],
  run: (x, weight) => conv2d(x, weight, null, { padding: 1, algorithm: 'direct' }),
};

const planned: Record<string, Sample> = {
  conv2d_max_pool2d: few,
  conv2d_winner_gradients: winners,
  interleave: between,
  deinterleave: between,
  relu_backward_sum: bias,
  batch_norm_join_backward: residual,
  prepare_conv2d_weight: prepared,
};

export const plannerRows: readonly PlannerRow[] = Object.entries(planned).map(([instruction, sample]) => ({
  instruction,
  sample,
}));
