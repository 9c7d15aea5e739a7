// SPDX-License-Identifier: Apache-2.0
#include "reference/gemm.h"

namespace receptive::reference {

void gemm(double* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* bias) {
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t column = 0; column < n; ++column) {
      double total = bias == nullptr ? 0.0 : bias[column];
      for (std::int64_t i = 0; i < k; ++i) {
        total += a.data[row * a.row_stride + i * a.column_stride] *
                 b.data[i * b.row_stride + column * b.column_stride];
      }
      c[row * n + column] = total;
    }
  }
}

}  // namespace receptive::reference
