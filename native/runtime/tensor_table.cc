// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensor_table.h"

#include <algorithm>

namespace receptive {

TensorTable::~TensorTable() {
  for (const Entry& entry : entries_) block_free(entry.block);
}

int TensorTable::allocate(std::int64_t size, Dtype dtype) {
  std::size_t bytes = 0;
  if (size < 0 || __builtin_mul_overflow(static_cast<std::size_t>(size), dtype_bytes(dtype), &bytes))
    return -1;
  const Block block = block_allocate(bytes);
  if (block.data == nullptr) return -1;
  int handle;
  if (free_handles_.empty()) {
    handle = static_cast<int>(entries_.size());
    entries_.emplace_back();
  } else {
    handle = free_handles_.back();
    free_handles_.pop_back();
  }
  entries_[static_cast<std::size_t>(handle)] = {{block.data, size, dtype}, block};
  live_handles_ += 1;
  live_bytes_ += static_cast<std::int64_t>(block.bytes);
  peak_bytes_ = std::max(peak_bytes_, live_bytes_);
  return handle;
}

bool TensorTable::free(int handle) {
  if (find(handle) == nullptr) return false;
  Entry& entry = entries_[static_cast<std::size_t>(handle)];
  live_handles_ -= 1;
  live_bytes_ -= static_cast<std::int64_t>(entry.block.bytes);
  block_free(entry.block);
  entry = {};
  free_handles_.push_back(handle);
  return true;
}

const Buffer* TensorTable::find(int handle) const {
  if (handle < 0 || static_cast<std::size_t>(handle) >= entries_.size()) return nullptr;
  const Entry& entry = entries_[static_cast<std::size_t>(handle)];
  return entry.block.data == nullptr ? nullptr : &entry.buffer;
}

}  // namespace receptive
