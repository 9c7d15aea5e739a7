// SPDX-License-Identifier: Apache-2.0
// NaN and Infinity, caught in the operation that makes them: what each operation gives, forward and backward, is looked at.
import { checkBooleans, checkOptions, fail, ReceptiveError } from '../errors.js';
import { emit, isRecordingNow } from '../native/bindings.js';
import { callerLine } from '../native/recorder.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFunction, refusePromise } from './grad-mode.js';
import type { GradNode } from './node.js';

/** What `detectAnomaly` looks for. */
export interface AnomalyOptions {
  /** Whether Infinity counts, too. Default true; false for computations that mean it, such as masks of -Infinity. */
  readonly infinity?: boolean | undefined;
}

/** A module, as far as this folder knows: it can tell where in it others stand. */
interface Layer {
  namedModules(): [path: string, module: object][];
}

/** Where an operation was recorded. */
interface Origin {
  /** The modules that were being called, from the outside in. */
  readonly layers: readonly Layer[];
  /** The line outside of the library. */
  readonly line: string;
}

/** An element that should not be. */
export interface BadValue {
  readonly value: number;
  readonly index: number;
}

/** The first element that is NaN or, unless `infinity` is false, infinite. */
export function badValue(tensor: Tensor, infinity = true): BadValue | undefined {
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') return undefined;
  try {
    emit('require_finite', [tensor.handle]);
    return undefined;
  } catch (error) {
    if (!(error instanceof ReceptiveError) || error.code !== 'ERR_NUMERICS') throw error;
  }
  const values = tensor.data();
  const index = values.findIndex((value) => (infinity ? !Number.isFinite(value) : Number.isNaN(value)));
  return index < 0 ? undefined : { value: values[index], index };
}

/** Looks at the operations of one call of `detectAnomaly`. */
class AnomalyDetector {
  readonly #infinity: boolean;
  readonly #origins = new WeakMap<GradNode, Origin>();
  #layers: readonly Layer[] = [];
  /** Operations that make up a gradient are looked at as the one whose gradient it is. */
  #looksAtOutputs = true;

  constructor(infinity: boolean) {
    this.#infinity = infinity;
  }

  /** Runs the forward pass of a module. */
  inLayer<T>(layer: Layer, body: () => T): T {
    return this.#within([...this.#layers, layer], body);
  }

  /** Runs `body`, which computes again what `node` stands for, in the modules that it was recorded in. */
  inLayersOf<T>(node: GradNode, body: () => T): T {
    return this.#within(this.#origins.get(node)?.layers ?? [], body);
  }

  #within<T>(layers: readonly Layer[], body: () => T): T {
    const before = this.#layers;
    this.#layers = layers;
    try {
      return body();
    } finally {
      this.#layers = before;
    }
  }

  /** Runs the gradient of an operation. */
  inGradient<T>(body: () => T): T {
    this.#looksAtOutputs = false;
    try {
      return body();
    } finally {
      this.#looksAtOutputs = true;
    }
  }

  noteNode(node: GradNode): void {
    if (!isRecordingNow()) this.#origins.set(node, { layers: this.#layers, line: callerLine() });
  }

  /** Refuses what an operation made. The module that is being called adds its path to the error. */
  checkOutput(op: string, output: Tensor, inputs: readonly Tensor[]): void {
    if (isRecordingNow() || !this.#looksAtOutputs) return;
    const bad = badValue(output, this.#infinity);
    if (bad === undefined) return;
    const shape = `[${output.shape.join(', ')}]`;
    const from = inputs.findIndex((input) => badValue(input, this.#infinity) !== undefined);
    output.dispose();
    throw fail('ERR_NUMERICS', {
      op,
      expected: `${this.#wanted} in its output`,
      received: `${bad.value} at element ${bad.index} of ${shape}${from < 0 ? '' : `, from its input ${from}`}`,
      hint: from < 0 ? undefined : 'what comes from outside detectAnomaly was not looked at before',
    });
  }

  /** Refuses what an operation gives back to its inputs. */
  checkGradients(node: GradNode, gradients: readonly (Tensor | null)[]): void {
    if (isRecordingNow()) return;
    gradients.forEach((gradient, i) => {
      const bad = gradient === null ? undefined : badValue(gradient, this.#infinity);
      if (bad === undefined) return;
      const origin = this.#origins.get(node);
      const error = fail('ERR_NUMERICS', {
        op: node.op,
        expected: `${this.#wanted} in its gradients`,
        received: `${bad.value} at element ${bad.index} of what it gives back to its input ${i}`,
        hint: origin && `the operation was recorded at ${origin.line}`,
      });
      const path = origin && pathOf(origin.layers);
      if (path) error.addPath(path);
      throw error;
    });
  }

  get #wanted(): string {
    return this.#infinity ? 'finite numbers' : 'numbers';
  }
}

/** The path of the innermost module in the outermost one. */
function pathOf(layers: readonly Layer[]): string | undefined {
  const known = layers[0]?.namedModules() ?? [];
  for (let i = layers.length - 1; i >= 0; i--) {
    const found = known.find(([, module]) => module === layers[i]);
    if (found !== undefined) return found[0];
  }
  return undefined;
}

let current: AnomalyDetector | undefined;

/** @internal The detector at work, if there is one. */
export function anomalyDetector(): AnomalyDetector | undefined {
  return current;
}

/**
 * Runs a synchronous function, a training step say, and looks at what each of its operations makes, forward and, where
 * `backward` is called inside, backward. That takes a pass over memory for each, and is meant for finding a mistake. Eager code
 * only: `fit` and plans of `capture` say by themselves where numbers stop being finite.
 *
 * @returns what `body` returns
 *
 * Throws ERR_NUMERICS at the first operation whose output, or whose gradient for one of its inputs, holds NaN or Infinity, with
 * its name and the path of its layer; ERR_CAPTURE while a step is recorded, ERR_ARGUMENT for an asynchronous function.
 */
export function detectAnomaly<T>(body: () => T, options: AnomalyOptions = {}): T {
  checkFunction('detectAnomaly', body);
  checkOptions('detectAnomaly', options, ['infinity']);
  checkBooleans('detectAnomaly', { infinity: options.infinity });
  if (isRecordingNow()) {
    throw fail('ERR_CAPTURE', {
      op: 'detectAnomaly',
      expected: 'eager code',
      received: 'a step that is recorded',
      hint: 'a recorded step has no values to look at; running it tells where they stop being finite',
    });
  }
  const outer = current;
  current = new AnomalyDetector(options.infinity ?? true);
  try {
    const result = body();
    refusePromise('detectAnomaly', result);
    return result;
  } finally {
    current = outer;
  }
}
