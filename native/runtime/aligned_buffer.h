// SPDX-License-Identifier: Apache-2.0
// 64-byte aligned memory that grows and is freed with its owner: the scratch of one thread or one call. Large
// buffers ask for huge pages: a GEMM walks many rows at once, each on a page of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace receptive {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// How often memory was asked of the system, by all threads: a repeated step must leave it as it is.
inline std::atomic<std::uint64_t> allocation_count{0};

// Memory for `bytes`, rounded up; freed with std::free. nullptr when there is none.
inline void* aligned_allocate(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (rounded < bytes) return nullptr;
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  void* data = std::aligned_alloc(alignment, rounded);
#if defined(__linux__)
  if (data != nullptr && alignment == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  return data;
}

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { std::free(data_); }

  // At least `bytes` of memory, contents undefined; nullptr when there is none. Grows, never shrinks.
  void* reserve(std::size_t bytes) {
    if (bytes <= bytes_) return data_;
    std::free(data_);
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
