// SPDX-License-Identifier: Apache-2.0
// Convolutions over batch-interleaved images, over the vector vocabulary. A pixel's channel is kVecs vectors.
// The including file defines the tiles: kMaxChannels x kMaxPixels sums of the correlation, kGradientChannels
// x kGradientElements of its gradient, each of kVecs vectors. Include after a vec.h.
#pragma once

#include "kernels/generic/interleaved_moves.inl.h"
#include "kernels/interleaved_kernels.h"

namespace receptive {
namespace {

constexpr int kVecs = static_cast<int>(kLanes) / kWidth;

// A tile of the correlation: kPixels outputs that read the same taps, kChannels output channels.
struct CorrelateTile {
  const float* x;
  std::int64_t x_row, x_rows, pixel_step;
  const float* weight;
  std::int64_t weight_row, run;  // floats between kernel rows; elements (taps * in_c) of each
  float* y;
  std::int64_t y_step;
  const float* bias;
  bool relu;
};

template <int kChannels, int kPixels>
void correlate_tile(const CorrelateTile& tile) {
  Vec sums[kChannels][kPixels][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v) sums[i][p][v] = zero();
    }
  }
  const std::int64_t pixel_step = tile.pixel_step;
  const float* x_row = tile.x;
  const float* weight_row = tile.weight;
  for (std::int64_t r = 0; r < tile.x_rows; ++r, x_row += tile.x_row, weight_row += tile.weight_row) {
    const float* x = x_row;
    const float* weight = weight_row;
    const float* const end = x_row + tile.run * kLanes;
    for (; x != end; x += kLanes, weight += kChannels) {
      Vec xs[kPixels][kVecs];
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 16
        for (int v = 0; v < kVecs; ++v) xs[p][v] = load(x + p * pixel_step + v * kWidth);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kChannels; ++i) {
        const Vec w = broadcast(weight[i]);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 16
          for (int v = 0; v < kVecs; ++v) sums[i][p][v] = fma(w, xs[p][v], sums[i][p][v]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kChannels; ++i) {
    const Vec bias = tile.bias == nullptr ? zero() : broadcast(tile.bias[i]);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v) {
        Vec value = sums[i][p][v];
        if (tile.bias != nullptr) value = add(value, bias);
        if (tile.relu) value = max(zero(), value);
        store(tile.y + p * tile.y_step + i * kLanes + v * kWidth, value);
      }
    }
  }
}

template <int kPixels, int kChannels>
void correlate_channels(const CorrelateTile& tile, int channels) {
  if (channels == kChannels) return correlate_tile<kChannels, kPixels>(tile);
  if constexpr (kChannels > 1) correlate_channels<kPixels, kChannels - 1>(tile, channels);
}

template <int kPixels>
void correlate_pixels(const CorrelateTile& tile, int channels, int pixels) {
  if (pixels == kPixels) return correlate_channels<kPixels, kMaxChannels>(tile, channels);
  if constexpr (kPixels > 1) correlate_pixels<kPixels - 1>(tile, channels, pixels);
}

inline std::int64_t clamp_tap(std::int64_t value, std::int64_t taps) {
  return value < 0 ? 0 : value > taps ? taps : value;
}

void correlate_row(const CorrelateRow& row) {
  const Groups groups(row.out_c, kMaxChannels);
  const std::int64_t kernel_row = row.taps * row.in_c;
  CorrelateTile tile;
  tile.x_row = row.x_row;
  tile.pixel_step = row.stride * row.in_c * kLanes;
  tile.y_step = row.y_step;
  tile.relu = row.relu;
  std::int64_t pixels = 1;
  for (std::int64_t o = 0; o < row.outputs; o += pixels) {
    const std::int64_t left = o * row.stride - row.pad;
    const std::int64_t first = clamp_tap(-left, row.taps), last = clamp_tap(row.in_w - left, row.taps);
    // Outputs that read all taps are computed several at once.
    pixels = 1;
    if (first == 0 && last == row.taps) {
      while (pixels < kMaxPixels && o + pixels < row.outputs &&
             left + pixels * row.stride + row.taps <= row.in_w) {
        ++pixels;
      }
    }
    tile.x_rows = first < last ? row.x_rows : 0;
    tile.x = row.x + (left + first) * row.in_c * kLanes;
    tile.run = (last - first) * row.in_c;
    for (std::int64_t group = 0; group < groups.count; ++group) {
      const std::int64_t channel = groups.begin(group), channels = groups.begin(group + 1) - channel;
      tile.weight_row = kernel_row * channels;
      tile.weight = row.weight + channel * row.kernel_rows * kernel_row +
                    row.first_kernel_row * tile.weight_row + first * row.in_c * channels;
      tile.y = row.y + o * row.y_step + channel * kLanes;
      tile.bias = row.bias == nullptr ? nullptr : row.bias + channel;
      correlate_pixels<kMaxPixels>(tile, static_cast<int>(channels), static_cast<int>(pixels));
    }
  }
}

template <int kChannels, int kElements>
void gradient_tile(const CorrelateGradient& tile) {
  Vec sums[kChannels][kElements][kVecs];
#pragma GCC unroll 8
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 8
    for (int e = 0; e < kElements; ++e) {
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v)
        sums[i][e][v] = load(tile.sums + i * tile.sums_row + e * kLanes + v * kWidth);
    }
  }
  const std::int64_t dy_step = tile.dy_step, x_step = tile.x_step;
  const float* dy_row = tile.dy;
  const float* x_row = tile.x;
  for (std::int64_t r = 0; r < tile.rows; ++r, dy_row += tile.dy_row, x_row += tile.x_row) {
    const float* dy = dy_row;
    const float* x = x_row;
    const float* const end = dy_row + tile.columns * dy_step;
    for (; dy != end; dy += dy_step, x += x_step) {
      Vec ds[kChannels][kVecs];
#pragma GCC unroll 8
      for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 16
        for (int v = 0; v < kVecs; ++v) ds[i][v] = load(dy + i * kLanes + v * kWidth);
      }
#pragma GCC unroll 8
      for (int e = 0; e < kElements; ++e) {
#pragma GCC unroll 16
        for (int v = 0; v < kVecs; ++v) {
          const Vec value = load(x + e * kLanes + v * kWidth);
#pragma GCC unroll 8
          for (int i = 0; i < kChannels; ++i) sums[i][e][v] = fma(ds[i][v], value, sums[i][e][v]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 8
    for (int e = 0; e < kElements; ++e) {
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v)
        store(tile.sums + i * tile.sums_row + e * kLanes + v * kWidth, sums[i][e][v]);
    }
  }
}

template <int kChannels, int kElements>
void gradient_elements(const CorrelateGradient& tile) {
  if (tile.elements == kElements) return gradient_tile<kChannels, kElements>(tile);
  if constexpr (kElements > 1) gradient_elements<kChannels, kElements - 1>(tile);
}

template <int kChannels>
void gradient_channels(const CorrelateGradient& tile) {
  if (tile.channels == kChannels) return gradient_elements<kChannels, kGradientElements>(tile);
  if constexpr (kChannels > 1) gradient_channels<kChannels - 1>(tile);
}

void correlate_gradient(const CorrelateGradient& tile) { gradient_channels<kGradientChannels>(tile); }

constexpr InterleavedKernels kInterleavedKernels = {kMaxChannels,  kGradientChannels,  kGradientElements,
                                                    correlate_row, correlate_gradient, sum_pixels,
                                                    sum_lanes,     interleave,         deinterleave};

}  // namespace
}  // namespace receptive
