// SPDX-License-Identifier: Apache-2.0
// What the convolution layers have in common: a weight, a bias, and options that are checked when the layer is made.
import { checkBooleans, fail } from '../errors.js';
import { type Conv2dAlgorithm, checkAlgorithm } from '../ops/conv2d-algorithm.js';
import type { Pair } from '../tensor/conv-geometry.js';
import {
  type CheckedSettings,
  checkAxes,
  checkSettings,
  type WindowSettings,
} from '../tensor/convolution-window.js';
import { checkCount } from './check.js';
import { defaultInit_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** How a layer is built, whatever it convolves. */
interface LayerOptions extends WindowSettings {
  readonly kernelSize: Pair;
  readonly bias?: boolean | undefined;
  readonly algorithm?: Conv2dAlgorithm | undefined;
}

/** Which layer it is: its name, its axes, and whether its weight begins with its input channels. */
interface LayerKind {
  readonly op: string;
  readonly axes: 1 | 2;
  readonly transposed: boolean;
}

/** A convolution layer with an entry of `Axes` for each axis. */
export abstract class Convolution<Axes extends readonly number[]> extends Module {
  readonly weight: Parameter;
  /** [outC] */
  readonly bias: Parameter | null;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Axes;
  readonly stride: Axes;
  readonly padding: Axes | 'same' | 'valid';
  readonly dilation: Axes;
  readonly groups: number;
  readonly #op: string;
  #algorithm: Conv2dAlgorithm;

  constructor(kind: LayerKind, inChannels: number, outChannels: number, options: LayerOptions) {
    super();
    const { op, axes, transposed } = kind;
    checkBooleans(op, { bias: options.bias });
    this.#op = op;
    this.inChannels = checkCount(op, 'inChannels', inChannels);
    this.outChannels = checkCount(op, 'outChannels', outChannels);
    this.kernelSize = checkAxes(op, 'kernelSize', options.kernelSize, 1, axes) as Axes;
    const settings: CheckedSettings = checkSettings(op, axes, options);
    this.stride = settings.stride as unknown as Axes;
    this.padding = settings.padding as Axes | 'same' | 'valid';
    this.dilation = settings.dilation as unknown as Axes;
    this.groups = settings.groups;
    checkDivides(op, this.groups, { inChannels, outChannels });
    this.#algorithm = this.#checked(options.algorithm);
    const [first, last] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    this.weight = new Parameter([first, ...this.kernelSize, last / this.groups]);
    this.bias = (options.bias ?? true) ? new Parameter([outChannels]) : null;
    defaultInit_(this.weight, this.bias);
  }

  /** How to compute it; may be set at any time, and holds for what is recorded or captured from then on. */
  get algorithm(): Conv2dAlgorithm {
    return this.#algorithm;
  }

  /** Throws ERR_ARGUMENT where the layer cannot be computed that way. */
  set algorithm(algorithm: Conv2dAlgorithm) {
    this.#algorithm = this.#checked(algorithm);
  }

  #checked(algorithm: Conv2dAlgorithm | undefined): Conv2dAlgorithm {
    const { kernelSize, stride, dilation, groups } = this;
    const axes = kernelSize.map((kernel, i) => ({ kernel, stride: stride[i], dilation: dilation[i] }));
    return checkAlgorithm(this.#op, algorithm, axes, groups);
  }

  override extraRepr(): string {
    const axes = (of: readonly number[]) => (of.length === 1 ? `${of[0]}` : `[${of.join(', ')}]`);
    const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups } = this;
    const parts = [inChannels, outChannels, `kernelSize=${axes(kernelSize)}`, `stride=${axes(stride)}`];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (padding.some((pad) => pad > 0)) parts.push(`padding=${axes(padding)}`);
    if (dilation.some((step) => step > 1)) parts.push(`dilation=${axes(dilation)}`);
    if (groups > 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push('bias=false');
    if (this.algorithm !== 'auto') parts.push(`algorithm=${this.algorithm}`);
    return parts.join(', ');
  }
}

/** Refuses channels that groups do not divide. */
function checkDivides(op: string, groups: number, channels: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups === 0) continue;
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `${name} to be a multiple of groups, ${groups}`,
      received: String(count),
    });
  }
}
