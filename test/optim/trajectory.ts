// SPDX-License-Identifier: Apache-2.0
// Two parameters along the gradients of optim.safetensors, in the care of an optimizer, beside PyTorch's.
import { Adagrad, Adam, AdamW, Lion, type Optimizer, RMSprop, SGD } from '../../lib/optim/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, readGolden } from '../helpers/golden.js';

export const STEPS = 20;
export const kinds = { SGD, Adam, AdamW, RMSprop, Adagrad, Lion };
export type Kind = keyof typeof kinds;
export type Precision = 'float32' | 'float64';

/** Exact in double precision but for the order of operations; the bound of the requirements in single. */
export const TOLERANCE: Readonly<Record<Precision, number>> = { float64: 1e-13, float32: 1e-5 };

export interface OptimizerCase {
  readonly name: string;
  readonly kind: Kind;
  readonly options: object;
  readonly groups: readonly object[] | null;
}

export interface ClipCase extends OptimizerCase {
  readonly clip: { readonly clipGradNorm?: number; readonly clipGradValue?: number };
}

export interface ScheduleCase {
  readonly name: string;
  readonly kind: string;
  readonly options: Readonly<Record<string, never>>;
  readonly optimizer: Kind;
  readonly momentum: object;
}

interface Cases {
  readonly optimizers: readonly OptimizerCase[];
  readonly clipping: readonly ClipCase[];
  readonly schedules: readonly ScheduleCase[];
  readonly plateaus: readonly { readonly name: string; readonly options: object }[];
  readonly averages: readonly { readonly name: string; readonly decay: number }[];
}

export const golden = readGolden<Cases>('optim.safetensors');

/** What step `step` of the case left: of a [3, 7] or b [2]; `start` before the first. */
export function placeAfter(name: string, key: 'a' | 'b', step: number): number[] {
  if (step < 0) return Array.from(golden.at(`start.${key}`).data);
  const { data, shape } = golden.at(`${name}.${key}`);
  const size = shape.slice(1).reduce((product, length) => product * length, 1);
  return Array.from(data.subarray(step * size, (step + 1) * size));
}

/** Both parameters, and the optimizer over them. */
export class Trajectory implements Disposable {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly optimizer: Optimizer;
  #step: number;

  /** @param from the step that comes next; parameters are as PyTorch left them before it */
  constructor(
    readonly item: Pick<OptimizerCase, 'name' | 'kind' | 'options' | 'groups'>,
    readonly dtype: Precision,
    from = 0,
  ) {
    const { name, kind, options, groups } = item;
    this.#step = from;
    this.a = tensor(placeAfter(name, 'a', from - 1), [3, 7], { dtype, requiresGrad: true });
    this.b = tensor(placeAfter(name, 'b', from - 1), [2], { dtype, requiresGrad: true });
    const params = [this.a, this.b];
    const all = groups === null ? params : params.map((param, i) => ({ params: [param], ...groups[i] }));
    this.optimizer = new kinds[kind](all as Tensor[], options);
  }

  setGradients(): void {
    for (const key of ['a', 'b'] as const) {
      const { data, shape } = golden.at(`grad.${key}`);
      const size = data.length / STEPS;
      const values = data.subarray(this.#step * size, (this.#step + 1) * size);
      this[key].grad?.dispose();
      this[key].grad = tensor(values, shape.slice(1), { dtype: this.dtype });
    }
  }

  /** One step, with the gradients of its place. `clip` may change them. */
  step(clip: () => void = () => {}): void {
    this.setGradients();
    clip();
    this.optimizer.step();
    this.#step += 1;
  }

  /** One step whose gradients are clipped on the way. */
  clippedStep(clip: ClipCase['clip']): void {
    this.setGradients();
    this.optimizer.update(clip);
    this.#step += 1;
  }

  /** Throws unless both parameters are where PyTorch's were after the last step. */
  expectPyTorch(name = this.item.name): void {
    for (const key of ['a', 'b'] as const) {
      const what = `${name}.${key} after step ${this.#step}, ${this.dtype}`;
      expectRelative(this[key].data(), placeAfter(name, key, this.#step - 1), TOLERANCE[this.dtype], what);
    }
  }

  [Symbol.dispose](): void {
    for (const part of [this.optimizer, this.a, this.b]) part.dispose();
  }
}
