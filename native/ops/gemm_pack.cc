// SPDX-License-Identifier: Apache-2.0
#include "ops/gemm_pack.h"

#include <algorithm>
#include <cstring>

namespace receptive::ops {
namespace {

// Rows are contiguous in b: copies.
void pack_rows(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride, std::int64_t rows,
               int width) {
  const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(float);
  for (std::int64_t row = 0; row < rows; ++row)
    std::memcpy(panel + row * stride, b + row * row_stride, bytes);
}

// Columns are contiguous in b: a transpose, in blocks of 16 rows so that both sides stay in cache lines.
void pack_columns(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride,
                  std::int64_t column_stride, std::int64_t rows, int width) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t first = 0; first < rows; first += kBlock) {
    const std::int64_t last = std::min(first + kBlock, rows);
    for (int column = 0; column < width; ++column) {
      const float* from = b + column * column_stride;
      for (std::int64_t row = first; row < last; ++row) panel[row * stride + column] = from[row * row_stride];
    }
  }
}

}  // namespace

void pack_panel(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride,
                std::int64_t column_stride, std::int64_t rows, int width) {
  if (column_stride == 1) {
    pack_rows(panel, stride, b, row_stride, rows, width);
  } else {
    pack_columns(panel, stride, b, row_stride, column_stride, rows, width);
  }
}

}  // namespace receptive::ops
