// SPDX-License-Identifier: Apache-2.0
#include "ops/gemm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/gemm_pack.h"
#include "ops/task_grid.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Packs all of B: one task per panel and block of k.
void pack_all(float* packed, const MatrixView& b, const Panels& panels, std::int64_t k_block) {
  const std::int64_t k_blocks = (panels.depth + k_block - 1) / k_block;
  parallel_for(panels.count() * k_blocks, [&](std::int64_t task) {
    const std::int64_t panel = task / k_blocks, k = task % k_blocks * k_block;
    const std::int64_t stride = panels.stride(panel);
    pack_panel(packed + panels.offset(panel) + k * stride, stride,
               b.data + k * b.row_stride + panel * panels.tile * b.column_stride, b.row_stride,
               b.column_stride, std::min(k_block, panels.depth - k), panels.width(panel));
  });
}

constexpr std::int64_t kRowPixels = 64;  // of the image that a long sum is taken for

// aᵀ as it lies in memory times b, with a sum longer than the result is large: what the weight gradient of a
// 1x1 convolution is, which packs both in bands and cuts the sum into chunks (64x576x32768 one thread: 46
// against 62 % of peak).
bool is_long_sum(const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const Epilogue& epilogue) {
  constexpr std::int64_t kLongSum = 4096;
  return a.row_stride == 1 && a.column_stride == m && b.row_stride == n && b.column_stride == 1 &&
         k >= kLongSum && k % kRowPixels == 0 && epilogue.bias == nullptr && !epilogue.relu;
}

void sum_over_rows(float* c, const float* a, const float* b, std::int64_t m, std::int64_t n, std::int64_t k) {
  Conv2dGeometry g{};
  g.batch = g.kernel_h = g.kernel_w = g.stride_h = g.stride_w = 1;
  g.in_h = g.out_h = k / kRowPixels;
  g.in_w = g.out_w = kRowPixels;
  g.in_c = n;
  g.out_c = m;
  conv2d_grad_weight_direct(c, a, b, g);
}

}  // namespace

void gemm(float* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const Epilogue& epilogue) {
  if (is_long_sum(a, b, m, n, k, epilogue)) return sum_over_rows(c, a.data, b.data, m, n, k);
  const GemmKernels& kernel = *kernels().gemm;
  const Panels panels(n, k, kernel);
  float* packed = workspace<float>(Slot::kPackedB, panels.size());
  pack_all(packed, b, panels, kernel.k_block);

  const TaskGrid grid(m, n, k, panels, kernel);
  grid.run([&](std::int64_t row, std::int64_t rows, std::int64_t first, std::int64_t last) {
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, 2 * rows);
    float** c_rows = const_cast<float**>(a_rows + rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      a_rows[i] = a.data + (row + i) * a.row_stride;
      c_rows[i] = c + (row + i) * n;
    }
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.rows = rows;
    block.tile_rows = grid.tile_rows;
    block.a_stride = a.column_stride;
    block.run_length = k;
    brgemm(block, packed, panels, first, last, epilogue.bias, epilogue.relu, kernel);
  });
}

}  // namespace receptive::ops
