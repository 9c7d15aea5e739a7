// SPDX-License-Identifier: Apache-2.0
#include "ops/gemm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
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

}  // namespace

void gemm(float* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const Epilogue& epilogue) {
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
