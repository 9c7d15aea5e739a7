// SPDX-License-Identifier: Apache-2.0
// Matrix product in double precision, from its definition.
#pragma once

#include <cstdint>

namespace receptive::reference {

// Element (row, column) is data[row * row_stride + column * column_stride].
struct MatrixView {
  const double* data;
  std::int64_t row_stride, column_stride;
};

// c[m][n] = a · b + bias[n]; bias may be nullptr
void gemm(double* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* bias);

}  // namespace receptive::reference
