// SPDX-License-Identifier: Apache-2.0
// Gradients behind a max pool, over the vector vocabulary. The including file defines kMaxBlockVecs: a tile
// of kMaxBlockRows x kMaxBlockVecs sums stays in registers. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
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

template <typename Range>
inline Vec split_window(float* dz, std::uint8_t* winners, const float* window, std::int64_t row,
                        const WindowedImage& image, Vec number, Range range) {
  const Vec one = broadcast(1.0f);
  Vec value = zero(), winner = zero(), place = zero(), found = zero();
  for (std::int64_t y = 0; y < image.kernel_h; ++y, window += row) {
    const float* from = window;
    for (std::int64_t x = 0; x < image.kernel_w; ++x, from += image.channels) {
      const Vec element = range.load(from);
      const Mask hit = not_equal(element, zero()), takes = both(hit, equal(found, number));
      value = select(takes, element, value);
      winner = select(takes, place, winner);
      found = select(hit, add(found, one), found);
      place = add(place, one);
    }
  }
  range.store(dz, value);
  range.store_integers(winners, winner);
  return found;
}

std::int64_t split(float* dz, std::uint8_t* winners, const WindowedImage& image, std::int64_t number) {
  const std::int64_t channels = image.channels, row = image.windows_w * image.kernel_w * channels;
  const Vec wanted = broadcast(static_cast<float>(number));
  Vec most = zero();
  for (std::int64_t y = 0; y < image.windows_h; ++y) {
    for (std::int64_t x = 0; x < image.windows_w; ++x, dz += channels, winners += channels) {
      const float* window = image.dy + y * image.kernel_h * row + x * image.kernel_w * channels;
      std::int64_t c = 0;
      for (; c + kWidth <= channels; c += kWidth)
        most = max(most, split_window(dz + c, winners + c, window + c, row, image, wanted, WholeVector{}));
      if (c < channels) {
        const PartialVector rest(channels - c);
        most = max(most, split_window(dz + c, winners + c, window + c, row, image, wanted, rest));
      }
    }
  }
  return static_cast<std::int64_t>(reduce_max(most));
}

constexpr WinnerKernels kWinnerKernels = {nonzero, add_blocks, add_patches, split};

}  // namespace
}  // namespace receptive
