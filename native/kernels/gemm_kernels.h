// SPDX-License-Identifier: Apache-2.0
// Contract of the one micro-kernel under every convolution, linear layer and matrix product: a batch-reduce
// GEMM tile whose rows of A are given by pointers, so that a convolution needs no im2col (its kernel taps are
// runs, padding is a pointer to zeros).
#pragma once

#include <cstdint>

namespace receptive {

// C[i][0..columns) (+)= sum over runs r and k < run_length of A(r, i, k) * B(r, k, 0..columns)
struct GemmTile {
  const float* const* a_rows;  // [runs][rows]: where row i of run r starts
  std::int64_t a_offset = 0;   // floats added to each of these pointers
  std::int64_t a_stride = 1;   // floats from A(r, i, k) to A(r, i, k + 1)
  std::int64_t runs = 1;
  std::int64_t run_length;
  // Row k of run r of B starts at b + r * b_run_stride + k * b_stride and is readable to the end of its last
  // vector: a masked load in the inner loop cost a quarter of the speed on Sapphire Rapids (144 against 186
  // GFLOP/s). What lies beyond `columns` does not matter.
  const float* b;
  std::int64_t b_run_stride = 0;
  const std::int64_t* b_offsets =
      nullptr;  // [runs], or nullptr: where run r starts instead, in floats from b
  std::int64_t b_stride;
  float* const* c_rows;     // [rows]
  int rows;                 // 1 to the table's rows for this width
  int columns;              // 1 to max_columns
  bool accumulate = false;  // add to C instead of writing it
  bool stream = false;  // write past the caches: C is large, whole vectors, aligned to them, not accumulated
  bool relu = false;    // at the end: negative values become 0, NaN stays NaN
  const float* bias = nullptr;                  // [columns] or nullptr
  const float* const* residual_rows = nullptr;  // [rows], or nullptr: added after the bias
  // What somebody will read soon, or nullptr: a full tile asks for max_columns floats at ahead + r *
  // ahead_run_stride + k * ahead_stride beside row k of run r of B. A hint, which may point anywhere.
  const float* ahead = nullptr;
  std::int64_t ahead_run_stride = 0, ahead_stride = 0;
};

struct GemmKernels {
  int vector_width;     // floats in a vector
  int max_columns;      // NR: columns of a full tile
  int rows_by_vecs[5];  // rows of a full tile by its width in vectors; [0] is unused
  int k_block;          // KC: rows of B that a pass over C takes
  int row_block;        // rows of C that a task takes
  void (*tile)(const GemmTile& tile);
  // Packs a transposed A for tiles of `rows` rows: with from[k * stride + i], k < depth and i < count, as
  // A(i, k), to[i / rows * block_stride + k * rows + i % rows] = A(i, k). Room for a vector behind each block
  // may be overwritten.
  void (*pack_a)(float* to, std::int64_t block_stride, const float* from, std::int64_t stride,
                 std::int64_t depth, std::int64_t count, int rows);
  // Packs columns that are contiguous, as those of a transposed B: panel[row * stride + column] =
  // from[column * column_stride + row]. Columns from `width` to `stride` may become zero.
  void (*pack_columns)(float* panel, std::int64_t stride, const float* from, std::int64_t column_stride,
                       std::int64_t rows, int width);
  // The machine's peak: `iterations` rounds of independent multiply-adds in registers, fma_loop_flops each.
  // Returns a value that depends on all of them.
  float (*fma_loop)(std::int64_t iterations);
  int fma_loop_flops;
};

}  // namespace receptive
