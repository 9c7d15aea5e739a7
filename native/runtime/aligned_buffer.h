// SPDX-License-Identifier: Apache-2.0
// 64-byte aligned memory that grows and is freed with its owner: the scratch of one thread or one call.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace receptive {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { std::free(data_); }

  // At least `bytes` of memory, contents undefined; nullptr when there is none. Grows, never shrinks.
  void* reserve(std::size_t bytes) {
    if (bytes <= bytes_) return data_;
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    std::free(data_);
    data_ = std::aligned_alloc(kAlignment, rounded);
    bytes_ = data_ == nullptr ? 0 : rounded;
    return data_;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace receptive
