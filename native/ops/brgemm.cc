// SPDX-License-Identifier: Apache-2.0
#include "ops/brgemm.h"

#include <algorithm>
#include <atomic>

namespace receptive::ops {
namespace {

// A piece of the sum: runs [run, run + runs), and of each the elements [offset, offset + length).
struct Piece {
  std::int64_t run, runs, offset, length;
};

// The piece after `done` rows of B: several short runs whole, or a part of a long one.
Piece next_piece(const RowBlock& block, std::int64_t done, std::int64_t k_block) {
  const std::int64_t run = done / block.run_length, offset = done % block.run_length;
  if (block.run_length > k_block) return {run, 1, offset, std::min(k_block, block.run_length - offset)};
  return {run, std::min(k_block / block.run_length, block.runs - run), 0, block.run_length};
}

}  // namespace

void brgemm(const RowBlock& block, const float* b, const Panels& panels, std::int64_t first,
            std::int64_t last, const float* bias, bool relu, const GemmKernels& gemm) {
  const std::int64_t depth = block.runs * block.run_length;
  float* c_rows[kMaxTileRows];
  const float* residual_rows[kMaxTileRows];
  GemmTile tile;
  tile.c_rows = c_rows;
  for (std::int64_t panel = first; panel < last; ++panel) {
    const std::int64_t column = panel * panels.tile;
    tile.columns = panels.width(panel);
    tile.b_stride = panels.stride(panel);
    std::int64_t done = 0;
    do {  // once where there is nothing to sum, so that C is written
      const Piece piece = depth == 0 ? Piece{0, 0, 0, 0} : next_piece(block, done, gemm.k_block);
      tile.b = b + panels.offset(panel) + done * tile.b_stride;
      tile.runs = piece.runs;
      tile.run_length = piece.length;
      tile.b_run_stride = piece.length * tile.b_stride;
      tile.a_stride = block.a_stride;
      tile.a_offset = piece.offset * block.a_stride;
      tile.accumulate = done > 0;
      tile.stream = block.stream && piece.runs * piece.length == depth && tile.columns % panels.vector == 0;
      done += piece.runs * piece.length;
      tile.bias = bias == nullptr || done < depth ? nullptr : bias + column;
      tile.relu = relu && done == depth;
      const bool adds_residual = block.residual_rows != nullptr && done == depth;
      tile.residual_rows = adds_residual ? residual_rows : nullptr;
      for (std::int64_t row = 0; row < block.rows; row += block.tile_rows) {
        tile.rows = static_cast<int>(std::min<std::int64_t>(block.tile_rows, block.rows - row));
        tile.a_rows = block.a_rows + row * block.runs + piece.run * tile.rows;
        for (int i = 0; i < tile.rows; ++i) c_rows[i] = block.c_rows[row + i] + column;
        for (int i = 0; adds_residual && i < tile.rows; ++i)
          residual_rows[i] = block.residual_rows[row + i] + column;
        gemm.tile(tile);
      }
    } while (done < depth);
  }
  // Streamed writes are in no order with those that tell another thread that the task is done.
  if (block.stream) std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace receptive::ops
