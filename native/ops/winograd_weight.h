// SPDX-License-Identifier: Apache-2.0
// Transformed weights, as the GEMM tile reads them: by groups of 64 output channels, in each
// [frequency][panel] [input channel][columns of the panel].
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/winograd.h"

namespace receptive::ops {

struct WinogradWeight {
  static constexpr std::int64_t kGroup = 64;  // a multiple of every ISA's tile width

  std::int64_t depth, columns;    // input and output channels
  std::int64_t tile, vector;      // columns of a full panel, floats in a vector
  std::int64_t frequency, group;  // floats from one to the next
  WinogradWeight(std::int64_t x_channels, std::int64_t y_channels, int inputs, const GemmKernels& gemm)
      : depth(x_channels), columns(y_channels), tile(gemm.max_columns), vector(gemm.vector_width) {
    const std::int64_t widest = std::min(columns, kGroup);
    frequency = depth * ((widest + vector - 1) / vector * vector) + 16;  // no power of two
    group = frequency * inputs * inputs;
  }
  std::int64_t groups() const { return (columns + kGroup - 1) / kGroup; }
  std::int64_t size() const { return groups() * group; }
  std::int64_t group_columns(std::int64_t index) const { return std::min(kGroup, columns - index * kGroup); }
  int width(std::int64_t first) const { return static_cast<int>(std::min(tile, columns - first)); }
  std::int64_t stride(std::int64_t first) const { return (width(first) + vector - 1) / vector * vector; }
};

// Transforms input channels [begin, end) of a group of output channels into u, the group's own place.
void transform_weight(float* u, const WinogradWeight& layout, std::int64_t group, std::int64_t begin,
                      std::int64_t end, const WinogradConvolution& convolution, const KernelTable& table);

}  // namespace receptive::ops
