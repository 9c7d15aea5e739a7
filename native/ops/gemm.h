// SPDX-License-Identifier: Apache-2.0
// Matrix products over the one micro-kernel (kernels/gemm_kernels.h): packing, blocking and threading.
#pragma once

#include <cstdint>

namespace receptive::ops {

// Element (row, column) is data[row * row_stride + column * column_stride].
struct MatrixView {
  const float* data;
  std::int64_t row_stride;
  std::int64_t column_stride;
};

struct Epilogue {
  const float* bias = nullptr;  // one per column
  bool relu = false;
};

// c[m][n] = a[m][k] · b[k][n], then the epilogue. c is row-major and dense; it may not overlap a or b.
// Each element is summed in the order of k, whatever the blocking and the threads; very long sums of a
// transposed a in chunks that depend on the shape alone.
void gemm(float* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const Epilogue& epilogue = {});

}  // namespace receptive::ops
