// SPDX-License-Identifier: Apache-2.0
// A matrix [rows][channels] by blocks of columns, what belongs to a column staying in registers on the way
// down the rows. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"

namespace receptive {
namespace {

// Sums that run side by side, so that the latency of an addition is hidden.
constexpr int kChains = 4;

// Calls body.block<kVectors>(first column, lanes) for blocks of 4, 2 and 1 vectors, the last one partial.
template <typename Body>
inline void for_column_blocks(const Body& body, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + 4 * kWidth <= channels; c += 4 * kWidth) body.template block<4>(c, WholeVector{});
  for (; c + 2 * kWidth <= channels; c += 2 * kWidth) body.template block<2>(c, WholeVector{});
  for (; c + kWidth <= channels; c += kWidth) body.template block<1>(c, WholeVector{});
  if (c < channels) body.template block<1>(c, PartialVector(channels - c));
}

template <int kVectors, typename Range>
inline void load_block(Vec* to, const float* from, Range lanes) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) to[v] = lanes.load(from + v * kWidth);
}

template <int kVectors, typename Range>
inline void store_block(float* to, const Vec* from, Range lanes) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) lanes.store(to + v * kWidth, from[v]);
}

}  // namespace
}  // namespace receptive
