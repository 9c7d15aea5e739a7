// SPDX-License-Identifier: Apache-2.0
// Packing of the right-hand matrix into panels as wide as a tile, so that a tile reads it in one stream.
//
// Panel p holds columns [p * NR, min(n, (p + 1) * NR)) as [k][stride], where stride is the width rounded up
// to whole vectors: the last panel of a narrow matrix is narrow too. Columns beyond n are zero.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"

namespace receptive::ops {

struct Panels {
  std::int64_t columns;  // n
  std::int64_t depth;    // k: rows of B
  std::int64_t tile;     // NR
  std::int64_t vector;   // floats in a vector
  // B is read where it lies, rows of n floats one after another: n is a multiple of the vector then.
  bool in_place = false;

  Panels(std::int64_t n, std::int64_t k, const GemmKernels& gemm)
      : columns(n), depth(k), tile(gemm.max_columns), vector(gemm.vector_width) {}

  std::int64_t count() const { return (columns + tile - 1) / tile; }
  int width(std::int64_t panel) const {
    const std::int64_t left = columns - panel * tile;
    return static_cast<int>(left < tile ? left : tile);
  }
  std::int64_t stride(std::int64_t panel) const {
    return in_place ? columns : (width(panel) + vector - 1) / vector * vector;
  }
  std::int64_t offset(std::int64_t panel) const { return panel * tile * (in_place ? 1 : depth); }
  std::int64_t size() const { return count() * tile * depth; }  // floats, the last panel counted as full
};

// panel[row][column] = b[row * row_stride + column * column_stride] for `rows` rows and `width` columns; zero
// from `width` to `stride`. One of the two strides is normally 1.
void pack_panel(float* panel, std::int64_t stride, const float* b, std::int64_t row_stride,
                std::int64_t column_stride, std::int64_t rows, int width);

}  // namespace receptive::ops
