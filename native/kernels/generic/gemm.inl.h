// SPDX-License-Identifier: Apache-2.0
// The GEMM tile of kernels/gemm_kernels.h, written once over the vector vocabulary: all of a tile of C stays
// in registers while the runs of A and the rows of B stream by. Include after a vec.h.
#pragma once

#include "kernels/gemm_kernels.h"

namespace receptive {
namespace {

// C (+)= the sums, in whole vectors and with nothing to apply. Short sums end often: as a path of its own,
// this takes a tile with 64 terms from 90 to 93 % of peak (32 terms: 81 to 86 %).
template <int kRows, int kVecs>
inline void store_plain(const Vec (&c)[kRows][kVecs], const GemmTile& tile) {
  if (tile.accumulate) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      float* to = tile.c_rows[i];
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j) store(to + j * kWidth, add(c[i][j], load(to + j * kWidth)));
    }
    return;
  }
  if (tile.stream) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      float* to = tile.c_rows[i];
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j) stream(to + j * kWidth, c[i][j]);
    }
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* to = tile.c_rows[i];
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) store(to + j * kWidth, c[i][j]);
  }
}

// What is general: a last vector that may need a mask, bias, residual, ReLU.
template <int kRows, int kVecs>
inline void store_finished(const Vec (&c)[kRows][kVecs], const GemmTile& tile) {
  const Mask last = first_lanes(tile.columns - (kVecs - 1) * kWidth);
#pragma GCC unroll 4
  for (int j = 0; j < kVecs; ++j) {
    const Mask lanes = j < kVecs - 1 ? first_lanes(kWidth) : last;
    const int at = j * kWidth;
    // Only the last vector may need a mask.
    const bool whole = j < kVecs - 1 || tile.columns == kVecs * kWidth;
    const Vec bias = tile.bias == nullptr ? zero() : load_partial(tile.bias + at, lanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      float* to = tile.c_rows[i] + at;
      Vec value = c[i][j];
      if (tile.accumulate) value = add(value, whole ? load(to) : load_partial(to, lanes));
      if (tile.bias != nullptr) value = add(value, bias);
      if (tile.residual_rows != nullptr) {
        const float* residual = tile.residual_rows[i] + at;
        value = add(value, whole ? load(residual) : load_partial(residual, lanes));
      }
      if (tile.relu) value = max(zero(), value);
      if (tile.stream) {
        stream(to, value);
      } else if (whole) {
        store(to, value);
      } else {
        store_partial(to, lanes, value);
      }
    }
  }
}

template <int kRows, int kVecs, bool kAsksAhead = false>
void gemm_tile_fixed(const GemmTile& tile) {
  Vec c[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) c[i][j] = zero();
  }

  // C is touched once, at the end; asking for it now hides its way from memory (2 to 3 % at 1024 cubed).
  for (int i = 0; !tile.stream && i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) __builtin_prefetch(tile.c_rows[i] + j * kWidth, 1, 3);
  }

  const float* const* a_rows = tile.a_rows;
  const std::int64_t a_stride = tile.a_stride, b_stride = tile.b_stride;
  const std::int64_t a_end = tile.run_length * a_stride;
  for (std::int64_t run = 0; run < tile.runs; ++run, a_rows += kRows) {
    const float* b = tile.b + (tile.b_offsets == nullptr ? run * tile.b_run_stride : tile.b_offsets[run]);
    const float* a[kRows];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) a[i] = a_rows[i] + tile.a_offset;
    const float* ahead = kAsksAhead ? tile.ahead + run * tile.ahead_run_stride : nullptr;
    for (std::int64_t k = 0; k != a_end; k += a_stride, b += b_stride) {
      Vec bv[kVecs];
      if constexpr (kAsksAhead) {
        // A line each; vectors may be shorter
#pragma GCC unroll 4
        for (int j = 0; j < kVecs * kWidth; j += 16) __builtin_prefetch(ahead + j, 0, 3);
        ahead += tile.ahead_stride;
      }
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j)
        __builtin_prefetch(b + kPrefetchRows * kVecs * kWidth + j * kWidth, 0, 3);
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j) bv[j] = load(b + j * kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Vec av = broadcast(a[i][k]);
#pragma GCC unroll 4
        for (int j = 0; j < kVecs; ++j) c[i][j] = fma(av, bv[j], c[i][j]);
      }
    }
  }

  if (tile.columns == kVecs * kWidth && tile.bias == nullptr && tile.residual_rows == nullptr && !tile.relu) {
    store_plain<kRows, kVecs>(c, tile);
  } else {
    store_finished<kRows, kVecs>(c, tile);
  }
}

template <int kVecs>
void gemm_tile_rows(const GemmTile& tile) {
  switch (tile.rows) {
    case 1:
      return gemm_tile_fixed<1, kVecs>(tile);
    case 2:
      return gemm_tile_fixed<2, kVecs>(tile);
    case 3:
      return gemm_tile_fixed<3, kVecs>(tile);
    case 4:
      return gemm_tile_fixed<4, kVecs>(tile);
    case 5:
      return gemm_tile_fixed<5, kVecs>(tile);
    case 6:
      if constexpr (kVecs == kMaxVecs) {
        if (tile.ahead != nullptr) return gemm_tile_fixed<6, kVecs, true>(tile);
      }
      return gemm_tile_fixed<6, kVecs>(tile);
    default:
      break;
  }
  // Narrow tiles take more rows, so that there are enough independent sums to hide the latency of a
  // multiply-add.
  if constexpr (kVecs <= kMaxNarrowVecs) {
    switch (tile.rows) {
      case 7:
        return gemm_tile_fixed<7, kVecs>(tile);
      case 8:
        return gemm_tile_fixed<8, kVecs>(tile);
      case 9:
        return gemm_tile_fixed<9, kVecs>(tile);
      case 10:
        return gemm_tile_fixed<10, kVecs>(tile);
      case 11:
        return gemm_tile_fixed<11, kVecs>(tile);
      default:
        return gemm_tile_fixed<12, kVecs>(tile);
    }
  }
}

void gemm_tile(const GemmTile& tile) {
  switch ((tile.columns + kWidth - 1) / kWidth) {
    case 1:
      return gemm_tile_rows<1>(tile);
    case 2:
      return gemm_tile_rows<2>(tile);
    default:
      break;
  }
  if constexpr (kMaxVecs == 4) {
    if (tile.columns <= 3 * kWidth) return gemm_tile_rows<3>(tile);
    return gemm_tile_rows<4>(tile);
  }
}

// A block at a time, and `depth` in steps that stay in the nearest cache while all blocks read their lines;
// the next step is asked for, because rows far apart are nothing that the processor foresees.
void pack_a(float* to, std::int64_t block_stride, const float* from, std::int64_t stride, std::int64_t depth,
            std::int64_t count, int rows) {
  constexpr std::int64_t kStep = 16;
  for (std::int64_t first = 0; first < depth; first += kStep) {
    const std::int64_t end = first + kStep < depth ? first + kStep : depth;
    float* block = to;
    for (std::int64_t i = 0; i < count; i += rows, block += block_stride) {
      const int left = static_cast<int>(count - i < rows ? count - i : rows);
      const float* row = from + first * stride + i;
      float* place = block + first * rows;
      // Whole vectors, of which the next row overwrites what is too much; reading stops short of the end.
      const std::int64_t whole = rows <= kWidth && i + kWidth <= count ? end : first;
      std::int64_t k = first;
      for (; k < whole; ++k, row += stride, place += rows) {
        __builtin_prefetch(row + kStep * stride, 0, 3);
        store(place, load(row));
      }
      for (; k < end; ++k, row += stride, place += rows) {
        for (int r = 0; r < left; ++r) place[r] = row[r];
      }
    }
  }
}

// In squares of vectors, each a transpose in registers.
void pack_columns(float* panel, std::int64_t stride, const float* from, std::int64_t column_stride,
                  std::int64_t rows, int width) {
  for (std::int64_t row = 0; row < rows; row += kWidth) {
    for (int column = 0; column < width; column += kWidth) {
      const float* square = from + column * column_stride + row;
      float* to = panel + row * stride + column;
      const int columns = width - column < kWidth ? width - column : kWidth;
      if (row + kWidth <= rows && column + kWidth <= stride) {
        Vec vecs[kWidth];
        for (int i = 0; i < columns; ++i) {
          vecs[i] = load(square + i * column_stride);
          __builtin_prefetch(square + i * column_stride + 2 * kWidth, 0, 3);
        }
        for (int i = columns; i < kWidth; ++i) vecs[i] = zero();
        transpose(vecs);
        for (int i = 0; i < kWidth; ++i) store(to + i * stride, vecs[i]);
        continue;
      }
      const std::int64_t end = rows - row < kWidth ? rows - row : kWidth;
      for (std::int64_t r = 0; r < end; ++r) {
        for (int i = 0; i < columns; ++i) to[r * stride + i] = square[i * column_stride + r];
      }
    }
  }
}

// As many sums as a full tile keeps: more than the latency times the rate of multiply-adds on any x86 core (4
// x 2). The factors are no round numbers, because power, and with it the clock, depends on how many bits
// toggle.
constexpr int kPeakSums = kMaxVecs * 6;
constexpr int kPeakFlops = kPeakSums * kWidth * 2;

float fma_loop(std::int64_t iterations) {
  Vec sums[kPeakSums];
  for (int i = 0; i < kPeakSums; ++i) sums[i] = broadcast(0.7f + 0.13f * static_cast<float>(i));
  const Vec factor = broadcast(0.99371f), term = broadcast(0.00731f);
  for (std::int64_t n = 0; n < iterations; ++n) {
#pragma GCC unroll 32
    for (int i = 0; i < kPeakSums; ++i) sums[i] = fma(sums[i], factor, term);
  }
  Vec total = sums[0];
  for (int i = 1; i < kPeakSums; ++i) total = add(total, sums[i]);
  return reduce_add(total);
}

}  // namespace
}  // namespace receptive
