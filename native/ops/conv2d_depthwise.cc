// SPDX-License-Identifier: Apache-2.0
// Forward pass and gradient with respect to the input: one walk over the rows of the result. For grad_input
// dy is the source, the taps are turned, and with a stride each phase of rows and columns has taps of its own
// (ops/conv2d_phase.h).
#include "ops/conv2d_depthwise.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/conv2d_phase.h"
#include "ops/depthwise_spread.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Result i of a phase reads pixel i * stride + t * dilation - pad of the source under tap t, with the weight
// of kernel index weight_first + t * weight_step.
struct Axis {
  std::int64_t stride, dilation, pad, taps, weight_first, weight_step;

  std::int64_t pixel(std::int64_t i, std::int64_t t) const { return i * stride + t * dilation - pad; }
};

Axis forward_axis(std::int64_t taps, std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  return {stride, dilation, pad, taps, 0, 1};
}

Axis gradient_axis(const PhaseAxis& phase) {
  const std::int64_t last = phase.taps - 1;
  return {1,          phase.output_step, last * phase.output_step - phase.first_output,
          phase.taps, phase.tap(last),   -phase.tap_step};
}

// [begin, end) of the source, empty where end <= begin.
struct Range {
  std::int64_t begin, end;
  void include(std::int64_t first, std::int64_t last) {
    begin = std::min(begin, first);
    end = std::max(end, last + 1);
  }
};

class Correlation {
 public:
  Correlation(float* result, std::int64_t height, std::int64_t width, const Spread& spread,
              const Conv2dGeometry& geometry, bool is_gradient)
      : result_(result),
        height_(height),
        width_(width),
        spread_(spread),
        g_(geometry),
        is_gradient_(is_gradient),
        phases_h_(is_gradient ? geometry.stride_h : 1),
        phases_w_(is_gradient ? geometry.stride_w : 1) {}

  // [term][kH][kW][lanes]
  void pack(const float* weight) {
    float* packed = workspace<float>(Slot::kPackedB, g_.weight_size());
    spread_.pack(packed, weight, g_.kernel_h * g_.kernel_w);
    weight_ = packed;
  }

  void run(const float* bias, bool relu) {
    bias_ = bias;
    relu_ = relu;
    const std::int64_t lanes = spread_.block_lanes();
    const std::int64_t work = lanes *
                              std::max<std::int64_t>(1, g_.kernel_h * g_.kernel_w / (phases_h_ * phases_w_)) *
                              spread_.terms;
    const PixelCut cut(height_, width_, phases_w_, work, !spread_.is_identity());
    const std::int64_t blocks = (spread_.lanes + lanes - 1) / lanes;
    const std::int64_t bands = (height_ + cut.rows - 1) / cut.rows;
    const std::int64_t parts = (width_ + cut.columns - 1) / cut.columns;
    parallel_for(g_.batch * bands * parts * blocks, [&](std::int64_t task) {
      const std::int64_t block = task % blocks * lanes, part = task / blocks % parts;
      const std::int64_t band = task / blocks / parts % bands, image = task / blocks / parts / bands;
      const Region result = {image, band * cut.rows, std::min(cut.rows, height_ - band * cut.rows),
                             part * cut.columns, std::min(cut.columns, width_ - part * cut.columns)};
      compute(result, {block, std::min(lanes, spread_.lanes - block)});
    });
  }

 private:
  Axis rows_of(std::int64_t phase) const {
    return is_gradient_ ? gradient_axis(phase_of_rows(phase, g_))
                        : forward_axis(g_.kernel_h, g_.stride_h, g_.dilation_h, g_.pad_top);
  }
  Axis columns_of(std::int64_t phase) const {
    return is_gradient_ ? gradient_axis(phase_of_columns(phase, g_))
                        : forward_axis(g_.kernel_w, g_.stride_w, g_.dilation_w, g_.pad_left);
  }
  // The results of a phase among columns [column, column + columns): from `column` on, which is a multiple of
  // phases.
  std::int64_t count_of(std::int64_t phase, std::int64_t columns) const {
    return (columns - phase + phases_w_ - 1) / phases_w_;
  }

  // What the results of a region read.
  Region source_of(const Region& result) const {
    Range rows{spread_.height, 0}, columns{spread_.width, 0};
    for (std::int64_t y = result.row; y < result.row + result.rows; ++y) {
      const Axis axis = rows_of(y % phases_h_);
      if (axis.taps > 0) rows.include(axis.pixel(y / phases_h_, 0), axis.pixel(y / phases_h_, axis.taps - 1));
    }
    for (std::int64_t phase = 0; phase < std::min(phases_w_, result.columns); ++phase) {
      const Axis axis = columns_of(phase);
      const std::int64_t first = result.column / phases_w_,
                         last = first + count_of(phase, result.columns) - 1;
      if (axis.taps > 0) columns.include(axis.pixel(first, 0), axis.pixel(last, axis.taps - 1));
    }
    rows = {std::max<std::int64_t>(rows.begin, 0), std::min(rows.end, spread_.height)};
    columns = {std::max<std::int64_t>(columns.begin, 0), std::min(columns.end, spread_.width)};
    if (rows.begin >= rows.end || columns.begin >= columns.end) return {result.image, 0, 0, 0, 0};
    return {result.image, rows.begin, rows.end - rows.begin, columns.begin, columns.end - columns.begin};
  }

  void compute(const Region& result, const LaneBlock& block) const {
    const Region source = source_of(result);
    for (std::int64_t term = 0; term < spread_.terms; ++term) {
      const SpreadPixels pixels = spread_.pixels(term, source, block);
      for (std::int64_t y = result.row; y < result.row + result.rows; ++y) {
        for (std::int64_t phase = 0; phase < std::min(phases_w_, result.columns); ++phase)
          compute_row(y, phase, term, result, source, pixels, block);
      }
    }
  }

  void compute_row(std::int64_t y, std::int64_t phase, std::int64_t term, const Region& result,
                   const Region& source, const SpreadPixels& pixels, const LaneBlock& block) const {
    const Axis rows = rows_of(y % phases_h_), columns = columns_of(phase);
    const std::int64_t first_column = result.column / phases_w_, i = y / phases_h_;
    DepthwiseSums sums{};
    DepthwiseRow& at = sums.at;
    at.outputs = count_of(phase, result.columns);
    at.channels = block.count;
    at.in_w = source.columns;
    at.taps = columns.taps;
    at.stride = columns.stride;
    at.dilation = columns.dilation;
    at.pad = columns.pad - first_column * columns.stride + source.column;
    at.x_step = pixels.pixel;
    at.x_row = rows.dilation * pixels.row;
    at.weight_row = rows.weight_step * g_.kernel_w * spread_.lanes;
    at.weight_tap = columns.weight_step * spread_.lanes;
    std::int64_t first = 0, last = source.rows == 0 || columns.taps == 0 ? 0 : rows.taps;
    while (first < last && rows.pixel(i, first) < source.row) ++first;
    while (first < last && rows.pixel(i, last - 1) >= source.row + source.rows) --last;
    at.rows = last - first;
    if (at.rows > 0) {
      at.x = pixels.data + (rows.pixel(i, first) - source.row) * pixels.row;
      if (spread_.is_identity()) {
        at.rows_ahead = rows.stride;
        at.row_ahead = pixels.row;
        at.x_ahead = pixels.data + (rows.pixel(i, rows.taps - 1) + 1 - source.row) * pixels.row;
      }
      const std::int64_t kernel_row = term * g_.kernel_h + rows.weight_first + first * rows.weight_step;
      sums.weight = weight_ + (kernel_row * g_.kernel_w + columns.weight_first) * spread_.lanes + block.first;
    }
    const std::int64_t column = result.column + phase;
    sums.y = result_ + ((result.image * height_ + y) * width_ + column) * spread_.lanes + block.first;
    sums.y_step = phases_w_ * spread_.lanes;
    sums.accumulate = term > 0;
    const bool is_last = term == spread_.terms - 1;
    sums.bias = is_last && bias_ != nullptr ? bias_ + block.first : nullptr;
    sums.relu = is_last && relu_;
    kernels().depthwise->sums(sums);
  }

  float* const result_;
  const std::int64_t height_, width_;  // of the result
  const Spread spread_;
  const Conv2dGeometry& g_;
  const bool is_gradient_;
  const std::int64_t phases_h_, phases_w_;
  const float* weight_ = nullptr;
  const float* bias_ = nullptr;
  bool relu_ = false;
};

}  // namespace

// Zen 4, one thread, 28x28 images in 16 groups, forward in ms, 8, 10, 12 and 14 channels a group: by AVX-512
// 0.30, 0.55, 0.85, 1.12 this way and 0.53, 0.58, 0.65, 0.72 as products; by AVX2 0.41, 0.72, 1.06, 1.48 and
// 0.47, 0.63, 0.69, 0.76. 1x1 kernels with 8 channels a group: 0.26 and 0.12.
bool is_for_depthwise(const Conv2dGeometry& g, const KernelTable& table) {
  constexpr std::int64_t kFew = 10, kFewUnderOneTap = 6;
  const std::int64_t few = g.kernel_h * g.kernel_w == 1 ? kFewUnderOneTap : kFew;
  return std::min(g.group_in(), g.group_out()) < (table.gemm->vector_width == 1 ? 2 : few);
}

// The gradient of the weight, in the same order from 4 channels a group on: AVX-512 with 8: 0.29 and 0.23;
// AVX2 with 4, 6 and 8: 0.08, 0.18, 0.31 and 0.12, 0.19, 0.27.
bool is_for_depthwise_gradient(const Conv2dGeometry& g, const KernelTable& table) {
  constexpr std::int64_t kFew = 7, kFewUnderOneTap = 5;
  const std::int64_t few = g.kernel_h * g.kernel_w == 1 ? kFewUnderOneTap : kFew;
  return std::min(g.group_in(), g.group_out()) < (table.gemm->vector_width == 1 ? 2 : few);
}

void conv2d_forward_depthwise(float* y, const float* x, const float* weight, const float* bias, bool relu,
                              const Conv2dGeometry& g) {
  Correlation correlation(y, g.out_h, g.out_w, spread_input(x, g), g, false);
  correlation.pack(weight);
  correlation.run(bias, relu);
}

void conv2d_grad_input_depthwise(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g) {
  Correlation correlation(dx, g.in_h, g.in_w, spread_output(dy, g), g, true);
  correlation.pack(weight);
  correlation.run(nullptr, false);
}

}  // namespace receptive::ops
