// SPDX-License-Identifier: Apache-2.0
// Who frees tensors, and how much memory they take.
import { type MemoryInfo, memoryInfo } from '../native/bindings.js';

export { currentScope, forgetInScopes, TensorScope, tensorScope } from '../autograd/scope.js';

/** What native memory is in use: live tensors of this thread, their bytes and the most there were; caches and scratch. */
export function memory(): MemoryInfo {
  return memoryInfo();
}
