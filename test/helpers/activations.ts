// SPDX-License-Identifier: Apache-2.0
// The activations, a row each, for every test of them: instruction, options, what is kept, and how exact kernels are.

const ULP = 2 ** -23; // relative spacing of float32
const SMALLEST_NORMAL = 2 ** -126; // below, kernels flush to zero
const LAST_POWER = 1.5 * SMALLEST_NORMAL; // e^-87, below which exponentials are 0

export interface ActivationRow {
  /** In front of _forward and _backward. */
  readonly instruction: string;
  /** What the backward pass is given. */
  readonly kept: 'x' | 'y';
  /** The numbers of the instruction, exact in float32. */
  readonly numbers: readonly number[];
  /** How far y may be from the exact one. */
  readonly forwardBound: (y: number, x: number) => number;
  /** How far dx may be from the exact one. */
  readonly backwardBound: (dx: number, dy: number, kept: number) => number;
}

const relative = (ulps: number) => (value: number) => ulps * ULP * Math.abs(value) + SMALLEST_NORMAL;
/** Denormals count as 0. */
const flushed = () => SMALLEST_NORMAL;
const exact = () => 0;
/** Of a derivative of about 1, absolute. */
const ofSlope = (ulps: number) => (_dx: number, dy: number) => ulps * ULP * Math.abs(dy) + SMALLEST_NORMAL;

export const activationRows: readonly ActivationRow[] = [
  { instruction: 'relu', kept: 'y', numbers: [], forwardBound: flushed, backwardBound: exact },
  { instruction: 'relu6', kept: 'y', numbers: [], forwardBound: flushed, backwardBound: exact },
  {
    instruction: 'tanh',
    kept: 'y',
    numbers: [],
    forwardBound: relative(4),
    backwardBound: ofSlope(4),
  },
  {
    instruction: 'sigmoid',
    kept: 'y',
    numbers: [],
    forwardBound: (y, x) => relative(4)(y) + (x < -87 ? LAST_POWER : 0),
    backwardBound: ofSlope(4),
  },
  ...[0.0078125, 0, 0.875].map(
    (slope): ActivationRow => ({
      instruction: 'leaky_relu',
      kept: 'y',
      numbers: [slope],
      forwardBound: (y) => relative(0.5)(y) + slope * SMALLEST_NORMAL,
      backwardBound: relative(0.5),
    }),
  ),
  {
    instruction: 'leaky_relu',
    kept: 'x',
    numbers: [-0.75],
    forwardBound: relative(0.5),
    backwardBound: relative(0.5),
  },
  ...[1, 0.625, -3].map(
    (alpha): ActivationRow => ({
      instruction: 'elu',
      kept: 'x',
      numbers: [alpha],
      forwardBound: (y) => relative(4)(y) + Math.abs(alpha) * SMALLEST_NORMAL,
      backwardBound: (dx, dy) => relative(4)(dx) + LAST_POWER * Math.abs(dy * alpha),
    }),
  ),
  {
    instruction: 'gelu',
    kept: 'x',
    numbers: [],
    // The square of x in the exponent is rounded where there is no fused multiply-add.
    forwardBound: (y, x) => relative(8 + x ** 2 / 2)(y) + LAST_POWER * Math.abs(x),
    backwardBound: ofSlope(8),
  },
  {
    instruction: 'gelu_tanh',
    kept: 'x',
    numbers: [],
    forwardBound: (y, x) =>
      relative(8 + 4 * Math.abs(x) + Math.abs(x) ** 3 / 4)(y) + LAST_POWER * Math.abs(x),
    backwardBound: ofSlope(12),
  },
  {
    instruction: 'silu',
    kept: 'x',
    numbers: [],
    forwardBound: (y, x) => relative(4)(y) + LAST_POWER * Math.abs(x),
    backwardBound: ofSlope(8),
  },
  {
    instruction: 'hardswish',
    kept: 'x',
    numbers: [],
    forwardBound: relative(3),
    backwardBound: ofSlope(2),
  },
  ...[
    [1, 20],
    [0.5, 20],
    [2, 4],
    [1, 1000],
  ].map(
    ([beta, threshold]): ActivationRow => ({
      instruction: 'softplus',
      kept: 'x',
      numbers: [beta, threshold],
      forwardBound: (y) => relative(6)(y) + (2 * LAST_POWER) / beta,
      backwardBound: (dx) => relative(6)(dx) + LAST_POWER,
    }),
  ),
];

/** What tests call a row. */
export const rowName = ({ instruction, numbers }: ActivationRow) =>
  numbers.length === 0 ? instruction : `${instruction} (${numbers.join(', ')})`;
