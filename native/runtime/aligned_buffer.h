// SPDX-License-Identifier: Apache-2.0
// 64-byte aligned memory that grows and is freed with its owner: the scratch of one thread or one call. Large
// buffers ask for huge pages: a GEMM walks many rows at once, each on a page of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace receptive {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// How often memory was asked of the system, by all threads: a repeated step must leave it as it is.
inline std::atomic<std::uint64_t> allocation_count{0};
// What of it was not given back yet: tensors, cached blocks, arenas of plans, scratch.
inline std::atomic<std::size_t> held_bytes{0};

inline std::size_t alignment_of(std::size_t bytes) { return bytes >= kHugePage ? kHugePage : kAlignment; }
inline std::size_t rounded_up(std::size_t bytes) {
  return (bytes + alignment_of(bytes) - 1) / alignment_of(bytes) * alignment_of(bytes);
}

// Memory for `bytes`, rounded up; freed with aligned_free. nullptr when there is none.
inline void* aligned_allocate(std::size_t bytes) {
  const std::size_t alignment = alignment_of(bytes), rounded = rounded_up(bytes);
  if (rounded < bytes) return nullptr;
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  void* data = std::aligned_alloc(alignment, rounded);
  if (data != nullptr) held_bytes.fetch_add(rounded, std::memory_order_relaxed);
#if defined(__linux__)
  if (data != nullptr && alignment == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  return data;
}

// `bytes` as they were asked for
inline void aligned_free(void* data, std::size_t bytes) {
  if (data == nullptr) return;
  held_bytes.fetch_sub(rounded_up(bytes), std::memory_order_relaxed);
  std::free(data);
}

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { aligned_free(data_, bytes_); }

  void swap(AlignedBuffer* other) {
    std::swap(data_, other->data_);
    std::swap(bytes_, other->bytes_);
  }

  // At least `bytes` of memory, contents undefined; nullptr when there is none. Grows, never shrinks.
  void* reserve(std::size_t bytes) {
    if (bytes <= bytes_) return data_;
    aligned_free(data_, bytes_);
    data_ = aligned_allocate(bytes);
    bytes_ = data_ == nullptr ? 0 : bytes;
    return data_;
  }
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace receptive
