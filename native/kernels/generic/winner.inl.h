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

// Which blocks to add up.
struct ListedBlocks {
  const float* values;
  const std::int32_t* offsets;
  std::int64_t count;

  inline float value(std::int64_t i) const { return values[i]; }
  inline std::int64_t offset(std::int64_t i) const { return offsets[i]; }
};

struct PatchBlocks {
  const float* values;
  const std::uint8_t* winners;
  const std::int32_t *window_x, *place_x;
  std::int64_t step, count;

  explicit PatchBlocks(const WinnerPatches& patches)
      : values(patches.values),
        winners(patches.winners),
        window_x(patches.window_x),
        place_x(patches.place_x),
        step(patches.step),
        count(patches.count) {}
  inline float value(std::int64_t i) const { return values[i * step]; }
  inline std::int64_t offset(std::int64_t i) const { return window_x[i] + place_x[winners[i * step]]; }
};

// Where they stand, and where their sum goes.
struct BlockPlaces {
  float* to;
  std::int64_t to_step;
  const float* from;
  std::int64_t from_step;
};

template <int kRows, int kVecs, typename Blocks>
void block_tile(const BlockPlaces& at, const Blocks blocks) {
  Vec sums[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) sums[r][v] = zero();
  }
  for (std::int64_t i = 0; i < blocks.count; ++i) {
    const Vec value = broadcast(blocks.value(i));
    const float* from = at.from + blocks.offset(i);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r, from += at.from_step) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) sums[r][v] = fma(value, load(from + v * kWidth), sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      float* to = at.to + r * at.to_step + v * kWidth;
      store(to, add(load(to), sums[r][v]));
    }
  }
}

template <int kVecs, int kRows, typename Blocks>
void block_rows(const BlockPlaces& at, const Blocks& blocks, std::int64_t rows) {
  if (rows == kRows) return block_tile<kRows, kVecs>(at, blocks);
  if constexpr (kRows > 1) block_rows<kVecs, kRows - 1>(at, blocks, rows);
}

template <int kVecs, typename Blocks>
void block_columns(const BlockPlaces& at, const Blocks& blocks, std::int64_t rows, std::int64_t vecs) {
  if (vecs >= kVecs) return block_rows<kVecs, static_cast<int>(kMaxBlockRows)>(at, blocks, rows);
  if constexpr (kVecs > 1) block_columns<kVecs - 1>(at, blocks, rows, vecs);
}

template <typename Blocks>
inline void add_all(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                    const Blocks& blocks) {
  for (std::int64_t f = 0; f < rows.floats; f += kMaxBlockVecs * kWidth) {
    block_columns<kMaxBlockVecs>({to + f, rows.step, from + f, from_step}, blocks, rows.rows,
                                 (rows.floats - f + kWidth - 1) / kWidth);
  }
}

void add_blocks(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                const float* values, const std::int32_t* offsets, std::int64_t count) {
  add_all(to, rows, from, from_step, ListedBlocks{values, offsets, count});
}

void add_patches(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                 const WinnerPatches& patches) {
  add_all(to, rows, from, from_step, PatchBlocks(patches));
}

constexpr WinnerKernels kWinnerKernels = {nonzero, add_blocks, add_patches};

}  // namespace
}  // namespace receptive
