// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that draw random numbers. Philox4x32-10 with the counter (block low, block high,
// stream, step): element i of a tensor takes word i % 4 of block i / 4, and so its number depends on nothing
// but its place. All instruction sets give the same bits.
#pragma once

#include <cstdint>

namespace receptive {

struct RandomKey {
  std::uint32_t seed_low, seed_high;  // the two words of Philox's key
  std::uint32_t stream, step;
};

struct RandomKernels {
  // out = low + range * u with u uniform in [0, 1) in 24 bits, each operation rounded to float.
  void (*uniform)(float* out, std::int64_t count, std::int64_t first_block, const RandomKey& key, float low,
                  float range);
  // y = x * (scale where the upper 24 bits of an element's word reach `threshold`, else 0); y may be x.
  void (*dropout)(float* y, const float* x, std::int64_t count, std::int64_t first_block,
                  const RandomKey& key, float threshold, float scale);
};

}  // namespace receptive
