// SPDX-License-Identifier: Apache-2.0
// Gradient with respect to the input: one of two GEMMs, by the number of input channels
// (conv2d_algorithm.cc).
//
// Many channels: a batch-reduce GEMM like the forward pass with the roles of x and y exchanged. A row of A is
// what an input pixel receives from: the rows of dy under each kernel tap. With a stride, pixels of one phase
// (iy mod strideH, ix mod strideW) share their taps, so each phase is a dense problem of its own and no zeros
// are inserted (ops/conv2d_phase.h).
//
// Few channels: the vectors along inC would be nearly empty. Instead the gradient of the im2col matrix,
// [pixels][kH * kW * inC], comes from a plain GEMM with full vectors and is added back to the patches image
// by image (col2im).
#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/conv2d_phase.h"
#include "ops/gemm_pack.h"
#include "ops/padded_image.h"
#include "ops/tap_pointers.h"
#include "ops/task_grid.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// B of one phase: [tap][outC][inC] gathered from weight [outC][kH][kW][inC].
void pack_phase(float* packed, const float* weight, const Panels& panels, const PhaseAxis& rows,
                const PhaseAxis& columns, const Conv2dGeometry& g) {
  const std::int64_t taps = rows.taps * columns.taps;
  parallel_for(panels.count() * taps, [&](std::int64_t task) {
    const std::int64_t panel = task / taps, tap = task % taps;
    const std::int64_t kh = rows.tap(tap / columns.taps), kw = columns.tap(tap % columns.taps);
    const std::int64_t stride = panels.stride(panel);
    pack_panel(packed + panels.offset(panel) + tap * g.out_c * stride, stride,
               weight + (kh * g.kernel_w + kw) * g.in_c + panel * panels.tile, g.patch(), 1, g.out_c,
               panels.width(panel));
  });
}

void grad_input_phase(float* dx, const float* dy, const float* weight, const PhaseAxis& rows,
                      const PhaseAxis& columns, const Conv2dGeometry& g) {
  const GemmKernels& kernel = *kernels().gemm;
  const std::int64_t runs = rows.taps * columns.taps;
  const Panels panels(g.in_c, runs * g.out_c, kernel);
  float* packed = workspace<float>(Slot::kPackedB, panels.size());
  pack_phase(packed, weight, panels, rows, columns, g);
  const TapPointers phase_taps = {rows.taps, columns.taps, -rows.output_step, -columns.output_step,
                                  g.out_h,   g.out_w,      g.out_pixel(),     zero_row(g.out_c)};

  const bool streams = is_streamed(dx, g.batch * g.in_h * g.in_w * g.in_pixel(), g.in_pixel(), kernel);
  const std::int64_t pixels = g.batch * rows.positions * columns.positions;
  const TaskGrid grid(pixels, g.in_c, std::max<std::int64_t>(panels.depth, 1), panels, kernel);
  grid.run([&](std::int64_t pixel, std::int64_t count, std::int64_t first, std::int64_t last) {
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, count * (runs + 1) + runs);
    float** c_rows = const_cast<float**>(a_rows + count * runs);
    TapPointers taps = phase_taps;
    taps.prepare(reinterpret_cast<std::int64_t*>(a_rows + count * (runs + 1)));
    std::int64_t column = pixel % columns.positions, line = pixel / columns.positions % rows.positions;
    std::int64_t n = pixel / columns.positions / rows.positions;
    for (std::int64_t row = 0; row < count;) {
      // Pixels of one tile in one row of the image
      const std::int64_t tile = row / grid.tile_rows * grid.tile_rows;
      const std::int64_t step = std::min<std::int64_t>(grid.tile_rows, count - tile);
      const std::int64_t windows = std::min(tile + step - row, columns.positions - column);
      taps.point(a_rows + tile * runs + (row - tile), step, windows,
                 dy + n * g.out_h * g.out_w * g.out_pixel(), rows.output(line, 0), columns.output(column, 0),
                 1);
      float* to =
          dx + ((n * g.in_h + rows.position(line)) * g.in_w + columns.position(column)) * g.in_pixel();
      for (std::int64_t i = 0; i < windows; ++i, to += columns.stride * g.in_pixel()) c_rows[row + i] = to;
      row += windows;
      if ((column += windows) < columns.positions) continue;
      column = 0;
      if (++line < rows.positions) continue;
      line = 0;
      ++n;
    }
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.rows = count;
    block.tile_rows = grid.tile_rows;
    block.runs = runs;  // 0 where the stride skips these pixels: the tile then writes zeros
    block.run_length = g.out_c;
    block.stream = streams;
    brgemm(block, packed, panels, first, last, nullptr, false, kernel);
  });
}

}  // namespace

void conv2d_grad_input_direct(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g) {
  for (std::int64_t phase_y = 0; phase_y < std::min(g.stride_h, g.in_h); ++phase_y) {
    for (std::int64_t phase_x = 0; phase_x < std::min(g.stride_w, g.in_w); ++phase_x) {
      grad_input_phase(dx, dy, weight, phase_of_rows(phase_y, g), phase_of_columns(phase_x, g), g);
    }
  }
}

namespace {

// The runs of a patch in a zero-bordered image: kernel rows, or single taps where these lie apart.
struct PatchRuns {
  PatchRun* runs;
  int count;
  std::int64_t overlap;  // patches that share elements of a run

  explicit PatchRuns(const Conv2dGeometry& g) {
    const bool whole_rows = g.dilation_w == 1;
    const std::int64_t in_row = whole_rows ? 1 : g.kernel_w, length = g.kernel_w / in_row * g.in_c;
    count = static_cast<int>(g.kernel_h * in_row);
    overlap = whole_rows ? (g.kernel_w + g.stride_w - 1) / g.stride_w : 1;
    runs = workspace<PatchRun>(Slot::kPartials, count);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t kh = r / in_row, kw = r % in_row;
      runs[r] = {(kh * g.dilation_h * g.padded_w() + kw * g.dilation_w) * g.in_c, r * length, length};
    }
  }
};

// One image: a few output rows at a time, their patches' gradients from the GEMM, added back while they are
// in cache.
void grad_input_image(float* dx, const float* dy, const float* packed, const Panels& panels,
                      const PatchRuns& patch_runs, const Conv2dGeometry& g) {
  const KernelTable& table = kernels();
  const GemmKernels& kernel = *table.gemm;
  const std::int64_t padded_width = g.padded_w(), padded_size = g.padded_h() * padded_width * g.in_c;
  // Without a border the patches are added straight into dx.
  const bool direct = g.pad_top == 0 && g.pad_left == 0 && g.padded_h() == g.in_h && padded_width == g.in_w;
  const std::int64_t band = std::clamp<std::int64_t>(kernel.row_block / g.out_w, 1, g.out_h);
  const std::int64_t patch = g.patch(), band_pixels = band * g.out_w;
  float* columns = workspace<float>(Slot::kTaskResult, band_pixels * patch + (direct ? 0 : padded_size));
  float* image = direct ? dx : columns + band_pixels * patch;
  const float** a_rows = workspace<const float*>(Slot::kTaskRows, 2 * band_pixels);
  float** c_rows = const_cast<float**>(a_rows + band_pixels);
  std::memset(image, 0, static_cast<std::size_t>(padded_size) * sizeof(float));

  for (std::int64_t oy = 0; oy < g.out_h; oy += band) {
    const std::int64_t pixels = std::min(band, g.out_h - oy) * g.out_w;
    for (std::int64_t p = 0; p < pixels; ++p) {
      a_rows[p] = dy + (oy * g.out_w + p) * g.out_c;
      c_rows[p] = columns + p * patch;
    }
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.rows = pixels;
    block.tile_rows = tile_rows_for(patch, kernel);
    block.run_length = g.out_c;
    brgemm(block, packed, panels, 0, panels.count(), nullptr, false, kernel);
    for (std::int64_t row = 0; row * g.out_w < pixels; ++row) {
      table.image->col2im(image + (oy + row) * g.stride_h * padded_width * g.in_c,
                          columns + row * g.out_w * patch, patch, g.stride_w * g.in_c, g.out_w,
                          patch_runs.overlap, patch_runs.runs, patch_runs.count);
    }
  }
  if (!direct) crop_padded(dx, image, g);
}

}  // namespace

void conv2d_grad_input_columns(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g) {
  const Panels panels(g.patch(), g.out_c, *kernels().gemm);
  float* packed = workspace<float>(Slot::kPackedB, panels.size());
  parallel_for(panels.count(), [&](std::int64_t panel) {
    pack_panel(packed + panels.offset(panel), panels.stride(panel), weight + panel * panels.tile, g.patch(),
               1, g.out_c, panels.width(panel));
  });
  const PatchRuns runs(g);
  parallel_for(g.batch, [&](std::int64_t n) {
    grad_input_image(dx + n * g.in_h * g.in_w * g.in_c, dy + n * g.out_h * g.out_w * g.out_c, packed, panels,
                     runs, g);
  });
}

}  // namespace receptive::ops
