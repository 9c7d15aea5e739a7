// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 for one block at a time, as in lib/tensor/philox.ts, and the sequence of words behind it. The
// kernels carry the same function for a vector of blocks.
#pragma once

#include <cstdint>

#include "kernels/random_kernels.h"

namespace receptive::ops {

struct PhiloxBlock {
  std::uint32_t words[4];
};

inline PhiloxBlock philox_block(std::int64_t block, const RandomKey& key) {
  std::uint32_t c0 = static_cast<std::uint32_t>(block), c1 = static_cast<std::uint32_t>(block >> 32);
  std::uint32_t c2 = key.stream, c3 = key.step, key0 = key.seed_low, key1 = key.seed_high;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xd2511f53u} * c0;
    const std::uint64_t product1 = std::uint64_t{0xcd9e8d57u} * c2;
    c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<std::uint32_t>(product1);
    c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<std::uint32_t>(product0);
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

// Uniform in [0, 1) in 24 bits.
inline double unit_interval(std::uint32_t word) { return static_cast<double>(word >> 8) * 0x1p-24; }

// The words of a key in order, one at a time.
class PhiloxSequence {
 public:
  explicit PhiloxSequence(const RandomKey& key) : key_(key) {}

  std::uint32_t word() {
    const int lane = static_cast<int>(next_ % 4);
    if (lane == 0) block_ = philox_block(next_ / 4, key_);
    next_ += 1;
    return block_.words[lane];
  }

  // Uniform in 0..n-1, without bias: words beyond the last multiple of n are drawn again.
  std::uint32_t below(std::uint32_t n) {
    const std::uint64_t range = std::uint64_t{1} << 32, limit = range - range % n;
    std::uint64_t drawn = word();
    while (drawn >= limit) drawn = word();
    return static_cast<std::uint32_t>(drawn % n);
  }

 private:
  RandomKey key_;
  std::int64_t next_ = 0;
  PhiloxBlock block_{};
};

}  // namespace receptive::ops
