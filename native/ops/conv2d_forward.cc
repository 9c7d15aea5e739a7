// SPDX-License-Identifier: Apache-2.0
// Forward pass as one batch-reduce GEMM: a row of A is the patch of an output pixel, given by pointers into
// x, so the im2col matrix is never written. B is the packed weight [kH * kW * inC][outC].
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/gemm_pack.h"
#include "ops/padded_image.h"
#include "ops/tap_pointers.h"
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

// The taps of a patch in x, or the kernel rows in its zero-bordered copy. The first tap of output (oy, ox)
// lies at (oy * stride_h - top, ox * stride_w - left).
struct Patches {
  const float* images;
  std::int64_t image_floats, top, left;
  TapPointers taps;

  Patches(const float* x, bool by_tap, const Conv2dGeometry& g) {
    if (by_tap) {
      images = x;
      top = g.pad_top;
      left = g.pad_left;
      taps = {g.kernel_h, g.kernel_w, g.dilation_h, g.dilation_w,
              g.in_h,     g.in_w,     g.in_pixel(), zero_row(g.in_c)};
    } else {
      const PaddedBatch padded = padded_batch(x, g);
      images = padded.data;
      top = left = 0;
      taps = {g.kernel_h, 1, g.dilation_h, 1, padded.height, padded.width, g.in_c, nullptr};
    }
    image_floats = taps.height * taps.width * taps.pixel;
  }
};

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
  const bool streams = is_streamed(y, g.output_pixels() * g.out_pixel(), g.out_pixel(), kernel);
  const Patches patches(x, runs.by_tap, g);

  const TaskGrid grid(g.output_pixels(), g.out_c, g.patch(), panels, kernel);
  grid.run([&](std::int64_t pixel, std::int64_t rows, std::int64_t first, std::int64_t last) {
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, rows * (runs.count + 2) + runs.count);
    float** c_rows = const_cast<float**>(a_rows + rows * runs.count);
    const float** residual_rows = residual == nullptr ? nullptr : a_rows + rows * (runs.count + 1);
    TapPointers taps = patches.taps;
    taps.prepare(reinterpret_cast<std::int64_t*>(a_rows + rows * (runs.count + 2)));
    std::int64_t ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h, n = pixel / g.out_w / g.out_h;
    for (std::int64_t row = 0; row < rows;) {
      // Outputs of one tile in one row of the image
      const std::int64_t tile = row / grid.tile_rows * grid.tile_rows;
      const std::int64_t step = std::min<std::int64_t>(grid.tile_rows, rows - tile);
      const std::int64_t windows = std::min(tile + step - row, g.out_w - ox);
      taps.point(a_rows + tile * runs.count + (row - tile), step, windows,
                 patches.images + n * patches.image_floats, oy * g.stride_h - patches.top,
                 ox * g.stride_w - patches.left, g.stride_w);
      row += windows;
      if ((ox += windows) < g.out_w) continue;
      ox = 0;
      if (++oy < g.out_h) continue;
      oy = 0;
      ++n;
    }
    for (std::int64_t row = 0; row < rows; ++row) c_rows[row] = y + (pixel + row) * g.out_pixel();
    for (std::int64_t row = 0; residual != nullptr && row < rows; ++row)
      residual_rows[row] = residual + (pixel + row) * g.out_pixel();
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.residual_rows = residual_rows;
    block.rows = rows;
    block.tile_rows = grid.tile_rows;
    block.runs = runs.count;
    block.run_length = runs.length;
    block.stream = streams;
    brgemm(block, packed, panels, first, last, bias, relu, kernel);
  });
}

}  // namespace receptive::ops
