// SPDX-License-Identifier: Apache-2.0
// Forward pass as one batch-reduce GEMM: a row of A is the patch of an output pixel, given by pointers into
// x, so the im2col matrix is never written. B is the packed weight [kH * kW * inC][outC].
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/gemm_pack.h"
#include "ops/padded_image.h"
#include "ops/task_grid.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// A run is either a whole kernel row (kW * inC floats, contiguous in a zero-bordered image) or one tap (inC
// floats, padding taps point at a row of zeros). Taps need no copy of x; kernel rows make longer runs. With
// fewer channels than this the copy is cheaper than the short runs.
constexpr std::int64_t kMinTapChannels = 16;

struct Runs {
  std::int64_t count, length;
  bool by_tap;
};

Runs choose_runs(const Conv2dGeometry& g) {
  // The taps of a kernel row lie side by side only in images that hold nothing else.
  const bool apart = !g.is_dense() || (g.dilation_w > 1 && g.kernel_w > 1);
  const bool by_tap = apart || (g.in_c >= kMinTapChannels && !is_padded_already(g));
  if (by_tap) return {g.kernel_h * g.kernel_w, g.in_c, true};
  return {g.kernel_h, g.kernel_w * g.in_c, false};
}

// The pointers of one output pixel, `step` apart in a_rows.
void point_at_taps(const float** a_rows, std::int64_t step, const float* x, const float* zeros,
                   const Conv2dGeometry& g, std::int64_t n, std::int64_t oy, std::int64_t ox) {
  for (std::int64_t kh = 0; kh < g.kernel_h; ++kh) {
    const std::int64_t y = oy * g.stride_h + kh * g.dilation_h - g.pad_top;
    for (std::int64_t kw = 0; kw < g.kernel_w; ++kw, a_rows += step) {
      const std::int64_t column = ox * g.stride_w + kw * g.dilation_w - g.pad_left;
      const bool inside = y >= 0 && y < g.in_h && column >= 0 && column < g.in_w;
      *a_rows = inside ? x + ((n * g.in_h + y) * g.in_w + column) * g.in_pixel() : zeros;
    }
  }
}

void point_at_kernel_rows(const float** a_rows, std::int64_t step, const PaddedBatch& x,
                          const Conv2dGeometry& g, std::int64_t n, std::int64_t oy, std::int64_t ox) {
  const float* row = x.data + ((n * x.height + oy * g.stride_h) * x.width + ox * g.stride_w) * g.in_c;
  const std::int64_t next = g.dilation_h * x.width * g.in_c;
  for (std::int64_t kh = 0; kh < g.kernel_h; ++kh, row += next) a_rows[kh * step] = row;
}

void pack_weight(float* packed, const float* weight, const Panels& panels) {
  parallel_for(panels.count(), [&](std::int64_t panel) {
    pack_panel(packed + panels.offset(panel), panels.stride(panel),
               weight + panel * panels.tile * panels.depth, 1, panels.depth, panels.depth,
               panels.width(panel));
  });
}

}  // namespace

std::int64_t packed_weight_size(const Conv2dGeometry& g) {
  return Panels(g.out_c, g.patch(), *kernels().gemm).size();
}

void pack_forward_weight(float* packed, const float* weight, const Conv2dGeometry& g) {
  pack_weight(packed, weight, Panels(g.out_c, g.patch(), *kernels().gemm));
}

void conv2d_forward_direct(float* y, const float* x, const float* weight, const float* bias,
                           const float* residual, bool relu, const Conv2dGeometry& g, const float* prepared) {
  const GemmKernels& kernel = *kernels().gemm;
  const Panels panels(g.out_c, g.patch(), kernel);
  const float* packed = prepared;
  if (packed == nullptr) {
    float* room = workspace<float>(Slot::kPackedB, panels.size());
    pack_weight(room, weight, panels);
    packed = room;
  }
  const Runs runs = choose_runs(g);
  const PaddedBatch padded = runs.by_tap ? PaddedBatch{x, g.in_h, g.in_w} : padded_batch(x, g);
  const float* zeros = zero_row(g.in_c);

  const TaskGrid grid(g.output_pixels(), g.out_c, g.patch(), panels, kernel);
  grid.run([&](std::int64_t pixel, std::int64_t rows, std::int64_t first, std::int64_t last) {
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, rows * (runs.count + 2));
    float** c_rows = const_cast<float**>(a_rows + rows * runs.count);
    const float** residual_rows = residual == nullptr ? nullptr : a_rows + rows * (runs.count + 1);
    std::int64_t ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h, n = pixel / g.out_w / g.out_h;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t tile = row / grid.tile_rows * grid.tile_rows;
      const std::int64_t step = std::min<std::int64_t>(grid.tile_rows, rows - tile);
      const float** pointers = a_rows + tile * runs.count + (row - tile);
      if (runs.by_tap) {
        point_at_taps(pointers, step, x, zeros, g, n, oy, ox);
      } else {
        point_at_kernel_rows(pointers, step, padded, g, n, oy, ox);
      }
      c_rows[row] = y + (pixel + row) * g.out_pixel();
      if (residual != nullptr) residual_rows[row] = residual + (pixel + row) * g.out_pixel();
      if (++ox < g.out_w) continue;
      ox = 0;
      if (++oy < g.out_h) continue;
      oy = 0;
      ++n;
    }
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.residual_rows = residual_rows;
    block.rows = rows;
    block.tile_rows = grid.tile_rows;
    block.runs = runs.count;
    block.run_length = runs.length;
    brgemm(block, packed, panels, first, last, bias, relu, kernel);
  });
}

}  // namespace receptive::ops
