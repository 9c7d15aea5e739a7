// SPDX-License-Identifier: Apache-2.0
// The loops around the micro-kernel for one block of rows: tiles inside, panels of packed B outside, so that
// a panel is read from the near cache by every tile of the block.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "ops/gemm_pack.h"

namespace receptive::ops {

constexpr int kMaxTileRows = 12;

// A block of rows of A and C by pointers. A has `runs` pointers per row, laid out as the micro-kernel reads
// them: tile after tile, [runs][rows of the tile].
struct RowBlock {
  const float* const* a_rows = nullptr;
  float* const* c_rows = nullptr;
  const float* const* residual_rows = nullptr;  // added after the bias, or nullptr
  std::int64_t rows = 0;
  int tile_rows = 0;  // rows of a full tile, chosen by tile_rows_for
  std::int64_t a_stride = 1;
  std::int64_t runs = 1;
  std::int64_t run_length = 0;
  bool stream = false;  // see is_streamed
};

// Whether C [floats], rows of `row` floats, is better written past the caches: it would not stay there until
// somebody reads it, and each line would be fetched before it is overwritten. Two threads of a Zen 4 with 32
// MiB of far cache: 3 channels to 64, 128 images of 32x32 (32 MiB) 2.48 instead of 2.65 ms; 64 to 256 by a
// 1x1 kernel, 16 of 56x56 (49 MiB) 8.1 instead of 8.9 ms; 64 to 64, 2 of 224x224 (25 MiB) 33.0 instead
// of 33.5.
inline bool is_streamed(const float* c, std::int64_t floats, std::int64_t row, const GemmKernels& gemm) {
  constexpr std::int64_t kMinStreamed = 6 << 20;  // floats: 24 MiB
  return floats >= kMinStreamed && row % gemm.vector_width == 0 &&
         reinterpret_cast<std::uintptr_t>(c) % (gemm.vector_width * sizeof(float)) == 0;
}

// Rows of a full tile for a matrix of n columns. Matrices narrower than a tile get taller tiles.
inline int tile_rows_for(std::int64_t n, const GemmKernels& gemm) {
  const std::int64_t columns = std::min<std::int64_t>(n, gemm.max_columns);
  return gemm.rows_by_vecs[(columns + gemm.vector_width - 1) / gemm.vector_width];
}

// C block = A block · panels [first, last) of the packed matrix b, then bias, residual and ReLU. c_rows and
// residual_rows point at column 0. The sum is cut into blocks of k_block, so that the piece of a panel that
// all tiles of the block read stays in the nearest cache; each element is still summed in order.
void brgemm(const RowBlock& block, const float* b, const Panels& panels, std::int64_t first,
            std::int64_t last, const float* bias, bool relu, const GemmKernels& gemm);

}  // namespace receptive::ops
