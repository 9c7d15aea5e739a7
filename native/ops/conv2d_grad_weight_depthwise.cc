// SPDX-License-Identifier: Apache-2.0
// Gradient with respect to the weight of a convolution in groups of few channels. The rows of the batch are
// cut into chunks by shape alone; each sums into a gradient of its own, [term][kH][kW][outC], and these are
// added in order.
#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/conv2d_depthwise.h"
#include "ops/depthwise_spread.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kWantedTasks = 32;      // where the shape allows
constexpr std::int64_t kMinChunkPixels = 256;  // below, the partial sums cost more than they bring
constexpr std::int64_t kMinLanes = 64;         // of a task
constexpr std::int64_t kRunPixels = 64;        // summed in registers before the next lanes

// The output rows first_row to first_row + rows - 1 of an image, of each the outputs from `column` on.
struct Outputs {
  std::int64_t image, row, rows, column, columns;
};

class Gradient {
 public:
  Gradient(const float* dy, const float* x, const Conv2dGeometry& geometry)
      : dy_(dy),
        spread_(spread_input(x, geometry)),
        g_(geometry),
        taps_(geometry.kernel_h * geometry.kernel_w),
        cut_(geometry.out_h, geometry.out_w, 1, spread_.block_lanes() * taps_, !spread_.is_identity()),
        parts_((geometry.out_w + cut_.columns - 1) / cut_.columns) {}

  // [term][kH][kW][outC] into `sums`
  void run(float* sums) const {
    const std::int64_t units = g_.batch * g_.out_h * parts_, size = g_.weight_size();
    const std::int64_t chunks =
        std::clamp<std::int64_t>(std::min(kWantedTasks, g_.output_pixels() / kMinChunkPixels), 1, units);
    std::int64_t lanes = spread_.block_lanes();
    if (spread_.is_identity()) {
      const std::int64_t blocks =
          std::clamp<std::int64_t>(kWantedTasks / chunks, 1, std::max<std::int64_t>(1, lanes / kMinLanes));
      lanes = (lanes / blocks + kMinLanes - 1) / kMinLanes * kMinLanes;
    }
    const std::int64_t blocks = (spread_.lanes + lanes - 1) / lanes;
    float* partials = chunks == 1 ? sums : workspace<float>(Slot::kPartials, chunks * size);
    parallel_for(chunks * blocks, [&](std::int64_t task) {
      const std::int64_t chunk = task / blocks, first = task % blocks * lanes;
      const LaneBlock block = {first, std::min(lanes, spread_.lanes - first)};
      float* partial = partials + chunk * size + first;
      for (std::int64_t i = 0; i < spread_.terms * taps_; ++i)
        std::memset(partial + i * spread_.lanes, 0, static_cast<std::size_t>(block.count) * sizeof(float));
      add_units(partial, chunk * units / chunks, (chunk + 1) * units / chunks, block);
    });
    if (chunks > 1) sum_partials(sums, partials, chunks, size, size);
  }

 private:
  // Units are parts of output rows, counted through the batch; neighbouring whole rows go together.
  void add_units(float* partial, std::int64_t first, std::int64_t end, const LaneBlock& block) const {
    for (std::int64_t unit = first; unit < end;) {
      const std::int64_t row = unit / parts_ % g_.out_h, column = unit % parts_ * cut_.columns;
      const std::int64_t rows = parts_ > 1 ? 1 : std::min({cut_.rows, g_.out_h - row, end - unit});
      add({unit / parts_ / g_.out_h, row, rows, column, std::min(cut_.columns, g_.out_w - column)}, partial,
          block);
      unit += rows;
    }
  }

  Region source_of(const Outputs& outputs) const {
    const std::int64_t top = outputs.row * g_.stride_h - g_.pad_top,
                       left = outputs.column * g_.stride_w - g_.pad_left;
    const std::int64_t row = std::max<std::int64_t>(top, 0), column = std::max<std::int64_t>(left, 0);
    const std::int64_t bottom = std::min(top + (outputs.rows - 1) * g_.stride_h + g_.span_h(), g_.in_h);
    const std::int64_t right = std::min(left + (outputs.columns - 1) * g_.stride_w + g_.span_w(), g_.in_w);
    if (row >= bottom || column >= right) return {outputs.image, 0, 0, 0, 0};
    return {outputs.image, row, bottom - row, column, right - column};
  }

  void add(const Outputs& outputs, float* partial, const LaneBlock& block) const {
    const Region source = source_of(outputs);
    if (source.rows == 0) return;
    for (std::int64_t term = 0; term < spread_.terms; ++term) {
      const SpreadPixels pixels = spread_.pixels(term, source, block);
      float* const of_term = partial + term * taps_ * spread_.lanes;
      for (std::int64_t row = outputs.row; row < outputs.row + outputs.rows;) {
        const TapRange taps = taps_at(row, source);
        std::int64_t rows = 1;
        while (row + rows < outputs.row + outputs.rows && rows * outputs.columns < kRunPixels &&
               taps_at(row + rows, source) == taps)
          ++rows;
        if (taps.first < taps.end) add_rows(row, rows, taps, outputs, of_term, source, pixels, block);
        row += rows;
      }
    }
  }

  // The kernel rows that are inside the image for a row of outputs.
  struct TapRange {
    std::int64_t first, end;
    bool operator==(const TapRange& other) const { return first == other.first && end == other.end; }
  };
  TapRange taps_at(std::int64_t row, const Region& source) const {
    const std::int64_t top = row * g_.stride_h - g_.pad_top;
    TapRange taps = {0, g_.kernel_h};
    while (taps.first < taps.end && top + taps.first * g_.dilation_h < source.row) ++taps.first;
    while (taps.first < taps.end && top + (taps.end - 1) * g_.dilation_h >= source.row + source.rows)
      --taps.end;
    return taps;
  }

  void add_rows(std::int64_t row, std::int64_t rows, const TapRange& taps, const Outputs& outputs,
                float* partial, const Region& source, const SpreadPixels& pixels,
                const LaneBlock& block) const {
    const std::int64_t top = row * g_.stride_h - g_.pad_top;
    DepthwiseGradient gradient{};
    DepthwiseRow& at = gradient.at;
    at.outputs = outputs.columns;
    at.channels = block.count;
    at.x = pixels.data + (top + taps.first * g_.dilation_h - source.row) * pixels.row;
    at.x_row = g_.dilation_h * pixels.row;
    at.x_step = pixels.pixel;
    at.rows = taps.end - taps.first;
    if (spread_.is_identity()) {
      at.rows_ahead = g_.stride_h;
      at.row_ahead = pixels.row;
      at.x_ahead = pixels.data + (top + (rows - 1) * g_.stride_h + g_.span_h() - source.row) * pixels.row;
    }
    at.in_w = source.columns;
    at.taps = g_.kernel_w;
    at.stride = g_.stride_w;
    at.dilation = g_.dilation_w;
    at.pad = g_.pad_left - outputs.column * g_.stride_w + source.column;
    at.weight_row = g_.kernel_w * spread_.lanes;
    at.weight_tap = spread_.lanes;
    gradient.dweight = partial + taps.first * at.weight_row;
    gradient.dy =
        dy_ + ((outputs.image * g_.out_h + row) * g_.out_w + outputs.column) * spread_.lanes + block.first;
    gradient.dy_step = spread_.lanes;
    gradient.out_rows = rows;
    gradient.dy_row = g_.out_w * spread_.lanes;
    gradient.x_next = g_.stride_h * pixels.row;
    kernels().depthwise->gradient(gradient);
  }

  const float* const dy_;
  const Spread spread_;
  const Conv2dGeometry& g_;
  const std::int64_t taps_;
  const PixelCut cut_;
  const std::int64_t parts_;
};

}  // namespace

void conv2d_grad_weight_depthwise(float* dweight, const float* dy, const float* x, const Conv2dGeometry& g) {
  float* sums = workspace<float>(Slot::kPackedB, g.weight_size());
  Gradient(dy, x, g).run(sums);
  spread_input(x, g).unpack(dweight, sums, g.kernel_h * g.kernel_w);
}

}  // namespace receptive::ops
