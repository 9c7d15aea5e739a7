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
  if (free_handles_.empty()) {  // first, so that a want of memory leaves the table as it was
    const std::size_t handles = entries_.size() + 1;  // `release` finds room for all of them
    if (free_handles_.capacity() < handles) free_handles_.reserve(2 * handles);
    entries_.emplace_back();
    free_handles_.push_back(static_cast<int>(entries_.size()) - 1);
  }
  const Block block = block_allocate(bytes);
  if (block.data == nullptr) return -1;
  const int handle = free_handles_.back();
  free_handles_.pop_back();
  Entry& entry = entries_[static_cast<std::size_t>(handle)];
  entry.buffer = {block.data, size, dtype};
  entry.block = block;
  entry.generation += 1;
  entry.version += 1;
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
  entry.freed = true;
  if (entry.pins == 0) release(handle);
  return true;
}

void TensorTable::release(int handle) {
  Entry& entry = entries_[static_cast<std::size_t>(handle)];
  block_free(entry.block);
  entry.buffer = {};
  entry.block = {};
  entry.freed = false;
  free_handles_.push_back(handle);
}

void TensorTable::pin(int handle, Use use) {
  Entry& entry = entries_[static_cast<std::size_t>(handle)];
  entry.pins += 1;
  if (use == Use::kWrite) entry.writers += 1;
}

void TensorTable::unpin(int handle, Use use) {
  Entry& entry = entries_[static_cast<std::size_t>(handle)];
  entry.pins -= 1;
  if (use == Use::kWrite) {
    entry.writers -= 1;
    entry.version += 1;
  }
  if (entry.pins == 0 && entry.freed) release(handle);
}

std::uint64_t TensorTable::version(int handle) const {
  if (find(handle) == nullptr) return 0;
  const Entry& entry = entries_[static_cast<std::size_t>(handle)];
  return entry.writers > 0 ? 0 : entry.version;
}

std::uint32_t TensorTable::generation(int handle) const {
  return find(handle) == nullptr ? 0 : entries_[static_cast<std::size_t>(handle)].generation;
}

const Buffer* TensorTable::find(int handle) const {
  if (handle < 0 || static_cast<std::size_t>(handle) >= entries_.size()) return nullptr;
  const Entry& entry = entries_[static_cast<std::size_t>(handle)];
  return entry.block.data == nullptr || entry.freed ? nullptr : &entry.buffer;
}

}  // namespace receptive
