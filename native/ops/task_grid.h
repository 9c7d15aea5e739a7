// SPDX-License-Identifier: Apache-2.0
// How a matrix product C[m][n] is cut into tasks: blocks of rows, and groups of panels where rows alone do
// not make enough tasks. The cut depends on the shape only; no element of C is summed across tasks.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "ops/brgemm.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {

struct TaskGrid {
  // Enough tasks for any pool this library meets, few enough that a task outweighs its dispatch (about 0.1
  // µs).
  static constexpr std::int64_t kMaxTasks = 32;
  // Multiply-adds below which a second thread costs more than it brings: about 3 µs of work at 80 GFLOP/s,
  // which is what a fork-join takes.
  static constexpr std::int64_t kMinTaskWork = 1 << 17;

  std::int64_t rows, row_block, row_tasks, panels, panel_groups;
  int tile_rows;

  TaskGrid(std::int64_t m, std::int64_t n, std::int64_t k, const Panels& b, const GemmKernels& gemm)
      : rows(m), panels(b.count()), tile_rows(tile_rows_for(n, gemm)) {
    const std::int64_t wanted = std::clamp<std::int64_t>(m * n * k / kMinTaskWork, 1, kMaxTasks);
    row_block = gemm.row_block / tile_rows * tile_rows;
    if (wanted == 1) row_block = std::max(row_block, (m + tile_rows - 1) / tile_rows * tile_rows);
    row_tasks = (m + row_block - 1) / row_block;
    panel_groups = std::min(panels, (wanted + row_tasks - 1) / row_tasks);
  }

  // body(first row, rows, first panel, end panel), in parallel
  template <typename Body>
  void run(const Body& body) const {
    parallel_for(row_tasks * panel_groups, [&](std::int64_t task) {
      const std::int64_t row = task / panel_groups * row_block, group = task % panel_groups;
      body(row, std::min(row_block, rows - row), group * panels / panel_groups,
           (group + 1) * panels / panel_groups);
    });
  }
};

}  // namespace receptive::ops
