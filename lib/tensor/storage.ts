// SPDX-License-Identifier: Apache-2.0
// Native memory with an owner count: tensors and recorded operations that look at the same elements share it, and the
// last one to let go frees it. A finalizer frees what was forgotten; it is a safety net, not the way.
import { allocate, type DType, free } from '../native/bindings.js';

const forgotten = new FinalizationRegistry<number>((handle) => free(handle));

/** Elements of one or more tensors. */
export class Storage {
  readonly handle: number;
  readonly size: number;
  readonly dtype: DType;
  #owners = 1;

  constructor(size: number, dtype: DType) {
    this.handle = allocate(size, dtype);
    this.size = size;
    this.dtype = dtype;
    forgotten.register(this, this.handle, this);
  }

  retain(): this {
    this.#owners += 1;
    return this;
  }

  release(): void {
    this.#owners -= 1;
    if (this.#owners > 0) return;
    forgotten.unregister(this);
    free(this.handle);
  }
}
