// SPDX-License-Identifier: Apache-2.0
// LeNet-5 as published (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998,
// section II.B): scaled tanh, poolings that learn, the table that connects S2 to C3, a code of 84 pixels for each class.
import { checkOptions, describe, fail } from '../errors.js';
import { Buffer } from '../nn/buffer.js';
import { checkCount } from '../nn/check.js';
import { Conv2d } from '../nn/conv2d.js';
import { Flatten } from '../nn/flatten.js';
import { uniform_ } from '../nn/init.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { tanh } from '../ops/activations.js';
import { add, multiply, scale } from '../ops/arithmetic.js';
import { batchNorm2d } from '../ops/batch-norm.js';
import { concat } from '../ops/concat.js';
import { conv2d } from '../ops/conv2d.js';
import { linear } from '../ops/linear.js';
import { matmul } from '../ops/matmul.js';
import { avgPool2d } from '../ops/pool2d.js';
import { reshape } from '../ops/reshape.js';
import { ones, zeros } from '../tensor/create.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ImageShape } from './image-shape.js';
import { CODE_COUNT, CODE_LENGTH, digitCodes } from './lenet5-1998-codes.js';

/** Which LeNet-5 of 1998. */
export interface LeNet5Of1998Options {
  /** [h, w, c], 32 x 32, or 28 x 28, which gets the paper's border of 2 pixels, of 0. Default [32, 32, 1]. */
  readonly inputShape?: ImageShape;
  /** Default 10; at most 10 with 'rbf'. */
  readonly classes?: number;
  /**
   * 'rbf': minus the squared distances to the fixed codes of digits. With `crossEntropy` that is the paper's
   * discriminative criterion (its equation 9) without the constant for images of no class. 'softmax': a linear layer that
   * learns. Default 'rbf', for more than 10 classes 'softmax'.
   */
  readonly output?: 'rbf' | 'softmax';
}

/** Uniform in ±2.4 / fanIn (appendix A). */
function paperInit_(fanIn: number, ...tensors: (Tensor | null)[]): void {
  for (const tensor of tensors) if (tensor !== null) uniform_(tensor, -2.4 / fanIn, 2.4 / fanIn);
}

/** 1.7159 tanh(2/3 x): f(1) = 1 and f(-1) = -1, the values of codes, lie where it bends most (appendix A). */
export class ScaledTanh extends Module {
  override forward(x: Tensor): Tensor {
    return scale(tanh(scale(x, 2 / 3)), 1.7159);
  }
}

/** The sum of each 2x2 window times a coefficient plus a bias, both learnt, one of each a map. */
export class Subsampling extends Module {
  /** [channels] */
  readonly coefficient: Parameter;
  /** [channels] */
  readonly bias: Parameter;

  constructor(readonly channels: number) {
    super();
    this.coefficient = new Parameter([channels]);
    this.bias = new Parameter([channels]);
    paperInit_(4, this.coefficient, this.bias);
  }

  override forward(x: Tensor): Tensor {
    const { coefficient, bias, channels } = this;
    const sums = scale(avgPool2d(x, { kernelSize: 2 }), 4);
    // A factor and a bias a channel are what batch normalisation does, with mean 0 and variance 1.
    const { dtype } = sums;
    const [runningMean, runningVar] = [zeros([channels], { dtype }), ones([channels], { dtype })];
    return batchNorm2d(sums, coefficient, bias, { runningMean, runningVar, eps: 0 });
  }

  override multiplyAdds(_inputShape: Shape, [n, h, w, c]: Shape): number {
    return n * h * w * c;
  }

  override extraRepr(): string {
    return `${this.channels}`;
  }
}

/** Which maps of S2 each map of C3 sees: table I. */
export const C3_TABLE: readonly (readonly number[])[] = [
  [0, 1, 2],
  [1, 2, 3],
  [2, 3, 4],
  [3, 4, 5],
  [0, 4, 5],
  [0, 1, 5],
  [0, 1, 2, 3],
  [1, 2, 3, 4],
  [2, 3, 4, 5],
  [0, 3, 4, 5],
  [0, 1, 4, 5],
  [0, 1, 2, 5],
  [0, 1, 3, 4],
  [1, 2, 4, 5],
  [0, 2, 3, 5],
  [0, 1, 2, 3, 4, 5],
];

/** Runs of neighbours in a list of rising numbers: [0, 4, 5] as [[0], [4, 5]]. */
function runsOf(channels: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const channel of channels) {
    const last = runs.at(-1);
    if (last?.at(-1) === channel - 1) last.push(channel);
    else runs.push([channel]);
  }
  return runs;
}

/** A convolution whose maps see some of the channels only. What is not connected has no weight. */
export class PartialConv2d extends Module {
  /** Of each map, for each run of neighbouring channels that it sees: [kernel, kernel, channels of the run]. */
  readonly weights: Parameter[][];
  /** [maps] */
  readonly bias: Parameter;
  readonly #runs: number[][][];

  /** @param table channels that each map sees, rising */
  constructor(
    readonly inChannels: number,
    readonly table: readonly (readonly number[])[],
    readonly kernelSize: number,
  ) {
    super();
    this.#runs = table.map(runsOf);
    this.weights = this.#runs.map((runs) =>
      runs.map((run) => new Parameter([kernelSize, kernelSize, run.length])),
    );
    this.bias = new Parameter([table.length]);
    this.weights.forEach((weights, map) => {
      paperInit_(kernelSize ** 2 * table[map].length, ...weights);
    });
    paperInit_(kernelSize ** 2 * inChannels, this.bias);
  }

  override forward(x: Tensor): Tensor {
    const { kernelSize, inChannels, table } = this;
    const rows = this.weights.map((weights, map) =>
      reshape(this.#dense(weights, this.#runs[map]), [1, kernelSize ** 2 * inChannels]),
    );
    const weight = reshape(concat(rows), [table.length, kernelSize, kernelSize, inChannels]);
    return conv2d(x, weight, this.bias);
  }

  /** The weights of a map with zeros for the channels that it does not see. */
  #dense(weights: readonly Parameter[], runs: readonly (readonly number[])[]): Tensor {
    const parts: Tensor[] = [];
    let next = 0;
    const { kernelSize } = this;
    const { dtype } = weights[0];
    const skipTo = (channel: number) => {
      if (channel > next) parts.push(zeros([kernelSize, kernelSize, channel - next], { dtype }));
    };
    runs.forEach((run, i) => {
      skipTo(run[0]);
      parts.push(weights[i]);
      next = run[0] + run.length;
    });
    skipTo(this.inChannels);
    return parts.length === 1 ? parts[0] : concat(parts);
  }

  override multiplyAdds(_inputShape: Shape, [n, h, w]: Shape): number {
    const connections = this.table.reduce((total, channels) => total + channels.length, 0);
    return n * h * w * connections * this.kernelSize ** 2;
  }

  override extraRepr(): string {
    return `${this.inChannels}, ${this.table.length}, kernelSize=${this.kernelSize}`;
  }
}

/** Minus the squared distances to codes that stay as they are. Shapes: x [n, 84]; result [n, classes]. */
export class CodeDistance extends Module {
  /** [classes, 84], of +1 and -1 */
  readonly codes: Buffer;

  constructor(readonly classes: number) {
    super();
    this.codes = new Buffer([classes, CODE_LENGTH]);
    this.codes.write(digitCodes(classes));
  }

  override forward(x: Tensor): Tensor {
    // -|x - w|² = 2 (w·x - |w|² / 2) - |x|²
    const { codes, classes } = this;
    const { dtype } = codes;
    const lengths = linear(ones([1, CODE_LENGTH], { dtype }), multiply(codes, codes));
    const products = linear(x, codes, reshape(scale(lengths, -0.5), [classes]));
    const squares = matmul(multiply(x, x), ones([CODE_LENGTH, classes], { dtype }));
    return add(scale(products, 2), scale(squares, -1));
  }

  override multiplyAdds([n]: Shape): number {
    return n * this.classes * CODE_LENGTH;
  }

  override extraRepr(): string {
    return `${this.classes}`;
  }
}

/**
 * C1 (6 maps of 5x5), S2, C3 (16 maps, by the table), S4, C5 (120 units), F6 (84), output. 60,000 parameters with 'rbf', as
 * published, and 840 pixels of codes; 60,850 with 'softmax'. Weights start uniform in ±2.4 / fanIn.
 *
 * Shapes: x [n, h, w, c]; result [n, classes]: the greatest is the class.
 */
export class LeNet5Of1998 extends Module {
  readonly c1: Conv2d;
  readonly s2: Subsampling;
  readonly c3: PartialConv2d;
  readonly s4: Subsampling;
  readonly c5: Conv2d;
  readonly flatten = new Flatten();
  readonly f6: Linear;
  readonly output: Module;
  readonly squash = new ScaledTanh();

  constructor(options: LeNet5Of1998Options = {}) {
    super();
    checkOptions('LeNet5Of1998', options, ['inputShape', 'classes', 'output']);
    const { inputShape = [32, 32, 1], classes = 10 } = options;
    checkCount('LeNet5Of1998', 'classes', classes);
    const [side, channels] = checkSides(inputShape);
    this.c1 = new Conv2d(channels, 6, { kernelSize: 5, padding: (32 - side) / 2 });
    this.s2 = new Subsampling(6);
    this.c3 = new PartialConv2d(6, C3_TABLE, 5);
    this.s4 = new Subsampling(16);
    this.c5 = new Conv2d(16, 120, { kernelSize: 5 });
    this.f6 = new Linear(120, CODE_LENGTH);
    this.output = outputLayer(classes, options.output ?? (classes > CODE_COUNT ? 'softmax' : 'rbf'));
    for (const { weight, bias } of [this.c1, this.c5])
      paperInit_(weight.size / weight.shape[0], weight, bias);
    paperInit_(120, this.f6.weight, this.f6.bias);
  }

  override forward(x: Tensor): Tensor {
    const { squash } = this;
    let y = squash.call(this.s2.call(squash.call(this.c1.call(x))));
    y = squash.call(this.s4.call(squash.call(this.c3.call(y))));
    y = squash.call(this.flatten.call(this.c5.call(y)));
    return this.output.call(squash.call(this.f6.call(y)));
  }
}

function checkSides(shape: ImageShape): [side: number, channels: number] {
  const [h, w, c] = Array.isArray(shape) && shape.length === 3 ? shape : [0, 0, 0];
  if (h === w && (h === 28 || h === 32) && Number.isSafeInteger(c) && c > 0) return [h, c];
  throw fail('ERR_ARGUMENT', {
    op: 'LeNet5Of1998',
    expected: 'inputShape [32, 32, c], or [28, 28, c], which gets a border',
    received: describe(shape),
  });
}

function outputLayer(classes: number, output: unknown): Module {
  const op = 'LeNet5Of1998';
  if (output !== 'rbf' && output !== 'softmax') {
    throw fail('ERR_ARGUMENT', { op, expected: "output 'rbf' or 'softmax'", received: describe(output) });
  }
  if (output === 'rbf' && classes > CODE_COUNT) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `at most ${CODE_COUNT} classes with output 'rbf', whose codes are digits`,
      received: `${classes}`,
      hint: "use output 'softmax'",
    });
  }
  if (output === 'rbf') return new CodeDistance(classes);
  const layer = new Linear(CODE_LENGTH, classes);
  paperInit_(CODE_LENGTH, layer.weight, layer.bias);
  return layer;
}
