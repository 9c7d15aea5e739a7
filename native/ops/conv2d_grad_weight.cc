// SPDX-License-Identifier: Apache-2.0
// Gradient with respect to the weight: dW [outC][K] = dyᵀ [outC][pixels] · patches [pixels][K], a GEMM whose
// long dimension is the sum over pixels. dy is read in place (a row of A is a column of dy); the patches of a
// few output rows at a time are written to a panel that stays in the near cache.
//
// The pixels are cut into a number of chunks that depends on the shape only, each chunk sums into a dW of its
// own, and the chunks are added in order: the same bits for any number of threads.
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/gemm_pack.h"
#include "ops/padded_image.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kBandPixels = 128;       // pixels per panel: 128 * 64 floats = 32 KiB
constexpr std::int64_t kWantedTasks = 32;       // chunks * panels, where the shape allows
constexpr std::int64_t kMinChunkPixels = 1024;  // below, the partial sums cost more than they bring

std::int64_t chunk_count(const Conv2dGeometry& g, std::int64_t panels) {
  const std::int64_t rows = g.batch * g.out_h;
  const std::int64_t wanted = (kWantedTasks + panels - 1) / panels;
  return std::clamp<std::int64_t>(std::min(wanted, g.output_pixels() / kMinChunkPixels), 1, rows);
}

// One panel of columns of dW, over the output rows [first_row, end_row) of the batch.
void grad_weight_task(float* dweight, const float* dy, const PaddedBatch& x, const Panels& panels,
                      std::int64_t panel, std::int64_t first_row, std::int64_t end_row,
                      const Conv2dGeometry& g) {
  const KernelTable& table = kernels();
  const GemmKernels& kernel = *table.gemm;
  const std::int64_t first_column = panel * panels.tile, stride = panels.stride(panel);
  const int width = panels.width(panel);
  const std::int64_t band = std::max<std::int64_t>(1, kBandPixels / g.out_w);
  float* columns = workspace<float>(Slot::kTaskPanel, band * g.out_w * stride);

  // The panel's columns as runs: pieces of kernel rows.
  const std::int64_t kernel_row = g.kernel_w * g.in_c;
  PatchRun* runs = workspace<PatchRun>(Slot::kTaskResult, width / kernel_row + 2);
  int run_count = 0;
  for (std::int64_t at = 0; at < width;) {
    const std::int64_t column = first_column + at, kh = column / kernel_row, within = column % kernel_row;
    const std::int64_t length = std::min(kernel_row - within, width - at);
    runs[run_count++] = {kh * x.width * g.in_c + within, at, length};
    at += length;
  }

  const int tile_rows = tile_rows_for(width, kernel);
  const float* a_rows[kMaxTileRows];
  float* c_rows[kMaxTileRows];
  GemmTile tile;
  tile.a_rows = a_rows;
  tile.a_stride = g.out_c;
  tile.a_offset = 0;
  tile.runs = 1;
  tile.b_run_stride = 0;
  tile.b = columns;
  tile.b_stride = stride;
  tile.c_rows = c_rows;
  tile.columns = width;
  tile.relu = false;
  tile.bias = nullptr;
  for (std::int64_t row = first_row; row < end_row; row += band) {
    const std::int64_t rows = std::min(band, end_row - row);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t n = (row + r) / g.out_h, oy = (row + r) % g.out_h;
      table.image->im2col(columns + r * g.out_w * stride, stride,
                          x.data + (n * x.height + oy * g.stride_h) * x.width * g.in_c, g.stride_w * g.in_c,
                          g.out_w, runs, run_count);
    }
    tile.run_length = rows * g.out_w;
    tile.accumulate = row > first_row;
    for (std::int64_t oc = 0; oc < g.out_c; oc += tile_rows) {
      tile.rows = static_cast<int>(std::min<std::int64_t>(tile_rows, g.out_c - oc));
      for (int i = 0; i < tile.rows; ++i) {
        a_rows[i] = dy + row * g.out_w * g.out_c + oc + i;
        c_rows[i] = dweight + (oc + i) * g.patch() + first_column;
      }
      kernel.tile(tile);
    }
  }
}

}  // namespace

void conv2d_grad_weight_direct(float* dweight, float* dbias, const float* dy, const float* x,
                               const Conv2dGeometry& g) {
  const Panels panels(g.patch(), g.output_pixels(), *kernels().gemm);
  const PaddedBatch padded = padded_batch(x, g);
  const std::int64_t chunks = chunk_count(g, panels.count()), rows = g.batch * g.out_h;
  float* partials = chunks == 1 ? dweight : workspace<float>(Slot::kPartials, chunks * g.weight_size());
  parallel_for(chunks * panels.count(), [&](std::int64_t task) {
    const std::int64_t chunk = task / panels.count(), panel = task % panels.count();
    grad_weight_task(partials + chunk * g.weight_size(), dy, padded, panels, panel, chunk * rows / chunks,
                     (chunk + 1) * rows / chunks, g);
  });
  if (chunks > 1) sum_partials(dweight, partials, chunks, g.weight_size(), g.weight_size());
  if (dbias != nullptr) column_sum(dbias, dy, g.output_pixels(), g.out_c);
}

}  // namespace receptive::ops
