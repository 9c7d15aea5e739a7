// SPDX-License-Identifier: Apache-2.0
#include "ops/gemm_pack.h"

#include <cstring>

#include "kernels/select.h"

namespace receptive::ops {
namespace {

// Rows are contiguous in b: copies.
void pack_rows(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride, std::int64_t rows,
               int width) {
  const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(float);
  for (std::int64_t row = 0; row < rows; ++row)
    std::memcpy(panel + row * stride, b + row * row_stride, bytes);
}

// Neither is contiguous.
void pack_elements(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride,
                   std::int64_t column_stride, std::int64_t rows, int width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (int column = 0; column < width; ++column)
      panel[row * stride + column] = b[row * row_stride + column * column_stride];
  }
}

}  // namespace

void pack_panel(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride,
                std::int64_t column_stride, std::int64_t rows, int width) {
  if (column_stride == 1) {
    pack_rows(panel, stride, b, row_stride, rows, width);
  } else if (row_stride == 1) {
    kernels().gemm->pack_columns(panel, stride, b, column_stride, rows, width);
  } else {
    pack_elements(panel, stride, b, row_stride, column_stride, rows, width);
  }
}

}  // namespace receptive::ops
