// SPDX-License-Identifier: Apache-2.0
// The tensor: a shape over native elements, and its place in the recorded computation. Operations are free functions in
// ops/; what stands here is what a tensor is.
import { backward } from '../autograd/backward.js';
import { checkFunction } from '../autograd/grad-mode.js';
import type { GradientHook } from '../autograd/hooks.js';
import type { GradNode } from '../autograd/node.js';
import { describe, fail } from '../errors.js';
import { DTYPES, type DType, emit, read, type TypedArray, write } from '../native/bindings.js';
import { currentScope, forgetInScopes } from './scope.js';
import { checkSize, type Shape, sizeOf } from './shape.js';
import { Storage } from './storage.js';

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

/** The dtype whose elements a value holds as a typed array, of this or another realm; undefined for anything else. */
export function dtypeOfArray(value: unknown): DType | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  const kind = (value as TypedArray)[Symbol.toStringTag];
  return DTYPES.find((dtype) => ARRAYS[dtype].name === kind);
}

/** An array for `size` elements of `dtype`. Throws ERR_OUT_OF_MEMORY. */
export function arrayFor(dtype: DType, size: number): TypedArray {
  try {
    return new ARRAYS[dtype](size);
  } catch (error) {
    throw fail('ERR_OUT_OF_MEMORY', {
      op: 'tensor',
      expected: `a ${ARRAYS[dtype].name} of ${size} elements`,
      received: 'no memory for one',
      cause: error,
    });
  }
}

/** Height and width of the windows of a max pool, then their strides; windows without padding. */
export type PoolWindow = readonly [number, number, number, number];

/** What `backward` may be told. */
export interface BackwardOptions {
  /** Keep the recorded graph for another call. Default false: its memory is freed. */
  readonly retainGraph?: boolean;
}

/**
 * A dense, row-major array of numbers in native memory. Images are [n, h, w, c], convolution weights
 * [outC, kH, kW, inC], linear weights [out, in].
 *
 * Its memory is freed by `dispose`, by the scope it was made in, by `using`, or, at the latest, when it is garbage
 * collected.
 */
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;
  /** True if `backward` reaches this tensor. */
  requiresGrad: boolean;
  /** The gradient that `backward` has summed up so far, for leaves that require one. */
  grad: Tensor | null = null;
  /** @internal The operation that made this tensor, if it was recorded. */
  node: GradNode | null = null;
  /** @internal Of a gradient: the windows of the max pool that it came through (ops/pool-window.ts). */
  poolWindow: PoolWindow | undefined = undefined;
  /** @internal What looks at this tensor's gradient. */
  hooks: Set<GradientHook> | null = null;
  #storage: Storage | null;

  /** @internal Use `tensor`, `zeros`, `randn` or an operation. */
  constructor(storage: Storage, shape: Shape, requiresGrad: boolean, tracked = true) {
    if (!(storage instanceof Storage)) {
      throw fail('ERR_ARGUMENT', {
        op: 'Tensor',
        expected: 'tensors to be made by tensor(data, shape), zeros, randn or an operation',
        received: `new Tensor of ${describe(storage)}`,
      });
    }
    this.#storage = storage;
    this.shape = Object.freeze(shape);
    this.dtype = storage.dtype;
    this.size = sizeOf(shape);
    this.requiresGrad = requiresGrad;
    if (tracked) currentScope()?.track(this);
  }

  /** @internal A new tensor, contents undefined. Its dimensions have been checked, their product is here. */
  static empty(shape: Shape, dtype: DType, requiresGrad = false): Tensor {
    checkSize(shape);
    return new Tensor(new Storage(sizeOf(shape), dtype), shape, requiresGrad);
  }

  /** True after `dispose`. */
  get disposed(): boolean {
    return this.#storage === null;
  }

  /** @internal The native handle. Throws ERR_DISPOSED. */
  get handle(): number {
    return this.storage.handle;
  }

  private get storage(): Storage {
    if (this.#storage !== null) return this.#storage;
    throw fail('ERR_DISPOSED', {
      op: 'tensor',
      expected: 'a live tensor',
      received: `one of shape [${this.shape.join(', ')}] that was disposed`,
      hint: 'return it from tensorScope, or dispose it later',
    });
  }

  /** A copy of the elements, in row-major order. */
  data(): TypedArray {
    const copy = arrayFor(this.dtype, this.size);
    read(this.handle, copy);
    return copy;
  }

  /** The one element of a tensor of size 1. */
  item(): number {
    if (this.size === 1) return this.data()[0];
    throw fail('ERR_SHAPE', {
      op: 'item',
      expected: 'a tensor with one element',
      received: `shape [${this.shape.join(', ')}]`,
      hint: 'use data() for all elements',
    });
  }

  /** Overwrites all elements. `values` must have this tensor's size and dtype's array type. */
  write(values: TypedArray): this {
    if (dtypeOfArray(values) !== this.dtype) {
      throw fail('ERR_DTYPE', {
        op: 'write',
        expected: `a ${ARRAYS[this.dtype].name}, for a tensor of ${this.dtype}`,
        received: describe(values),
      });
    }
    if (values.length !== this.size) {
      throw fail('ERR_SHAPE', {
        op: 'write',
        expected: `${this.size} elements for shape [${this.shape.join(', ')}]`,
        received: `${describe(values)} of ${values.length}`,
        hint: values.length === 0 ? 'was its buffer transferred (detached)?' : undefined,
      });
    }
    write(this.handle, values);
    return this;
  }

  /**
   * Sends gradients back to every leaf that requires one, adding to its `grad`.
   *
   * @param gradient gradient of this tensor, in its shape; default 1, for a tensor with one element
   */
  backward(gradient?: TypedArray, options: BackwardOptions = {}): void {
    if (!this.requiresGrad) {
      throw fail('ERR_ARGUMENT', {
        op: 'backward',
        expected: 'a tensor that depends on a leaf with requiresGrad',
        received: 'one without history',
        hint: 'was it made inside noGrad, or from detached tensors?',
      });
    }
    if (gradient === undefined && this.size !== 1) {
      throw fail('ERR_SHAPE', {
        op: 'backward',
        expected: 'a tensor with one element, or a gradient',
        received: `shape [${this.shape.join(', ')}] and no gradient`,
      });
    }
    const seed = Tensor.empty(this.shape, this.dtype);
    try {
      if (gradient === undefined) emit('fill', [seed.handle], [1]);
      else seed.write(gradient);
    } catch (error) {
      seed.dispose();
      throw error;
    }
    backward(this, seed, options.retainGraph === true);
  }

  /**
   * Calls `hook` in each backward pass with this tensor's gradient, whole, before it goes on to what made the tensor or, for a
   * leaf, is added to `grad`. A tensor of the gradient's shape and type that it returns goes on instead. Hooks run in the order in
   * which they were registered, each with what the one before made of the gradient.
   *
   * @returns a function that takes the hook away again
   *
   * Throws ERR_ARGUMENT for a tensor that no gradient reaches.
   */
  registerHook(hook: GradientHook): () => void {
    checkFunction('registerHook', hook);
    if (!this.requiresGrad) {
      throw fail('ERR_ARGUMENT', {
        op: 'registerHook',
        expected: 'a tensor with requiresGrad, or that depends on one',
        received: 'one that no gradient reaches',
      });
    }
    const own: GradientHook = (gradient) => hook(gradient); // a function registered twice is called twice
    this.hooks ??= new Set();
    this.hooks.add(own);
    return () => {
      this.hooks?.delete(own);
      if (this.hooks?.size === 0) this.hooks = null;
    };
  }

  /** The same elements without history: not a copy. */
  detach(): Tensor {
    return new Tensor(this.storage.retain(), this.shape, false);
  }

  /** A copy of the elements without history. */
  clone(): Tensor {
    const { handle } = this; // refuses first if this is disposed
    const copy = Tensor.empty(this.shape, this.dtype);
    emit('copy', [copy.handle, handle]);
    return copy;
  }

  /** @internal The same elements in another shape, owned by whoever asked and by no scope. */
  alias(): Tensor {
    return new Tensor(this.storage.retain(), this.shape, false, false);
  }

  /** @internal The same elements in another shape of the same size. */
  view(shape: Shape): Tensor {
    return new Tensor(this.storage.retain(), shape, false);
  }

  /** Takes this tensor out of every open scope: it lives until it is disposed. */
  keep(): this {
    forgetInScopes(this);
    return this;
  }

  /** Frees the memory, and the gradient's. Twice is harmless. */
  dispose(): void {
    this.#storage?.release();
    this.#storage = null;
    this.grad?.dispose();
    this.grad = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    const gradient = this.requiresGrad ? ', requiresGrad' : '';
    return `Tensor(${this.dtype} [${this.shape.join(', ')}]${gradient}${this.disposed ? ', disposed' : ''})`;
  }
}
