// SPDX-License-Identifier: Apache-2.0
// Gradients behind a max pool, over the vector vocabulary. The including file defines kMaxBlockVecs: a tile
// of kMaxBlockRows x kMaxBlockVecs sums stays in registers. Include after a vec.h.
#pragma once

#include "kernels/winner_kernels.h"

namespace receptive {
namespace {

std::int64_t nonzero(float* values, std::int32_t* places, const float* from, std::int64_t count) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < count; i += kWidth) {
    const int lanes = count - i < kWidth ? static_cast<int>(count - i) : kWidth;
    found += append_nonzero(values + found, places + found, from + i, lanes, static_cast<std::int32_t>(i));
  }
  return found;
}

struct BlockSum {
  float* to;
  std::int64_t to_step;
  const float* from;
  std::int64_t from_step;
  const float* values;
  const std::int32_t* offsets;
  std::int64_t count;
};

template <int kRows, int kVecs>
void block_tile(const BlockSum& block) {
  Vec sums[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) sums[r][v] = zero();
  }
  for (std::int64_t i = 0; i < block.count; ++i) {
    const Vec value = broadcast(block.values[i]);
    const float* from = block.from + block.offsets[i];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r, from += block.from_step) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) sums[r][v] = fma(value, load(from + v * kWidth), sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      float* to = block.to + r * block.to_step + v * kWidth;
      store(to, add(load(to), sums[r][v]));
    }
  }
}

template <int kVecs, int kRows>
void block_rows(const BlockSum& block, std::int64_t rows) {
  if (rows == kRows) return block_tile<kRows, kVecs>(block);
  if constexpr (kRows > 1) block_rows<kVecs, kRows - 1>(block, rows);
}

template <int kVecs>
void block_columns(const BlockSum& block, std::int64_t rows, std::int64_t vecs) {
  if (vecs >= kVecs) return block_rows<kVecs, static_cast<int>(kMaxBlockRows)>(block, rows);
  if constexpr (kVecs > 1) block_columns<kVecs - 1>(block, rows, vecs);
}

void add_blocks(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                const float* values, const std::int32_t* offsets, std::int64_t count) {
  for (std::int64_t f = 0; f < rows.floats; f += kMaxBlockVecs * kWidth) {
    block_columns<kMaxBlockVecs>({to + f, rows.step, from + f, from_step, values, offsets, count}, rows.rows,
                                 (rows.floats - f + kWidth - 1) / kWidth);
  }
}

constexpr WinnerKernels kWinnerKernels = {nonzero, add_blocks};

}  // namespace
}  // namespace receptive
