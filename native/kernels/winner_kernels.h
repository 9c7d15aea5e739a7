// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels for gradients that come through a max pool: of each window only the winner's
// output has one, so the gradients of a convolution are sums over few patches.
#pragma once

#include <cstdint>

namespace receptive {

// Rows of an array; kernels read and write whole vectors of each.
struct BlockRows {
  std::int64_t rows;    // at most kMaxBlockRows
  std::int64_t floats;  // of a row that count
  std::int64_t step;    // from one row to the next
};

constexpr std::int64_t kMaxBlockRows = 8;

struct WinnerKernels {
  // The elements of `from` that are not zero, in order, and their places; returns how many. Both arrays have
  // room for `count` and a vector more.
  std::int64_t (*nonzero)(float* values, std::int32_t* places, const float* from, std::int64_t count);
  // to += the sum over i < count of values[i] * the rows at from + offsets[i], which are from_step apart
  void (*add_blocks)(float* to, const BlockRows& rows, const float* from, std::int64_t from_step,
                     const float* values, const std::int32_t* offsets, std::int64_t count);
};

}  // namespace receptive
