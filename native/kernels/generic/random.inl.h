// SPDX-License-Identifier: Apache-2.0
// Philox over the vector vocabulary: every lane computes a block of its own. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/random_kernels.h"

namespace receptive {
namespace {

// Blocks first_block .. first_block + kWidth - 1 as 4 * kWidth words in order. The low word of their numbers
// must not wrap among them.
inline void philox_blocks(Words words[4], std::int64_t first_block, const RandomKey& key) {
  const Words multiplier0 = broadcast_words(0xd2511f53u), multiplier1 = broadcast_words(0xcd9e8d57u);
  std::uint32_t key0 = key.seed_low, key1 = key.seed_high;
  Words c0 = add_words(broadcast_words(static_cast<std::uint32_t>(first_block)), block_numbers());
  Words c1 = broadcast_words(static_cast<std::uint32_t>(first_block >> 32));
  Words c2 = broadcast_words(key.stream), c3 = broadcast_words(key.step);
  for (int round = 0; round < 10; ++round) {
    Words high0, low0, high1, low1;
    multiply_wide(c0, multiplier0, &high0, &low0);
    multiply_wide(c2, multiplier1, &high1, &low1);
    c0 = xor_words(xor_words(high1, c1), broadcast_words(key0));
    c1 = low1;
    c2 = xor_words(xor_words(high0, c3), broadcast_words(key1));
    c3 = low0;
    key0 += 0x9e3779b9u;  // golden ratio
    key1 += 0xbb67ae85u;  // sqrt(3) - 1
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
  transpose_blocks(words);
}

// body.apply(first element, upper 24 bits of the words, range) for every vector of elements
template <typename Body>
inline void for_each_draw(const Body& body, std::int64_t count, std::int64_t first_block,
                          const RandomKey& key) {
  for (std::int64_t i = 0; i < count; i += 4 * kWidth) {
    Words words[4];
    philox_blocks(words, first_block + i / 4, key);
    for (int j = 0; j < 4; ++j) {
      const std::int64_t at = i + j * kWidth;
      if (at + kWidth <= count) {
        body.apply(at, upper_bits(words[j]), WholeVector{});
      } else if (at < count) {
        body.apply(at, upper_bits(words[j]), PartialVector(count - at));
      }
    }
  }
}

struct Uniform {
  float* out;
  Vec low, range;

  template <typename Range>
  inline void apply(std::int64_t i, Vec bits, Range lanes) const {
    const Vec unit = mul(bits, broadcast(0x1p-24f));
    lanes.store(out + i, add(low, mul(range, unit)));  // not fused: the scalar table cannot
  }
};

struct Dropout {
  float* y;
  const float* x;
  Vec threshold, scale;

  template <typename Range>
  inline void apply(std::int64_t i, Vec bits, Range lanes) const {
    lanes.store(y + i, mul(lanes.load(x + i), select(less(bits, threshold), zero(), scale)));
  }
};

void uniform(float* out, std::int64_t count, std::int64_t first_block, const RandomKey& key, float low,
             float range) {
  for_each_draw(Uniform{out, broadcast(low), broadcast(range)}, count, first_block, key);
}

void dropout(float* y, const float* x, std::int64_t count, std::int64_t first_block, const RandomKey& key,
             float threshold, float scale) {
  for_each_draw(Dropout{y, x, broadcast(threshold), broadcast(scale)}, count, first_block, key);
}

constexpr RandomKernels kRandomKernels = {uniform, dropout};

}  // namespace
}  // namespace receptive
