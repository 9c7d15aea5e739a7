// SPDX-License-Identifier: Apache-2.0
#include "runtime/workspace.h"

#include <atomic>
#include <cstring>

#include "runtime/aligned_buffer.h"

namespace receptive {
namespace {

std::atomic<std::size_t> total_bytes{0};

struct ThreadBuffers {
  AlignedBuffer slots[static_cast<int>(Slot::kCount)];
  ~ThreadBuffers() {
    for (const AlignedBuffer& slot : slots) total_bytes -= slot.bytes();
  }
};

thread_local ThreadBuffers buffers;

}  // namespace

void* workspace_bytes(Slot slot, std::size_t bytes) {
  AlignedBuffer& buffer = buffers.slots[static_cast<int>(slot)];
  const std::size_t before = buffer.bytes();
  void* data = buffer.reserve(bytes == 0 ? kAlignment : bytes);
  total_bytes += buffer.bytes() - before;
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

const float* zero_row(std::int64_t count) {
  AlignedBuffer& buffer = buffers.slots[static_cast<int>(Slot::kZeroRow)];
  const std::size_t before = buffer.bytes();
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  void* data = workspace_bytes(Slot::kZeroRow, bytes);
  if (buffer.bytes() != before) std::memset(data, 0, buffer.bytes());
  return static_cast<const float*>(data);
}

std::size_t workspace_total_bytes() { return total_bytes; }

}  // namespace receptive
