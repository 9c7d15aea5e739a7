// SPDX-License-Identifier: Apache-2.0
// The tensors of one environment, by small integer handle. JavaScript holds handles, instructions name them;
// what is behind a handle is a typed block of memory. Shapes live in TypeScript.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/block_cache.h"

namespace receptive {

enum class Dtype : int { kFloat32 = 0, kFloat64 = 1, kInt32 = 2, kUint8 = 3 };

constexpr std::size_t dtype_bytes(Dtype dtype) {
  return dtype == Dtype::kUint8 ? 1 : dtype == Dtype::kFloat64 ? 8 : 4;
}

constexpr bool is_floating(Dtype dtype) { return dtype == Dtype::kFloat32 || dtype == Dtype::kFloat64; }

struct Buffer {
  void* data = nullptr;
  std::int64_t size = 0;  // elements
  Dtype dtype = Dtype::kFloat32;

  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

class TensorTable {
 public:
  TensorTable() = default;
  TensorTable(const TensorTable&) = delete;
  TensorTable& operator=(const TensorTable&) = delete;
  ~TensorTable();

  int allocate(std::int64_t size, Dtype dtype);  // contents undefined; -1 when there is no memory
  bool free(int handle);                         // false for a handle that is not alive
  const Buffer* find(int handle) const;          // nullptr for a handle that is not alive

  // What something outside JavaScript's thread does with a tensor: a running plan, a copy between two steps.
  enum class Use { kRead, kWrite };
  // A pinned tensor that is freed keeps its memory until it is unpinned.
  void pin(int handle, Use use);
  void unpin(int handle, Use use);
  // Whether a live tensor may be written now. What a running plan writes is its own; and whole numbers that
  // it reads must not change, because they may be indices that it has checked.
  bool may_write(int handle) const {
    const Entry& entry = entries_[static_cast<std::size_t>(handle)];
    return entry.writers == 0 && (entry.pins == 0 || is_floating(entry.buffer.dtype));
  }
  // Whether values read now may be trusted not to change before they are used.
  bool may_trust(int handle) const {
    const Entry& entry = entries_[static_cast<std::size_t>(handle)];
    return entry.writers == 0 || is_floating(entry.buffer.dtype);
  }
  // Says that the values of a tensor are others now.
  void touch(int handle) { entries_[static_cast<std::size_t>(handle)].version += 1; }
  // Another number whenever a tensor's values may have changed, or it is another tensor by the same handle; 0
  // while something writes it, or where there is none.
  std::uint64_t version(int handle) const;
  // Differs between two tensors that had one handle, one after the other.
  std::uint32_t generation(int handle) const;

  std::int64_t live_handles() const { return live_handles_; }
  std::int64_t live_bytes() const { return live_bytes_; }
  std::int64_t peak_bytes() const { return peak_bytes_; }
  void reset_peak() { peak_bytes_ = live_bytes_; }

 private:
  struct Entry {
    Buffer buffer;
    Block block;
    std::uint32_t generation = 0;
    std::uint64_t version = 0;
    int pins = 0, writers = 0;
    bool freed = false;  // by its owner, while pinned
  };
  void release(int handle);

  std::vector<Entry> entries_;
  std::vector<int> free_handles_;
  std::int64_t live_handles_ = 0, live_bytes_ = 0, peak_bytes_ = 0;
};

}  // namespace receptive
