// SPDX-License-Identifier: Apache-2.0
// Gradient with respect to the weight: dW [outC][K] = dyᵀ [outC][pixels] · patches [pixels][K], a GEMM whose
// long dimension is the sum over pixels. It runs band by band, a few output rows each: dy is packed for the
// tile's rows, x is copied to a zero-bordered strip of at most 64 channels, and the patches are read from
// there in place: a run is an output row, a kernel tap a shift.
//
// The pixels are cut into a number of chunks that depends on the shape only, each chunk sums into a dW of its
// own, and the chunks are added in order: the same bits for any number of threads.
#include <algorithm>
#include <utility>

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

constexpr std::int64_t kBlockChannels = 64;  // channels of a strip: a multiple of every tile's width
constexpr std::int64_t kBandPixels = 512;    // a strip of 64 channels then takes about 160 KiB
constexpr std::int64_t kWantedTasks = 32;    // where the shape allows
constexpr std::int64_t kMinGroupPanels = 8;  // vectors columns that share a packed band of dy
// Output channels that share a strip. Two threads of a Zen 4, 128, 256 and 512: 256 to 512 channels by a 1x1
// kernel and stride 2 (S14) 17.7, 17.0, 17.3 ms; 1024 to 256 by 1x1 (S13) 8.3, 8.0, 8.1; 256 to 256 by 3x3 at
// 56x56 69.1, 68.0 ms.
constexpr std::int64_t kMinGroupOutputs = 256;
// Below, the partial sums cost more than they bring; half as many where the channels make few tasks.
constexpr std::int64_t kMinChunkPixels = 2048;
constexpr std::int64_t kFewGroups = 8;

// Tasks: chunks of output rows, each for groups of strips and groups of output channels.
struct Cut {
  std::int64_t strips, strip_groups, output_groups, chunks, tile_rows, band_rows;

  Cut(const Conv2dGeometry& g, const GemmKernels& gemm) {
    strips = (g.in_c + kBlockChannels - 1) / kBlockChannels;
    const std::int64_t panels = (g.patch() + kBlockChannels - 1) / kBlockChannels;
    strip_groups = std::clamp<std::int64_t>(panels / kMinGroupPanels, 1, strips);
    output_groups = std::clamp<std::int64_t>(kWantedTasks / strip_groups, 1,
                                             std::max<std::int64_t>(1, g.out_c / kMinGroupOutputs));
    const std::int64_t groups = strip_groups * output_groups;
    const std::int64_t pixels = groups < kFewGroups ? kMinChunkPixels / 2 : kMinChunkPixels;
    chunks = std::clamp<std::int64_t>(std::min(kWantedTasks / groups, g.output_pixels() / pixels), 1,
                                      g.batch * g.out_h);
    tile_rows = tile_rows_for(
        strips == 1 && g.dilation_w == 1 ? g.kernel_w * g.in_c : std::min(g.in_c, kBlockChannels), gemm);
    band_rows = std::clamp<std::int64_t>(kBandPixels / g.out_w, 1, g.batch * g.out_h);
  }
};

// The sums of output channels [first_output, end_output) and strips [first_strip, end_strip) over output rows
// [first_row, end_row).
struct Part {
  std::int64_t first_output, end_output, first_strip, end_strip, first_row, end_row;
};

class Task {
 public:
  Task(const Part& part, const Cut& cut, const Conv2dGeometry& geometry)
      : part_(part),
        cut_(cut),
        g_(geometry),
        table_(kernels()),
        outputs_(part.end_output - part.first_output),
        // Not a multiple of 4 KiB: the blocks are written side by side.
        block_stride_(cut.band_rows * geometry.out_w * cut.tile_rows + 16),
        shape_(geometry, std::min(geometry.in_c, kBlockChannels), cut.band_rows) {
    const std::int64_t blocks = (outputs_ + cut.tile_rows - 1) / cut.tile_rows;
    packed_ = workspace<float>(Slot::kTaskResult, blocks * block_stride_ + 16);
    strip_ = workspace<float>(Slot::kTaskPanel, shape_.size);
    a_rows_ = workspace<const float*>(Slot::kTaskRows, cut.band_rows * (2 * cut.tile_rows + 1));
    starts_ = reinterpret_cast<std::int64_t*>(a_rows_ + 2 * cut.band_rows * cut.tile_rows);
  }

  void run(float* dweight, const float* dy, const float* x) {
    x_ = x;
    for (std::int64_t row = part_.first_row; row < part_.end_row; row += cut_.band_rows) {
      rows_ = std::min(cut_.band_rows, part_.end_row - row);
      const float* outputs = dy + row * g_.out_w * g_.out_pixel() + part_.first_output;
      pack_outputs(outputs);
      for (std::int64_t strip = part_.first_strip; strip < part_.end_strip; ++strip) {
        const std::int64_t channel = strip * kBlockChannels,
                           width = std::min(kBlockChannels, g_.in_c - channel);
        shape_.fill(strip_, starts_, x, channel, width, row, rows_, *table_.image);
        const std::int64_t next = row + cut_.band_rows;
        const bool is_last = strip + 1 == part_.end_strip, is_end = is_last && next >= part_.end_row;
        inputs_ahead_ = is_end    ? Ahead{}
                        : is_last ? inputs_ahead(next, part_.first_strip)
                                  : inputs_ahead(row, strip + 1);
        outputs_ahead_ = is_last && !is_end
                             ? outputs_ahead(outputs + cut_.band_rows * g_.out_w * g_.out_pixel())
                             : Ahead{};
        multiply(dweight + part_.first_output * g_.patch() + channel, width, row > part_.first_row);
      }
    }
  }

 private:
  // What will be copied next: `floats` of each pixel, of which a tile asks for as many as it has columns.
  // Rows that lie beside those of the band, and images of another height than the outputs, are left out.
  struct Ahead {
    const float* from = nullptr;
    std::int64_t floats = 0, row_step = 0, pixel_step = 0;
  };

  Ahead inputs_ahead(std::int64_t row, std::int64_t strip) const {
    const std::int64_t n = row / g_.out_h, y = row % g_.out_h * g_.stride_h;
    const std::int64_t channel = strip * kBlockChannels;
    return {x_ + (n * g_.in_h + y) * g_.in_w * g_.in_pixel() + channel,
            std::min(kBlockChannels, g_.in_c - channel), g_.stride_h * g_.in_w * g_.in_pixel(),
            g_.stride_w * g_.in_pixel()};
  }

  Ahead outputs_ahead(const float* dy) const {
    return {dy, outputs_, g_.out_w * g_.out_pixel(), g_.out_pixel()};
  }

  // Has the tile ask for the next columns that nobody asked for yet.
  void ask_ahead(GemmTile* tile) {
    Ahead* const ahead = inputs_ahead_.floats > 0 ? &inputs_ahead_ : &outputs_ahead_;
    if (ahead->floats <= 0) return;
    tile->runs = rows_;
    tile->run_length = g_.out_w;
    tile->ahead = ahead->from;
    tile->ahead_run_stride = ahead->row_step;
    tile->ahead_stride = ahead->pixel_step;
    ahead->from += table_.gemm->max_columns;
    ahead->floats -= table_.gemm->max_columns;
  }

  // dy of the band, and pointers to it for full tiles and for the last.
  void pack_outputs(const float* dy) {
    const int tile_rows = static_cast<int>(cut_.tile_rows);
    table_.gemm->pack_a(packed_, block_stride_, dy, g_.out_pixel(), rows_ * g_.out_w, outputs_, tile_rows);
    const int last = static_cast<int>(outputs_ % tile_rows);
    const float** full_tile = a_rows_;
    const float** last_tile = a_rows_ + cut_.band_rows * tile_rows;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* from = packed_ + row * g_.out_w * tile_rows;
      for (int i = 0; i < tile_rows; ++i) *full_tile++ = from + i;
      for (int i = 0; i < last; ++i) *last_tile++ = from + i;
    }
  }

  // Adds the band's share for one strip of `width` channels. dweight: of the strip's first channel.
  void multiply(float* dweight, std::int64_t width, bool accumulate) {
    // The taps of a kernel row lie side by side in the strip; in dW only where the strip has all channels.
    const bool whole = width == g_.in_c && g_.dilation_w == 1;
    const std::int64_t segments = whole ? 1 : g_.kernel_w, columns = whole ? g_.kernel_w * width : width;
    GemmTile tile;
    tile.b_stride = shape_.width_step * width;
    tile.b_offsets = starts_;
    tile.runs = shape_.is_dense() ? 1 : rows_;
    tile.run_length = shape_.is_dense() ? rows_ * g_.out_w : g_.out_w;
    tile.a_stride = cut_.tile_rows;
    tile.accumulate = accumulate;
    for (std::int64_t kh = 0; kh < g_.kernel_h; ++kh) {
      for (std::int64_t segment = 0; segment < segments; ++segment) {
        const float* patches = strip_ + (kh * g_.dilation_h * shape_.width + segment * g_.dilation_w) * width;
        float* to = dweight + (kh * g_.kernel_w + segment) * g_.in_c;
        for (std::int64_t column = 0; column < columns; column += table_.gemm->max_columns) {
          tile.b = patches + column;
          tile.columns = static_cast<int>(std::min<std::int64_t>(table_.gemm->max_columns, columns - column));
          multiply_panel(tile, to + column);
        }
      }
    }
  }

  void multiply_panel(const GemmTile& panel, float* dweight) {
    float* c_rows[kMaxTileRows];
    for (std::int64_t output = 0; output < outputs_; output += cut_.tile_rows) {
      GemmTile tile = panel;
      tile.c_rows = c_rows;
      tile.rows = static_cast<int>(std::min(cut_.tile_rows, outputs_ - output));
      tile.a_rows = tile.rows == cut_.tile_rows ? a_rows_ : a_rows_ + cut_.band_rows * cut_.tile_rows;
      tile.a_offset = output / cut_.tile_rows * block_stride_;
      for (int i = 0; i < tile.rows; ++i) c_rows[i] = dweight + (output + i) * g_.patch();
      if (tile.rows == cut_.tile_rows) ask_ahead(&tile);
      table_.gemm->tile(tile);
    }
  }

  const Part& part_;
  const Cut& cut_;
  const Conv2dGeometry& g_;
  const KernelTable& table_;
  const std::int64_t outputs_, block_stride_;
  const StripShape shape_;
  std::int64_t rows_ = 0;  // of the band under way
  const float* x_ = nullptr;
  Ahead inputs_ahead_, outputs_ahead_;
  float *packed_, *strip_;
  const float** a_rows_;
  std::int64_t* starts_;
};

}  // namespace

void conv2d_grad_weight_direct(float* dweight, const float* dy, const float* x, const Conv2dGeometry& g) {
  // A 1x1 kernel is a plain product, and x may as well be the operand that is packed: the smaller of the two.
  if (g.is_pointwise() && g.in_c < g.out_c) {
    Conv2dGeometry exchanged = g;
    std::swap(exchanged.in_c, exchanged.out_c);
    std::swap(exchanged.in_step, exchanged.out_step);
    float* transposed = workspace<float>(Slot::kPackedB, g.weight_size());
    conv2d_grad_weight_direct(transposed, x, dy, exchanged);
    return transpose(dweight, transposed, g.in_c, g.out_c);
  }
  const Cut cut(g, *kernels().gemm);
  const std::int64_t rows = g.batch * g.out_h, groups = cut.strip_groups * cut.output_groups;
  float* partials =
      cut.chunks == 1 ? dweight : workspace<float>(Slot::kPartials, cut.chunks * g.weight_size());
  parallel_for(cut.chunks * groups, [&](std::int64_t task) {
    const std::int64_t chunk = task / groups, strip = task % groups / cut.output_groups;
    const std::int64_t output = task % cut.output_groups;
    const Part part = {output * g.out_c / cut.output_groups,
                       (output + 1) * g.out_c / cut.output_groups,
                       strip * cut.strips / cut.strip_groups,
                       (strip + 1) * cut.strips / cut.strip_groups,
                       chunk * rows / cut.chunks,
                       (chunk + 1) * rows / cut.chunks};
    Task(part, cut, g).run(partials + chunk * g.weight_size(), dy, x);
  });
  if (cut.chunks > 1) sum_partials(dweight, partials, cut.chunks, g.weight_size(), g.weight_size());
}

}  // namespace receptive::ops
