// SPDX-License-Identifier: Apache-2.0
// Gradient with respect to the weight of a layer with few input channels, such as the first: dWᵀ [K][outC] =
// patchesᵀ [K][pixels] · dy [pixels][outC]. The vectors lie along the output channels and dy is read in
// place; a row of A is one element of all patches, read by a stride from a zero-bordered strip.
//
// Fixed chunks of pixels, summed in order, as in conv2d_grad_weight.cc.
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/conv2d_strip.h"
#include "ops/reduce.h"
#include "ops/transpose.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kBandPixels = 256;       // 64 output channels of them take 64 KiB
constexpr std::int64_t kChunks = 32;            // where there are enough pixels
constexpr std::int64_t kMinChunkPixels = 1024;  // below, the partial sums cost more than they bring

// dy of a band as the tile may read it: in place, or copied where its last vector would reach beyond.
const float* readable_outputs(const float* dy, std::int64_t pixels, std::int64_t stride,
                              const KernelTable& table, const Conv2dGeometry& g) {
  if (stride == g.out_c) return dy;
  float* copy = workspace<float>(Slot::kTaskResult, pixels * stride);
  const PatchRun pixel = {0, 0, g.out_c};
  table.image->im2col(copy, stride, dy, g.out_c, pixels, &pixel, 1);
  return copy;
}

// dweight [K][outC] = the sums over output rows [first_row, end_row)
void sum_rows(float* dweight, const float* dy, const float* x, std::int64_t first_row, std::int64_t end_row,
              const Conv2dGeometry& g) {
  const KernelTable& table = kernels();
  const GemmKernels& gemm = *table.gemm;
  const std::int64_t band = std::clamp<std::int64_t>(kBandPixels / g.out_w, 1, end_row - first_row);
  const StripShape shape(g, g.in_c, band);
  const std::int64_t stride = (g.out_c + gemm.vector_width - 1) / gemm.vector_width * gemm.vector_width;
  const std::int64_t patch = g.patch();
  const int tile_rows = tile_rows_for(g.out_c, gemm);
  float* strip = workspace<float>(Slot::kTaskPanel, shape.size);
  const float** a_rows = workspace<const float*>(Slot::kTaskRows, band * (tile_rows + 1));
  std::int64_t* starts = reinterpret_cast<std::int64_t*>(a_rows + band * tile_rows);
  float* c_rows[kMaxTileRows];

  GemmTile tile;
  tile.a_rows = a_rows;
  tile.a_stride = shape.width_step * g.in_c;
  tile.run_length = g.out_w;
  tile.b_run_stride = g.out_w * stride;
  tile.b_stride = stride;
  tile.c_rows = c_rows;
  for (std::int64_t row = first_row; row < end_row; row += band) {
    const std::int64_t rows = std::min(band, end_row - row);
    shape.fill(strip, starts, x, 0, g.in_c, row, rows, *table.image);
    const float* outputs = readable_outputs(dy + row * g.out_w * g.out_c, rows * g.out_w, stride, table, g);
    tile.runs = rows;
    tile.accumulate = row > first_row;
    for (std::int64_t k = 0; k < patch; k += tile_rows) {
      tile.rows = static_cast<int>(std::min<std::int64_t>(tile_rows, patch - k));
      for (int i = 0; i < tile.rows; ++i) {
        const std::int64_t tap = (k + i) / g.in_c, kh = tap / g.kernel_w, kw = tap % g.kernel_w;
        const float* element =
            strip + kh * g.dilation_h * shape.row_floats() + kw * g.dilation_w * g.in_c + (k + i) % g.in_c;
        for (std::int64_t r = 0; r < rows; ++r) a_rows[r * tile.rows + i] = element + starts[r];
      }
      for (std::int64_t column = 0; column < g.out_c; column += gemm.max_columns) {
        tile.b = outputs + column;
        tile.columns = static_cast<int>(std::min<std::int64_t>(gemm.max_columns, g.out_c - column));
        for (int i = 0; i < tile.rows; ++i) c_rows[i] = dweight + (k + i) * g.out_c + column;
        gemm.tile(tile);
      }
    }
  }
}

}  // namespace

void conv2d_grad_weight_transposed(float* dweight, const float* dy, const float* x, const Conv2dGeometry& g) {
  const std::int64_t rows = g.batch * g.out_h, size = g.weight_size();
  const std::int64_t chunks =
      std::clamp<std::int64_t>(std::min(kChunks, g.output_pixels() / kMinChunkPixels), 1, rows);
  float* transposed = workspace<float>(Slot::kPackedB, size);
  float* partials = chunks == 1 ? transposed : workspace<float>(Slot::kPartials, chunks * size);
  parallel_for(chunks, [&](std::int64_t chunk) {
    sum_rows(partials + chunk * size, dy, x, chunk * rows / chunks, (chunk + 1) * rows / chunks, g);
  });
  if (chunks > 1) sum_partials(transposed, partials, chunks, size, size);
  transpose(dweight, transposed, g.patch(), g.out_c);
}

}  // namespace receptive::ops
