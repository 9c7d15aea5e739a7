// SPDX-License-Identifier: Apache-2.0
// Scratch memory that each thread keeps between calls, so that a repeated step allocates nothing. A slot
// holds one buffer per thread; two buffers that are alive together need two slots, which is why the slots are
// named by use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace receptive {

enum class Slot {
  kPackedB,   // the packed right-hand matrix of a GEMM or convolution; owned by the calling thread
  kPadded,    // a zero-bordered copy of an image batch; owned by the calling thread
  kPartials,  // partial sums of a fixed reduction tree; owned by the calling thread
  kZeroRow,   // a row of zeros that padding points at; owned by the calling thread
  kTables,    // what is worked out once for each axis of a resize; owned by the calling thread
  // From here on, used inside tasks, and so by the workers of the pool too.
  kTaskPanel,   // a panel packed inside one task
  kTaskRows,    // row pointers built inside one task
  kTaskDense,   // a task's part of a gradient, taken apart
  kTaskResult,  // a small result of one task before it is scattered
  kTaskImage,   // an image of one task inside a margin, or its channels one after another
  kCount,
};

// Contents undefined, 64-byte aligned. Throws std::bad_alloc, which binding/ turns into ERR_OUT_OF_MEMORY.
void* workspace_bytes(Slot slot, std::size_t bytes);

template <typename T>
T* workspace(Slot slot, std::int64_t count) {
  return static_cast<T*>(workspace_bytes(slot, static_cast<std::size_t>(count) * sizeof(T)));
}

// At least `count` zeros that stay zeros: callers only read them.
const float* zero_row(std::int64_t count);

// The scratch of a worker of the pool: made by whoever starts it, and the worker's as long as it lives.
struct Scratch;
Scratch* scratch_for_worker();
void use_scratch(Scratch* scratch);  // on the worker

// Makes sure that the calling thread and all workers have scratch for every task that was ever run, however
// tasks will be spread over them: a worker that missed the first step must not allocate in a later one.
// Throws std::bad_alloc.
void even_out_scratch();

// Bytes that all threads' workspaces hold now.
std::size_t workspace_total_bytes();

}  // namespace receptive
