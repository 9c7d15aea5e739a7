// SPDX-License-Identifier: Apache-2.0
#include "ops/conv2d_interleaved_rows.h"

#include <algorithm>

#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr int kTaps = 5, kInputs = 6, kOutputs = 2;  // of F(2, 5)
// With fewer channels the sums of a frequency are too short to pay for its transforms, with fewer outputs
// there are too few tiles. Two threads of a Zen 4, time of the plain correlation over this: 1.13 for 6 and 15
// channels, 1.04 for 4.
constexpr std::int64_t kMinChannels = 4, kMinOutputs = 4;

std::int64_t tiles_of(const Conv2dGeometry& g) { return (g.out_w + kOutputs - 1) / kOutputs; }

Correlation correlation_of(const Conv2dGeometry& g, bool is_winograd) {
  const CorrelateAxis rows{g.out_h, g.in_h, g.kernel_h, g.stride_h, g.pad_top};
  const std::int64_t tiles = tiles_of(g);
  const CorrelateAxis columns = is_winograd
                                    ? CorrelateAxis{tiles, tiles, 1, 1, 0}
                                    : CorrelateAxis{g.out_w, g.in_w, g.kernel_w, g.stride_w, g.pad_left};
  return {rows, columns, g.in_c, g.out_c, nullptr};
}

}  // namespace

bool is_row_winograd(const Conv2dGeometry& g) {
  return g.kernel_h == kTaps && g.kernel_w == kTaps && g.stride_h == 1 && g.stride_w == 1 &&
         g.in_c >= kMinChannels && g.out_w >= kMinOutputs;
}

InterleavedRows::InterleavedRows(const float* weight, const float* bias, bool relu, const Conv2dGeometry& g)
    : g_(g),
      bias_(bias),
      relu_(relu),
      is_winograd_(is_row_winograd(g)),
      correlation_(correlation_of(g, is_winograd_)) {
  if (!is_winograd_) {
    correlation_.pack(workspace<float>(Slot::kPackedB, g.weight_size()),
                      {weight, g.patch(), g.kernel_w * g.in_c, g.in_c, 1});
    return;
  }
  const std::int64_t frequency = correlation_.weight_size();
  pack_frequencies(workspace<float>(Slot::kPackedB, kInputs * frequency + y_pixel()), weight, bias);
}

// The weights of each frequency, and behind them the bias, once for each lane.
void InterleavedRows::pack_frequencies(float* to, const float* weight, const float* bias) {
  const std::int64_t size = correlation_.weight_size(),
                     frequency = size + kLanes;  // whole vectors are written
  float* transformed = workspace<float>(Slot::kPartials, kInputs * frequency);
  for (std::int64_t row = 0; row < g_.out_c * kTaps; ++row) {
    kernels().winograd->f2_line.weight(transformed + row * g_.in_c, frequency, weight + row * kTaps * g_.in_c,
                                       g_.in_c, g_.in_c);
  }
  for (int f = 0; f < kInputs; ++f)
    correlation_.pack(to + f * size, {transformed + f * frequency, kTaps * g_.in_c, g_.in_c, 0, 1});
  correlation_.packed = to;
  float* lanes = to + kInputs * size;
  for (std::int64_t i = 0; i < y_pixel(); ++i) lanes[i] = bias == nullptr ? 0.0f : bias[i / kLanes];
  bias_ = lanes;
}

std::int64_t InterleavedRows::task_rows(std::int64_t rows) const {
  return correlate_task_rows(rows * g_.out_w * g_.out_c * g_.patch() * kLanes);
}

void InterleavedRows::run(float* y, const float* x, std::int64_t first, std::int64_t rows) const {
  if (is_winograd_) return run_winograd(y, x, first, rows);
  for (std::int64_t row = 0; row < rows; ++row)
    correlation_.run(y + row * y_row(), y_pixel(), x, first + row, bias_, relu_);
}

// v [frequency][input row][tile][in_c][kLanes], at the place of the row, from row x of the image
void InterleavedRows::transform_row(float* v, const float* x) const {
  const std::int64_t tiles = tiles_of(g_), frequency = g_.in_h * tiles * x_pixel();
  const float* zeros = zero_row(x_pixel());
  const float* pixels[kInputs];
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    for (int i = 0; i < kInputs; ++i) {
      const std::int64_t column = tile * kOutputs - g_.pad_left + i;
      pixels[i] = column >= 0 && column < g_.in_w ? x + column * x_pixel() : zeros;
    }
    kernels().winograd->f2_line.input(v + tile * x_pixel(), frequency, pixels, x_pixel());
  }
}

void InterleavedRows::run_winograd(float* y, const float* x, std::int64_t first, std::int64_t rows) const {
  const std::int64_t tiles = tiles_of(g_), v_row = tiles * x_pixel(), v_frequency = g_.in_h * v_row;
  const std::int64_t m_frequency = tiles * y_pixel();
  float* v = workspace<float>(Slot::kTaskDense, kInputs * (v_frequency + m_frequency) + y_pixel());
  float* m = v + kInputs * v_frequency;
  float* outside = m + kInputs * m_frequency;  // where the last tile reaches beyond the row
  const std::int64_t top = std::max<std::int64_t>(0, first - g_.pad_top);
  const std::int64_t bottom = std::min(g_.in_h, first - g_.pad_top + rows - 1 + kTaps);
  for (std::int64_t row = top; row < bottom; ++row) transform_row(v + row * v_row, x + row * x_row());
  Correlation correlation = correlation_;
  for (std::int64_t row = 0; row < rows; ++row, y += y_row()) {
    for (int f = 0; f < kInputs; ++f) {
      correlation.packed = correlation_.packed + f * correlation_.weight_size();
      correlation.run(m + f * m_frequency, y_pixel(), v + f * v_frequency, first + row, nullptr, false);
    }
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      float* to = y + tile * kOutputs * y_pixel();
      float* pixels[kOutputs] = {to, tile * kOutputs + 1 < g_.out_w ? to + y_pixel() : outside};
      kernels().winograd->f2_line.output(pixels, m + tile * y_pixel(), m_frequency, y_pixel(), bias_, relu_);
    }
  }
}

}  // namespace receptive::ops
